"""What a job finds out about uploads that are in use, and what is done about it (D38)."""

import io
import os
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone
from PIL import Image

from heihei_site.uploads import claims, decoding, examination, metadata, signals, sweeping
from heihei_site.uploads.claims import Media
from heihei_site.uploads.models import Upload
from heihei_site.uploads.storages import Local, StorageDown
from tests import factories
from tests.uploads import samples
from tests.uploads.conftest import files

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def by_hand(monkeypatch):
    """The job runs when a test says so."""
    monkeypatch.setattr("heihei_site.jobs.hand_over", lambda *_: None)


@pytest.fixture
def heard():
    """What whoever uses uploads is told."""
    found = []

    def hear(sender, signal, **told):
        found.append(told)

    signals.examined.connect(hear)
    yield found
    signals.examined.disconnect(hear)


@pytest.fixture
def use(uploaded):
    """The address of an upload that is in use."""

    def used(content, format="jpg", media=Media.IMAGE, by="subject:1"):
        user = factories.person()
        found = claims.find(owner_id=user.pk, sign=uploaded(user, content, format), media=media)
        with transaction.atomic():
            claims.claim(found, used_by=by)
        return found

    return used


def get(found):
    answer = Client().get(urlsplit(found.url).path)
    return b"".join(answer.streaming_content) if answer.status_code == 200 else None


class TestSound:
    @pytest.mark.parametrize(
        ("format", "content"),
        [
            ("m4a", samples.m4a(3)),
            ("mp3", samples.mp3(3)),
            ("amr", samples.amr(3)),
            ("wav", samples.wav(3)),
            ("aac", samples.sound("adts", "aac", 3)),
            ("amr", samples.sound("3gp", "aac", 3)),  # as some phones name it
        ],
    )
    def test_its_length_is_measured_and_told(self, use, heard, format, content):
        found = use(content, format, Media.AUDIO)
        assert examination.examine_waiting() == 1
        upload = Upload.objects.get()
        assert (upload.accepted, upload.seconds) == (True, pytest.approx(3, abs=0.1))
        assert heard == [
            {
                "upload_id": found.upload_id,
                "used_by": "subject:1",
                "accepted": True,
                "seconds": upload.seconds,
                "url": found.url,
            }
        ]
        assert samples.packets(get(found)) == samples.packets(content)

    @pytest.mark.parametrize(
        ("format", "content"),
        [
            ("m4a", samples.talkative("ipod", "aac")),
            ("amr", samples.talkative("3gp", "aac")),
            ("mp3", samples.talkative("mp3", "libmp3lame")),
            ("mp3", samples.mp3() + b"TAG" + b"Xiaohei".ljust(125, b"\0")),
            ("wav", samples.talkative("wav", "pcm_s16le")),
        ],
    )
    def test_nobody_learns_where_or_by_whom_it_was_recorded(self, use, heard, format, content):
        assert any(word.encode() in content for word in samples.SAID.values())
        found = use(content, format, Media.AUDIO)
        examination.examine_waiting()
        heard_by_others = get(found)
        assert heard[0]["accepted"]
        assert not any(word.encode() in heard_by_others for word in samples.SAID.values())
        assert samples.packets(heard_by_others) == samples.packets(content)
        assert Upload.objects.get().size == len(heard_by_others)

    def test_nor_by_whom_a_video_was_taken(self, use, heard):
        content = samples.video(25, **samples.SAID)
        found = use(content, "mp4", Media.VIDEO)
        examination.examine_waiting()
        assert b"Xiaohei" in content and b"Xiaohei" not in get(found)
        assert samples.packets(get(found)) == samples.packets(content)

    @pytest.mark.parametrize("boxes", [b"\0\0\0\1moov", b"\xff\xff\xff\xffudta", b"\0\0\0\x08moov" * 20_000, b"\0\0\0"])
    def test_a_container_that_makes_no_sense_is_left_as_it_is(self, boxes):
        assert metadata.strip(io.BytesIO(b"\0\0\0\x08ftyp" + boxes)) is None

    def test_sound_whose_length_was_never_filled_in_stays_as_it_is(self):
        """As recorders leave it that died, or wrote to a pipe. Their sound begins with silence: eight zeros would be a
        chunk."""
        content = samples.wav()[:40] + bytes(4) + bytes(16_000)
        assert len(samples.packets(content)) > 0
        assert metadata.strip(io.BytesIO(content)) is None

    def test_what_a_header_claims_counts_for_nothing(self, use, heard):
        """A WAV of two seconds that says it is hours long."""
        content = bytearray(samples.wav(2))
        content[40:44] = (0x7FFFFFFF).to_bytes(4, "little")
        use(bytes(content), "wav", Media.AUDIO)
        examination.examine_waiting()
        assert heard[0]["seconds"] == pytest.approx(2, abs=0.1)

    @pytest.mark.parametrize(
        ("format", "content"),
        [
            ("m4a", samples.m4a()[:40] + os.urandom(5000)),
            ("m4a", samples.video()),
            ("mp3", b"ID3\x04\0\0\0\0\0\0" + bytes(5000)),
            ("wav", samples.wav()[:44]),
            ("amr", b"#!AMR\n"),
            ("aac", b"\xff\xf1" + os.urandom(3000)),
        ],
    )
    def test_what_nobody_can_hear_is_hidden(self, use, heard, disk, format, content):
        found = use(content, format, Media.AUDIO)
        assert get(found) is not None
        assert examination.examine_waiting() == 1
        assert [(told["accepted"], told["used_by"]) for told in heard] == [(False, "subject:1")]
        assert get(found) is None and files(disk) == []
        assert Upload.objects.get().accepted is False

    def test_what_lasts_too_long_is_hidden(self, use, heard, settings):
        settings.AUDIO_SECONDS = 2
        found = use(samples.amr(60), "amr", Media.AUDIO)
        examination.examine_waiting()
        assert heard[0]["accepted"] is False and get(found) is None

    def test_a_video_lasts_until_its_last_picture(self, use, heard):
        use(samples.video(25), "mp4", Media.VIDEO)
        examination.examine_waiting()
        assert (heard[0]["accepted"], heard[0]["seconds"]) == (True, pytest.approx(2.5, abs=0.11))

    def test_a_video_without_pictures_is_none(self, use, heard):
        use(samples.m4a(), "mp4", Media.VIDEO)
        examination.examine_waiting()
        assert heard[0]["accepted"] is False


