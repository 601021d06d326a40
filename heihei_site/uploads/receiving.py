"""`PUT uploadUrl`: how files come to our own disk. With a bucket phones put them there, and this is not there."""

from typing import IO, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from heihei_site.api import bodies
from heihei_site.providers import registry
from heihei_site.uploads import kinds, signs
from heihei_site.uploads.models import Upload
from heihei_site.uploads.storages import uploads

PREFIX = "uploads"  # of the path

bodies.allow(f"/{PREFIX}/", settings.UPLOAD_BYTES)


def address_of(upload: Upload, base_url: str) -> str:
    """Whoever has it may write this one file, until it expires or is in use."""
    return f"{base_url}/{PREFIX}/{upload.key}?sign={upload.sign}"


@csrf_exempt
@require_http_methods(["PUT"])
def receive(request: HttpRequest, module: str, name: str) -> HttpResponse:
    """Stores the raw bytes. 403 for whoever has no leave for this very name, or not any more; 409 once the file is in
    use; 413 for more than UPLOAD_BYTES; 415 for what does not begin like a file of that kind; 400 for nothing at all.
    Until then the same again, and another one in its place, is fine. Where a file is kept follows from our own row of
    it, never from what the address says.
    """
    upload = signs.granted(request.GET.get("sign", ""))
    if not registry.credentials().local or upload is None or (upload.module, upload.name) != (module, name):
        return HttpResponse(status=403)
    if upload.expires_at <= timezone.now():
        return HttpResponse(status=403)
    if upload.version:
        return HttpResponse(status=409)
    size = int(request.META.get("CONTENT_LENGTH") or 0)
    if size > settings.UPLOAD_BYTES:
        return HttpResponse(status=413)
    if not size:
        return HttpResponse(status=400)
    body = _Body(cast(IO[bytes], request))
    if not kinds.fits(upload.kind, body.head):
        return HttpResponse(status=415)
    uploads().put(upload.key, cast(IO[bytes], body), upload.kind.content_type)
    return HttpResponse(status=200)


class _Body:
    """The body once more from its beginning, whose first bytes have been looked at."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.head = stream.read(kinds.HEAD_BYTES)
        self._left = self.head

    def read(self, size: int = -1) -> bytes:
        if self._left:
            first, self._left = self._left, b""
            return first
        return self._stream.read(size)
