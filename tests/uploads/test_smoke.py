import pytest
from django.db import transaction
from django.test import Client

from heihei_site.uploads import claims
from heihei_site.uploads.claims import Media
from heihei_site.uploads.models import Upload
from tests import factories
from tests.uploads import samples
from tests.uploads.conftest import files

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("format", "media", "content"),
    [
        ("jpg", Media.IMAGE, samples.picture()),
        ("png", Media.IMAGE, samples.picture("PNG")),
        ("m4a", Media.AUDIO, samples.m4a()),
        ("mp3", Media.AUDIO, samples.mp3()),
        ("amr", Media.AUDIO, samples.amr()),
        ("wav", Media.AUDIO, samples.wav()),
        ("aac", Media.AUDIO, samples.sound("adts", "aac")),
        ("mp4", Media.VIDEO, samples.video()),
    ],
)
def test_all(uploaded, disk, format, media, content):
    user = factories.person()
    sign = uploaded(user, content, format)
    found = claims.find(owner_id=user.pk, sign=sign, media=media)
    with transaction.atomic():
        claims.claim(found, used_by="x:1")
    upload = Upload.objects.get()
    assert upload.accepted
    r = Client().get(found.url.replace("http://127.0.0.1:8000", ""))
    assert r.status_code == 200