class TestPictures:
    @pytest.mark.parametrize(("format", "written"), [("jpg", "JPEG"), ("jepg", "JPEG"), ("png", "PNG")])
    def test_they_are_written_anew_without_where_and_how_they_were_taken(self, use, heard, disk, format, written):
        content = samples.picture(written, (64, 48), exif=samples.exif())
        assert samples.exif_of(content)
        found = use(content, format)
        assert f"data/{found.path}" not in files(disk)
        assert examination.examine_waiting() == 1
        shown = get(found)
        assert not samples.exif_of(shown) and b"Xiaomi" not in shown
        with Image.open(io.BytesIO(shown)) as opened:
            assert (opened.format, opened.size) == (written, (48, 64))  # as it was held
        assert files(disk) == [f"data/{found.path}"]
        assert (heard[0]["accepted"], heard[0]["seconds"]) == (True, None)

    def test_what_hangs_on_to_a_picture_is_gone(self, use):
        found = use(samples.picture() + b"PK\x03\x04 and an archive")
        examination.examine_waiting()
        assert b"archive" not in get(found)

    def test_what_is_transparent_stays_transparent(self, use):
        out = io.BytesIO()
        Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(out, "PNG")
        found = use(out.getvalue(), "png")
        examination.examine_waiting()
        with Image.open(io.BytesIO(get(found))) as opened:
            assert opened.getpixel((0, 0)) == (0, 0, 0, 0)

    def test_a_huge_one_becomes_smaller(self, use, settings):
        found = use(samples.picture("JPEG", (4000, 1000)))
        examination.examine_waiting()
        with Image.open(io.BytesIO(get(found))) as opened:
            assert opened.size == (2560, 640)

    @pytest.mark.parametrize(
        ("format", "content"),
        [
            ("jpg", b"\xff\xd8\xff\xe0" + os.urandom(2000)),
            ("jpg", samples.picture("JPEG", (500, 500))[:1000]),
            ("png", samples.picture("PNG", (500, 500))[:60]),
            ("jpg", samples.picture("JPEG", (9000, 9000), quality=1)),
        ],
    )
    def test_what_shows_nothing_or_too_much_is_nobodys_picture(self, use, heard, disk, format, content):
        found = use(content, format)
        assert examination.examine_waiting() == 1
        assert heard[0]["accepted"] is False
        assert get(found) is None and files(disk) == []

    def test_whoever_is_told_its_address_may_come_before_it_is_written(self, use, monkeypatch):
        """The address waits for the job."""
        found = use(samples.picture())
        monkeypatch.setattr("heihei_site.uploads.serving.time.sleep", lambda _: examination.examine_waiting())
        assert get(found) is not None

    def test_it_waits_a_moment_and_no_longer(self, use, monkeypatch):
        monkeypatch.setattr("heihei_site.uploads.serving.PATIENCE", 0.2)
        found = use(samples.picture())
        answer = Client().get(urlsplit(found.url).path)
        assert (answer.status_code, answer["Cache-Control"]) == (404, "no-store")


