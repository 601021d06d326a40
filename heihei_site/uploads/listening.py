"""Voices as operators hear them in the console: no browser plays what older phones record (AMR), they get it as WAV."""

import tempfile

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from heihei_site.uploads import decoding
from heihei_site.uploads.kinds import HEAD_BYTES, container_of
from heihei_site.uploads.models import PUBLIC, Upload
from heihei_site.uploads.serving import NAME
from heihei_site.uploads.storages import uploads

FOREIGN = "amr"  # to browsers
AN_HOUR = 3600


def heard_at(address: str) -> str:
    """Where a browser hears what is at this address, which is the same for everything but our own AMR."""
    ours = f"{settings.UPLOADS_URL}/{PUBLIC}/"
    module, _, name = address.removeprefix(ours).rpartition("/")
    if address.startswith(ours) and name.endswith(f".{FOREIGN}") and module in Upload.Module.values:
        return reverse("console_sound", args=(module, name))
    return address


def player(address: str) -> SafeString:
    """HTML; it asks for the file when somebody presses the button."""
    if not address:
        return SafeString("—")
    return format_html('<audio controls preload="none" src="{}"></audio>', heard_at(address))


@require_safe
def hear(request: HttpRequest, module: str, name: str) -> FileResponse:
    """WAV, 16 bit, mono. Behind `admin_view`: staff alone. 404 for what is gone or is no sound."""
    found = NAME.fullmatch(name)
    if found is None or found[1] != FOREIGN or module not in Upload.Module.values:
        raise Http404
    file = uploads().read(f"{PUBLIC}/{module}/{name}", "")
    if file is None:
        raise Http404
    with file:
        container = container_of(file.read(HEAD_BYTES))
        file.seek(0)
        sound = tempfile.TemporaryFile()  # noqa: SIM115  (the answer closes it)
        try:
            most = str(settings.AUDIO_SECONDS)
            decoding.run("hear", str(container), most, file=file, patience=settings.DECODING_SECONDS, result=sound)
        except decoding.Undecodable:
            sound.close()
            raise Http404 from None
    sound.seek(0)
    return FileResponse(sound, content_type="audio/wav", headers={"Cache-Control": f"private, max-age={AN_HOUR}"})
