"""`sys/oss-token` and `PUT uploadUrl`: who may write what, where and how much (D38)."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from heihei_site.uploads import claims, signs
from heihei_site.uploads.claims import Media
from heihei_site.uploads.models import Upload
from tests import factories
from tests.answers import ok, refused
from tests.uploads import samples
from tests.uploads.conftest import files

pytestmark = pytest.mark.django_db

PLACES = {
    "record": ["mp3", "m4a", "aac", "amr", "wav"],
    "message": ["mp3", "m4a", "aac", "amr", "wav", "png", "jpg", "jpeg", "jepg", "mp4"],
    "avatar": ["png", "jpg", "jpeg", "jepg"],
    "avator": ["png", "jpg", "jpeg", "jepg"],
}


@pytest.mark.parametrize(("module", "format"), [(module, format) for module in PLACES for format in PLACES[module]])
def test_every_documented_module_and_format_has_an_answer_in_the_documented_shape(api, module, format):
    user = factories.person()
    answer = ok(api(user).post("sys/oss-token", module=module, format=format))
    file, keys = answer["FileInfo"], answer["Credentials"]
    kept = "avatar" if module == "avator" else module
    assert re.fullmatch(rf"\d{{10}}_{user.pk}_[0-9A-Za-z]{{22}}\.{format}", file["fileName"])
    assert file["path"] == f"local/{kept}/{file['fileName']}"
    assert re.fullmatch(r"[0-9a-f]{32}", file["sign"])
    assert file["uploadUrl"] == f"http://testserver/uploads/{kept}/{file['fileName']}?sign={file['sign']}"
    assert set(keys) == {"AccessKeyId", "AccessKeySecret", "SecurityToken", "Expiration"}
    until = datetime.strptime(keys["Expiration"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC) - timezone.now()
    assert timedelta(minutes=59) < until <= timedelta(hours=1)


@pytest.mark.parametrize(
    ("module", "format", "code", "text"),
    [
        ("record", "png", 400, "业务失败"),
        ("record", "mp4", 400, "业务失败"),
        ("avatar", "m4a", 400, "业务失败"),
        ("record", "svg", 700, "参数错误"),
        ("record", "text", 700, "参数错误"),
        ("record", "../m4a", 700, "参数错误"),
        ("data", "m4a", 700, "参数错误"),
        ("", "m4a", 700, "参数错误"),
        ("record", "", 700, "参数错误"),
    ],
)
def test_what_has_no_place_is_granted_nothing(api, module, format, code, text):
    refused(api(factories.person()).post("sys/oss-token", module=module, format=format), code, text)
    assert not Upload.objects.exists()


def test_who_is_nobody_is_granted_nothing(api):
    refused(api().post("sys/oss-token", module="record", format="m4a"), 720, "token无效")


def test_a_hundred_unused_ones_are_enough(api, ask, settings):
    settings.UPLOADS_OPEN = 3
    user, other = factories.person(), factories.person()
    for _ in range(3):
        ask(user)
    refused(api(user).post("sys/oss-token", module="message", format="jpg"), 429, "操作太频繁")
    assert Upload.objects.filter(user=user).count() == 3
    ask(other)
    Upload.objects.filter(user=user).update(used_by="x:1")
    ask(user)


class TestPutting:
    def test_the_bytes_are_stored_as_they_are(self, ask, put, disk):
        content, user = samples.m4a(), factories.person()
        file = ask(user, "m4a", "record")
        assert put(file["uploadUrl"], content) == 200
        assert files(disk) == [f"record/{file['fileName']}"]
        assert (disk / "record" / file["fileName"]).read_bytes() == content

    def test_again_is_the_same_and_another_takes_its_place(self, ask, put, disk):
        file, other = ask(factories.person(), "m4a"), samples.m4a(1)
        for content in (samples.m4a(), samples.m4a(), other):
            assert put(file["uploadUrl"], content) == 200
        assert (disk / "message" / file["fileName"]).read_bytes() == other

    @pytest.mark.parametrize(
        ("format", "content"),
        [
            ("png", samples.picture()),  # a JPEG
            ("jpg", samples.picture("PNG")),
            ("jpg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
            ("png", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
            ("jpg", b"<!DOCTYPE html><script>alert(1)</script>"),
            ("m4a", samples.wav()),
            ("mp3", samples.m4a()),
            ("wav", b"#EXTM3U\nhttp://10.0.0.1/secret"),
            ("mp4", b"\x7fELF" + bytes(100)),
            ("jpg", b"PK\x03\x04" + bytes(100)),
            ("jpg", samples.picture()[:20] + b"<script>alert(1)</script>"),  # a polyglot
            ("mp3", b"ID3\x04\0\0\0\0\x0f\x00<HTML><body onload=alert(1)>" + samples.mp3()),
            ("jpg", samples.picture(comment=b"<?php system($_GET[0]); ?>")),
            ("amr", b"#!AMR"),
        ],
    )
    def test_what_is_not_what_it_says_is_not_stored(self, ask, put, disk, format, content):
        assert put(ask(factories.person(), format)["uploadUrl"], content) == 415
        assert files(disk) == []

    def test_nothing_at_all_is_nothing(self, ask, put, disk):
        assert put(ask(factories.person())["uploadUrl"], b"") == 400
        assert files(disk) == []

    def test_one_byte_more_than_20_mb_is_too_much(self, ask, put, disk, settings):
        settings.UPLOAD_BYTES = len(samples.picture())
        user = factories.person()
        assert put(ask(user)["uploadUrl"], samples.picture() + b"x") == 413
        assert files(disk) == []
        assert put(ask(user)["uploadUrl"], samples.picture()) == 200

    @pytest.mark.parametrize(
        "wrong",
        [
            lambda path, sign, other: (path, "0" * 32),
            lambda path, sign, other: (path, ""),
            lambda path, sign, other: (path, other),
            lambda path, sign, other: (path, sign[:-1]),
            lambda path, sign, other: (path, f"{sign}\0"),
            lambda path, sign, other: (f"{path}.jpg", sign),
            lambda path, sign, other: (path.replace("message", "avatar"), sign),
            lambda path, sign, other: (path.replace("message/", "message/..%2F"), sign),
            lambda path, sign, other: (path.replace("message/", "..%2F..%2F"), sign),
            lambda path, sign, other: ("/uploads/message/../../../../etc/passwd", sign),
            lambda path, sign, other: ("/uploads/message/%2e%2e%2f%2e%2e%2fpasswd", sign),
            lambda path, sign, other: ("/data" + path.removeprefix("/uploads"), sign),
        ],
    )
    def test_nobody_writes_anything_but_what_they_were_granted(self, ask, disk, wrong):
        file, other = ask(factories.person()), ask(factories.person())
        path, sign = wrong(urlsplit(file["uploadUrl"]).path, file["sign"], other["sign"])
        answer = Client().put(f"{path}?sign={sign}", samples.picture())
        assert answer.status_code in (403, 404, 405)
        assert files(disk) == []

    def test_after_its_hour_nothing_is_stored(self, ask, put, disk):
        file = ask(factories.person())
        upload = Upload.objects.get()
        past = timezone.now().replace(microsecond=0) - timedelta(seconds=1)
        sign = signs.sign(user_id=upload.user_id, path=upload.key, expires_at=past)
        Upload.objects.update(expires_at=past, sign=sign)
        assert put(file["uploadUrl"].replace(file["sign"], sign), samples.picture()) == 403
        assert files(disk) == []

    def test_a_later_end_in_the_row_is_not_what_was_signed(self, ask, put, disk):
        """Whoever can change rows cannot make a sign live longer."""
        file = ask(factories.person())
        Upload.objects.update(expires_at=timezone.now() + timedelta(days=30))
        assert put(file["uploadUrl"], samples.picture()) == 403

    def test_once_it_is_in_use_it_stays_what_it_is(self, uploaded, put, disk):
        user, content = factories.person(), samples.m4a()
        sign = uploaded(user, content, "m4a")
        found = claims.find(owner_id=user.pk, sign=sign, media=Media.AUDIO)
        with transaction.atomic():
            claims.claim(found, used_by="test:1")
        assert put(f"http://testserver/uploads/{found.path}?sign={sign}", samples.m4a(3)) == 409
        assert (disk / "data" / found.path).read_bytes() == content

    @pytest.mark.parametrize("method", ["get", "post", "delete", "patch", "head", "options"])
    def test_there_is_nothing_else_to_do_there(self, ask, method):
        address = urlsplit(ask(factories.person())["uploadUrl"])
        assert getattr(Client(), method)(f"{address.path}?{address.query}").status_code == 405

    def test_with_a_bucket_it_is_not_there(self, ask, put, disk, settings):
        file = ask(factories.person())
        s3 = "heihei_site.providers.credentials.s3.S3Credentials"
        settings.PROVIDERS = {**settings.PROVIDERS, "credentials": s3}
        assert put(file["uploadUrl"], samples.picture()) == 403
        assert files(disk) == []


class TestServing:
    @pytest.fixture
    def sound(self, uploaded):
        user, content = factories.person(), samples.m4a()
        found = claims.find(owner_id=user.pk, sign=uploaded(user, content, "m4a"), media=Media.AUDIO)
        return urlsplit(found.url).path, content

    def test_as_what_it_is_and_for_nothing_else(self, sound):
        path, content = sound
        answer = Client().get(path)
        assert b"".join(answer.streaming_content) == content
        assert answer["Content-Type"] == "audio/mp4"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer["Content-Security-Policy"]
        assert "max-age" in answer["Cache-Control"]

    def test_a_player_jumps(self, sound):
        path, content = sound
        for said, first, last in [
            ("bytes=0-9", 0, 9),
            ("bytes=100-", 100, len(content) - 1),
            ("bytes=-10", len(content) - 10, len(content) - 1),
        ]:
            answer = Client().get(path, headers={"range": said})
            assert answer.status_code == 206
            assert answer["Content-Range"] == f"bytes {first}-{last}/{len(content)}"
            assert b"".join(answer.streaming_content) == content[first : last + 1]
        assert Client().get(path, headers={"range": f"bytes={len(content)}-"}).status_code == 416
        for nonsense in ("bytes=9-1", "bytes=0-1,5-9", "bytes=-", "bytes=a-b", "lines=1-2", "bytes=" + "9" * 400):
            assert Client().get(path, headers={"range": nonsense}).status_code in (200, 416)

    def test_a_player_asks_first_how_long_it_is(self, sound):
        path, content = sound
        answer = Client().head(path)
        assert (answer.status_code, answer["Content-Length"]) == (200, str(len(content)))
        assert b"".join(answer.streaming_content) == b""

    def test_what_has_not_changed_is_not_sent_again(self, sound):
        path, _ = sound
        etag = Client().get(path)["ETag"]
        assert Client().get(path, headers={"if-none-match": etag}).status_code == 304

    @pytest.mark.parametrize(
        "path",
        [
            "/data/message/../../../etc/passwd",
            "/data/message/..%2f..%2fsettings.py",
            "/data/..%2fmessage/x.m4a",
            "/data/message/x.svg",
            "/data/message/x.html",
            "/data/message/.m4a",
            "/data/message/x.m4a%00",
            "/data/nothing/x.m4a",
            "/data/message/x.m4a",
        ],
    )
    def test_there_is_nothing_else(self, disk, path):
        (disk / "message").mkdir()
        (disk / "message" / "x.m4a").write_bytes(b"private")
        assert Client().get(path).status_code == 404

    def test_what_a_phone_wrote_is_not_served_before_it_is_used(self, ask, put):
        file = ask(factories.person(), "m4a")
        assert put(file["uploadUrl"], samples.m4a()) == 200
        assert Client().get(f"/data/message/{file['fileName']}").status_code == 404