class TestBounds:
    """A process of its own decodes, and that may die."""

    def test_what_wants_too_much_memory_is_refused(self, use, heard, settings, monkeypatch):
        settings.PICTURE_PIXELS = 10**9
        settings.DECODING_MEMORY = 200 * 1024 * 1024
        use(samples.bomb(10_000, 8_000), "png")
        examination.examine_waiting()
        assert heard[0]["accepted"] is False

    def test_what_takes_too_long_is_refused(self, use, heard, settings):
        settings.DECODING_SECONDS = 0.01
        use(samples.m4a(), "m4a", Media.AUDIO)
        examination.examine_waiting()
        assert heard[0]["accepted"] is False

    def test_it_has_none_of_our_secrets(self, monkeypatch, tmp_path):
        monkeypatch.setenv("SECRET_KEY", "ours")
        spy = tmp_path / "spy.py"
        spy.write_text("import os, sys\nprint(sorted(os.environ))")
        monkeypatch.setattr(decoding, "DECODER", spy)
        said = decoding.run("x", file=io.BytesIO(b""), patience=5)
        assert b"SECRET" not in said and b"DATABASE" not in said and b"DECODER_MEMORY" in said


class TestTwice:
    def test_one_job_at_a_time_has_it_in_hand(self, use, heard):
        use(samples.m4a(), "m4a", Media.AUDIO)
        Upload.objects.update(working_until=timezone.now() + timedelta(minutes=1))
        assert examination.examine_waiting() == 0 and heard == []
        Upload.objects.update(working_until=timezone.now() - timedelta(seconds=1))
        assert examination.examine_waiting() == 1
        assert examination.examine_waiting() == 0
        assert len(heard) == 1

    def test_what_nobody_heard_is_told_again_with_the_same_verdict(self, use, heard):
        def deaf(**_):
            raise RuntimeError("not now")

        signals.examined.connect(deaf)
        try:
            use(samples.picture())
            assert examination.examine_waiting() == 0
        finally:
            signals.examined.disconnect(deaf)
        assert Upload.objects.get().told_at is None
        Upload.objects.update(working_until=None)
        assert examination.examine_waiting() == 1
        assert {told["accepted"] for told in heard} == {True}

    def test_a_job_that_died_after_writing_the_picture_is_no_loss(self, use, heard):
        found = use(samples.picture())
        examination.examine_waiting()
        Upload.objects.update(told_at=None, accepted=None, working_until=None)
        assert examination.examine_waiting() == 1
        assert [told["accepted"] for told in heard] == [True, True] and get(found) is not None

    def test_whoever_is_erased_meanwhile_leaves_nothing(self, use, heard, disk, monkeypatch):
        use(samples.picture())
        put = Local.put

        def put_and_erase(storage, key, file, content_type):
            sweeping.erase(Upload.objects.get().user_id)
            put(storage, key, file, content_type)

        monkeypatch.setattr(Local, "put", put_and_erase)
        assert examination.examine_waiting() == 0
        assert files(disk) == [] and heard == [] and not Upload.objects.exists()

    def test_a_storage_that_is_down_refuses_nobodys_file(self, use, heard, monkeypatch):
        use(samples.m4a(), "m4a", Media.AUDIO)

        def down(*_):
            raise StorageDown("gone")

        with monkeypatch.context() as patch:
            patch.setattr(Local, "read", down)
            assert examination.examine_waiting() == 0
        assert Upload.objects.get().accepted is None and heard == []
        Upload.objects.update(working_until=None)
        assert examination.examine_waiting() == 1
        assert heard[0]["accepted"] is True

    def test_what_is_not_in_use_is_nobodys_business(self, uploaded, heard):
        user = factories.person()
        claims.find(owner_id=user.pk, sign=uploaded(user, samples.m4a(), "m4a"), media=Media.AUDIO)
        assert examination.examine_waiting() == 0 and heard == []
