"""How long a request's body may be, by its path. Most are parameters and fit API_BODY_BYTES; a longer one is declared,
arrives on disk instead of in memory, and is read by whoever declared it.

An endpoint of the kit says `@api.post(body_bytes=...)`, any other view `bodies.allow("/uploads/", ...)`.
"""

from django.conf import settings

_declared: dict[str, int] = {}


def allow(path: str, size: int) -> None:
    """A path that ends with a slash stands for everything below it."""
    _declared[path] = size


def declared(path: str) -> int | None:
    """Bytes, where the path may have more than parameters."""
    return _declared.get(path) or _declared.get(f"{path.rpartition('/')[0]}/") or _declared.get(_first_part(path))


def cap(path: str) -> int:
    return declared(path) or int(settings.API_BODY_BYTES)


def _first_part(path: str) -> str:
    return f"/{path.lstrip('/').partition('/')[0]}/"
