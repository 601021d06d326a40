"""Uploaded files as everybody fetches them, from our own disk. A proxy may serve the same directory (`data/`)."""

import re
import time
from threading import BoundedSemaphore
from typing import Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from whitenoise.responders import StaticFile

from heihei_site.uploads.examination import LEASE
from heihei_site.uploads.kinds import FORMATS
from heihei_site.uploads.models import PUBLIC, Upload
from heihei_site.uploads.storages import Local, uploads

NAME = re.compile(r"[0-9A-Za-z_]{1,60}\.([0-9a-z]{1,4})")
A_DAY = 24 * 3600
PATIENCE = 3.0  # seconds for which a picture is waited for that is being examined
LOOK_EVERY = 0.1

_waiters = BoundedSemaphore(4)  # of the threads of a process; others are told to come again


@require_safe
def serve(request: HttpRequest, module: str, name: str) -> HttpResponse | FileResponse:
    """With ranges, for players that jump; as what it is and nothing else, whatever somebody has written into it. A
    picture that was put into use a moment ago is waited for: its address was told before a job has written it."""
    found, storage = NAME.fullmatch(name), uploads()
    if found is None or found[1] not in FORMATS or module not in Upload.Module.values:
        raise Http404
    if not isinstance(storage, Local):
        raise Http404
    key = f"{PUBLIC}/{module}/{name}"
    if not (storage.exists(key) or _appears(storage, key, name)):
        return HttpResponse(status=404, headers={"Cache-Control": "no-store"})
    return _answer(request, storage.path(key), FORMATS[found[1]].content_type)


def _answer(request: HttpRequest, path: str, content_type: str) -> FileResponse:
    headers = {
        "Content-Type": content_type,
        "Cache-Control": f"public, max-age={A_DAY}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "Access-Control-Allow-Origin": "*",
    }
    ready: Any = StaticFile(path, list(headers.items())).get_response(request.method, request.META)
    response = FileResponse(ready.file or (), status=int(ready.status))
    del response["Content-Type"]
    for header, value in ready.headers:
        response[header] = value
    return response


def _appears(storage: Local, key: str, name: str) -> bool:
    fresh = Upload.objects.filter(name=name, accepted=None, claimed_at__gt=timezone.now() - LEASE)
    if not fresh.exists() or not _waiters.acquire(blocking=False):
        return False
    try:
        deadline = time.monotonic() + PATIENCE
        while not storage.exists(key):
            if time.monotonic() > deadline:
                return False
            time.sleep(LOOK_EVERY)
    finally:
        _waiters.release()
    return True
