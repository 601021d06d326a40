"""Frames as they travel (D10): a JSON array of elements, unmasked, at most SOCKET_FRAME_BYTES."""

from collections.abc import Iterable, Iterator

from django.conf import settings

TEXT = 0x81  # a text message in one frame


class Frame:
    """Built once for everyone who gets it. `wire` is what goes onto the connection, header included."""

    __slots__ = ("text", "wire")

    def __init__(self, elements: list[bytes]) -> None:
        self.text = b"[" + b",".join(elements) + b"]"
        self.wire = _header(len(self.text)) + self.text

    def __len__(self) -> int:
        return len(self.wire)


def frames(elements: Iterable[bytes]) -> Iterator[Frame]:
    """The elements in as few frames as they fit into; one that is too long by itself travels alone."""
    waiting: list[bytes] = []
    size = 2
    for element in elements:
        if waiting and size + len(element) > settings.SOCKET_FRAME_BYTES:
            yield Frame(waiting)
            waiting, size = [], 2
        waiting.append(element)
        size += len(element) + 1
    if waiting:
        yield Frame(waiting)


def _header(size: int) -> bytes:
    if size < 126:
        return bytes((TEXT, size))
    if size < 65536:
        return bytes((TEXT, 126)) + size.to_bytes(2, "big")
    return bytes((TEXT, 127)) + size.to_bytes(8, "big")
