"""Using what was uploaded: found by its owner, claimed once (D38)."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import transaction
from django.utils import timezone

from heihei_site.api.errors import FileRefused
from heihei_site.uploads import claims, signs
from heihei_site.uploads.claims import Media
from heihei_site.uploads.models import Upload
from tests import factories
from tests.races.crowd import at_once
from tests.uploads import samples
from tests.uploads.conftest import files

pytestmark = pytest.mark.django_db

KINDS = [
    ("jpg", Media.IMAGE, "image/jpeg", samples.picture()),
    ("jepg", Media.IMAGE, "image/jpeg", samples.picture()),
    ("png", Media.IMAGE, "image/png", samples.picture("PNG")),
    ("m4a", Media.AUDIO, "audio/mp4", samples.m4a()),
    ("mp3", Media.AUDIO, "audio/mpeg", samples.mp3()),
    ("amr", Media.AUDIO, "audio/amr", samples.amr()),
    ("wav", Media.AUDIO, "audio/wav", samples.wav()),
    ("aac", Media.AUDIO, "audio/aac", samples.sound("adts", "aac")),
    ("aac", Media.AUDIO, "audio/aac", samples.m4a()),
    ("mp4", Media.VIDEO, "video/mp4", samples.video()),
]


def find(user, sign, media=Media.AUDIO):
    return claims.find(owner_id=user.pk, sign=sign, media=media)


def claim(found, use="test:1"):
    with transaction.atomic():
        claims.claim(found, used_by=use)


@pytest.mark.parametrize(("format", "media", "content_type", "content"), KINDS)
def test_every_kind_is_found_with_what_it_is(uploaded, format, media, content_type, content):
    user = factories.person()
    found = find(user, uploaded(user, content, format), media)
    upload = Upload.objects.get()
    assert (found.upload_id, found.path) == (upload.pk, f"message/{upload.name}")
    assert found.url == f"http://127.0.0.1:8000/data/message/{upload.name}"
    assert (found.media, found.size, found.content_type) == (media, len(content), content_type)


class TestRefusing:
    """102, and nobody has used it."""

    @pytest.fixture
    def user(self):
        return factories.person()

    def refuses(self, user, sign, media=Media.AUDIO):
        with pytest.raises(FileRefused):
            find(user, sign, media)
        assert not Upload.objects.exclude(used_by="").exists()
        assert not Upload.objects.exclude(version="").exists()

    def test_anothers_sign(self, uploaded, user):
        self.refuses(factories.person(), uploaded(user, samples.m4a(), "m4a"))

    @pytest.mark.parametrize("sign", ["", "0" * 32, "x" * 1024, "\x00" * 32, "ａ" * 32, "0" * 31])
    def test_a_sign_nobody_was_given(self, uploaded, user, sign):
        uploaded(user, samples.m4a(), "m4a")
        self.refuses(user, sign)

    def test_what_was_granted_and_never_uploaded(self, ask, user):
        self.refuses(user, ask(user, "m4a")["sign"])

    @pytest.mark.parametrize("media", [Media.IMAGE, Media.VIDEO])
    def test_another_kind_than_the_deed_wants(self, uploaded, user, media):
        self.refuses(user, uploaded(user, samples.m4a(), "m4a"), media)

    def test_after_its_hour(self, uploaded, user):
        uploaded(user, samples.m4a(), "m4a")
        upload = Upload.objects.get()
        past = timezone.now().replace(microsecond=0)
        sign = signs.sign(user_id=user.pk, path=upload.key, expires_at=past)
        Upload.objects.update(expires_at=past, sign=sign)
        self.refuses(user, sign)

    def test_a_row_that_says_what_was_never_signed(self, uploaded, user):
        sign = uploaded(user, samples.m4a(), "m4a")
        other = factories.person()
        Upload.objects.update(user=other)
        self.refuses(other, sign)

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"<script>",
            samples.wav(),
            samples.m4a()[:32] + b"<script>alert(1)</script>" + samples.m4a()[32:],
        ],
    )
    def test_what_is_something_else_however_it_came_there(self, uploaded, user, disk, content):
        """A bucket takes whatever a phone puts there."""
        sign = uploaded(user, samples.m4a(), "m4a")
        (disk / Upload.objects.get().key).write_bytes(content)
        self.refuses(user, sign)
        assert not [file for file in files(disk) if file.startswith("data/")]

    def test_what_is_larger_than_20_mb(self, uploaded, user, settings):
        sign = uploaded(user, samples.m4a(), "m4a")
        settings.UPLOAD_BYTES = len(samples.m4a()) - 1
        self.refuses(user, sign)

    def test_a_picture_that_wants_gigabytes(self, uploaded, user):
        bomb = samples.bomb(20_000, 3_000)
        assert len(bomb) < 300_000
        self.refuses(user, uploaded(user, bomb, "png"), Media.IMAGE)


class TestClaiming:
    def test_it_is_used_once(self, uploaded):
        user = factories.person()
        found = find(user, uploaded(user, samples.m4a(), "m4a"))
        claim(found, "subject:1")
        with pytest.raises(FileRefused):
            claim(found, "subject:2")
        assert Upload.objects.get().used_by == "subject:1"

    def test_a_retry_of_the_same_deed_finds_and_claims_it_again(self, uploaded):
        """Also after its hour, and though the sound was examined meanwhile."""
        user = factories.person()
        sign = uploaded(user, samples.m4a(), "m4a")
        found = find(user, sign)
        claim(found)
        first = Upload.objects.get().claimed_at
        assert find(user, sign) == found
        claim(find(user, sign))
        assert Upload.objects.get().claimed_at == first

    def test_a_deed_that_fails_leaves_it_for_the_next(self, uploaded):
        user = factories.person()
        sign = uploaded(user, samples.m4a(), "m4a")
        found = find(user, sign)
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            claims.claim(found, used_by="subject:1")
            raise ZeroDivisionError
        claim(find(user, sign), "subject:2")
        assert Upload.objects.get().used_by == "subject:2"

    def test_what_is_being_swept_is_claimed_no_more(self, uploaded):
        user = factories.person()
        sign = uploaded(user, samples.m4a(), "m4a")
        found = find(user, sign)
        Upload.objects.update(swept_at=timezone.now())
        with pytest.raises(FileRefused):
            claim(found)
        with pytest.raises(FileRefused):
            find(user, sign)

    def test_it_belongs_into_a_transaction(self, uploaded, transactional_db):
        user = factories.person()
        found = find(user, uploaded(user, samples.m4a(), "m4a"))
        with pytest.raises(AssertionError):
            claims.claim(found, used_by="test:1")
        assert Upload.objects.get().used_by == ""

    def test_what_was_exchanged_after_it_was_found_stays_what_was_found(self, uploaded, disk):
        user, content = factories.person(), samples.m4a()
        sign = uploaded(user, content, "m4a")
        found = find(user, sign)
        (disk / found.path).write_bytes(samples.m4a(3))
        assert find(user, sign) == found
        claim(found)
        assert (disk / "data" / found.path).read_bytes() == content


@pytest.mark.django_db(transaction=True)
def test_of_twenty_deeds_at_once_one_has_it(uploaded, monkeypatch):
    monkeypatch.setattr("heihei_site.jobs.hand_over", lambda *_: None)
    user = factories.person()
    sign = uploaded(user, samples.m4a(), "m4a")

    def use(number):
        try:
            claim(find(user, sign), f"subject:{number}")
        except FileRefused:
            return None
        return number

    won = [number for number in at_once([partial(use, number) for number in range(20)]) if number is not None]
    assert len(won) == 1
    assert Upload.objects.get().used_by == f"subject:{won[0]}"


def test_the_hour_is_an_hour(ask):
    ask(factories.person(), "m4a")
    left = Upload.objects.get().expires_at - timezone.now()
    assert timedelta(minutes=59, seconds=50) < left <= timedelta(hours=1)
