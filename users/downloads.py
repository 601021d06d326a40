"""Files that a person fetches with a browser."""

from django.http import FileResponse, Http404, HttpRequest
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from users.services import export


@require_safe
@never_cache
def data_export(request: HttpRequest) -> FileResponse:
    """The copy of somebody's data (`user/export-data`). 404 for whoever has no address of ours, or an old one."""
    found = export.find(request.GET.get("sign", ""), timezone.now())
    if found is None:
        raise Http404
    try:
        file = export.read(found)
    except FileNotFoundError:
        raise Http404 from None
    return FileResponse(file, as_attachment=True, filename="heihei.zip", content_type="application/zip")
