"""Files that phones fetch."""

import re

from django.core.files.storage import storages
from django.http import FileResponse, Http404, HttpRequest
from django.views.decorators.http import require_safe

from live.models import Live

NAME = re.compile(r"([0-9]{1,16})/message_[0-9a-f]{16}\.txt\.zip")
KEPT_SECONDS = 600  # on the way: what is taken out of a replay is gone everywhere soon


@require_safe
def archive(request: HttpRequest, name: str) -> FileResponse:
    """What was said in a live that is over (`messageAddr`). 404 for any but the one of today."""
    live_id = NAME.fullmatch(name)
    if not live_id or not Live.objects.filter(pk=live_id[1], status=Live.Status.STOPPED, archive=name).exists():
        raise Http404
    try:
        file = storages["archives"].open(name)
    except FileNotFoundError:
        raise Http404 from None
    answer = FileResponse(file, content_type="application/zip")
    answer["Cache-Control"] = f"public, max-age={KEPT_SECONDS}"
    return answer
