"""Uploads in a bucket, against moto's S3 server. That proves how objects come, are looked at, copied and removed; it
proves nothing about rights, since moto lets anybody do anything: what a phone may do is in the policy that the
vendors' services are asked for (tests/providers/test_credentials.py)."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import boto3
import httpx
import pytest
from django.db import transaction
from moto.server import ThreadedMotoServer

from heihei_site.api.errors import FileRefused
from heihei_site.providers import registry
from heihei_site.providers.credentials.base import Credentials
from heihei_site.uploads import claims, examination, sweeping
from heihei_site.uploads.claims import Media
from heihei_site.uploads.models import Upload
from heihei_site.uploads.s3 import Bucket
from heihei_site.uploads.storages import StorageDown, uploads
from tests import factories
from tests.answers import ok, refused
from tests.uploads import samples

pytestmark = pytest.mark.django_db
NAME = "heihei-uploads"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moto = ThreadedMotoServer("127.0.0.1", 0)
    moto.start()
    host, port = moto.get_host_and_port()
    address = f"http://{host}:{port}"
    client(address).create_bucket(Bucket=NAME)
    everybody = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{NAME}/data/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [everybody]})  # as docs/operations.md has it
    client(address).put_bucket_policy(Bucket=NAME, Policy=policy)
    yield address
    moto.stop()


@pytest.fixture
def bucket(server: str, settings: Any, monkeypatch: Any) -> Any:
    """The bucket as a phone reaches it."""
    options = {"bucket_name": NAME, "endpoint_url": server, "region_name": "us-east-1", "access_key": "k"}
    backend = {"BACKEND": "heihei_site.uploads.s3.Bucket", "OPTIONS": options | {"secret_key": "s"}}
    settings.STORAGES = {**settings.STORAGES, "uploads": backend}
    settings.UPLOADS_URL = f"{server}/{NAME}"
    settings.UPLOAD_BUCKET = NAME
    settings.PROVIDERS = {
        **settings.PROVIDERS,
        "credentials": "heihei_site.providers.credentials.s3.S3Credentials",
    }
    settings.STS_ENDPOINT, settings.UPLOAD_ACCESS_KEY_ID, settings.UPLOAD_ACCESS_KEY_SECRET = server, "k", "s"
    settings.UPLOAD_ROLE = "arn:aws:iam::123456789012:role/upload"
    return client(server)


def client(address: str) -> Any:
    keys = {"aws_access_key_id": "k", "aws_secret_access_key": "s", "region_name": "us-east-1"}
    return boto3.client("s3", endpoint_url=address, **keys)


def keys_in(bucket: Any) -> list[str]:
    return [found["Key"] for found in bucket.list_objects_v2(Bucket=NAME).get("Contents", [])]


@pytest.fixture
def upload(api: Any, bucket: Any) -> Any:
    def uploaded(user: Any, content: bytes, format: str, module: str = "message") -> str:
        file = ok(api(user).post("sys/oss-token", format=format, module=module))["FileInfo"]
        name, _, key = file["path"].partition("/")
        bucket.put_object(Bucket=name, Key=key, Body=content, ContentType="text/html")
        return str(file["sign"])

    return uploaded


def use(user: Any, sign: str, media: Media) -> claims.Found:
    found = claims.find(owner_id=user.pk, sign=sign, media=media)
    with transaction.atomic():
        claims.claim(found, used_by="test:1")
    assert examination.examine_waiting() == 1
    return found


def test_a_phone_is_given_credentials_and_a_path_in_the_bucket_and_no_address_of_ours(api, bucket):
    answer = ok(api(factories.person()).post("sys/oss-token", format="m4a", module="record"))
    assert answer["FileInfo"]["path"] == f"{NAME}/record/{answer['FileInfo']['fileName']}"
    assert set(answer["FileInfo"]) == {"fileName", "path", "sign"}
    assert set(answer["Credentials"]) == {"AccessKeyId", "AccessKeySecret", "SecurityToken", "Expiration"}
    assert all(answer["Credentials"].values())


def test_sound_is_heard_at_its_public_address_as_what_it_is(upload, bucket):
    """Whatever the phone has said it is."""
    user, content = factories.person(), samples.m4a()
    found = use(user, upload(user, content, "m4a"), Media.AUDIO)
    answer = httpx.get(found.url)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/mp4")
    assert samples.packets(answer.content) == samples.packets(content)
    upload_row = Upload.objects.get()
    assert (upload_row.accepted, upload_row.seconds) == (True, pytest.approx(2, abs=0.1))
    assert keys_in(bucket) == [f"data/{found.path}"]


def test_a_picture_is_published_when_it_is_written_anew(upload, bucket):
    user = factories.person()
    found = use(user, upload(user, samples.picture(exif=samples.exif()), "jpg"), Media.IMAGE)
    answer = httpx.get(found.url)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert not samples.exif_of(answer.content)
    assert f"data/{found.path}" in keys_in(bucket) and found.path not in keys_in(bucket)


def test_what_was_never_put_there_is_refused(api, bucket):
    user = factories.person()
    sign = ok(api(user).post("sys/oss-token", format="m4a", module="record"))["FileInfo"]["sign"]
    with pytest.raises(FileRefused):
        claims.find(owner_id=user.pk, sign=sign, media=Media.AUDIO)


@pytest.mark.parametrize("content", [b"", b"<svg/>", samples.wav()])
def test_what_is_something_else_is_refused_and_swept(upload, bucket, content):
    user = factories.person()
    before = keys_in(bucket)
    sign = upload(user, content, "m4a")
    with pytest.raises(FileRefused):
        claims.find(owner_id=user.pk, sign=sign, media=Media.AUDIO)
    Upload.objects.update(expires_at="2020-01-01T00:00Z")
    assert sweeping.sweep() == 1
    assert keys_in(bucket) == before and not Upload.objects.exists()


def test_what_is_written_after_it_was_found_is_never_heard(upload, bucket):
    """The phone's credentials are good for an hour, whatever its upload is used for meanwhile."""
    user, content = factories.person(), samples.m4a()
    sign = upload(user, content, "m4a")
    found = claims.find(owner_id=user.pk, sign=sign, media=Media.AUDIO)
    bucket.put_object(Bucket=NAME, Key=found.path, Body=samples.m4a(3))
    again = claims.find(owner_id=user.pk, sign=sign, media=Media.AUDIO)
    assert again == found
    with transaction.atomic():
        claims.claim(again, used_by="test:1")
    examination.examine_waiting()
    assert samples.packets(httpx.get(found.url).content) == samples.packets(content)
    assert Upload.objects.get().seconds == pytest.approx(2, abs=0.1)


def test_a_picture_that_was_exchanged_before_the_examination_is_refused(upload, bucket):
    user = factories.person()
    sign = upload(user, samples.picture(), "jpg")
    found = claims.find(owner_id=user.pk, sign=sign, media=Media.IMAGE)
    bucket.put_object(Bucket=NAME, Key=found.path, Body=samples.picture(size=(10, 10)))
    with transaction.atomic():
        claims.claim(found, used_by="test:1")
    examination.examine_waiting()
    assert Upload.objects.get().accepted is False
    assert httpx.get(found.url).status_code == 404


def test_a_copy_is_of_the_version_that_was_looked_at_or_not_made(bucket):
    storage = uploads()
    storage.put("message/a.m4a", io.BytesIO(b"first"), "audio/mp4")
    version = storage.look("message/a.m4a").version
    storage.put("message/a.m4a", io.BytesIO(b"second"), "audio/mp4")
    assert not storage.publish("message/a.m4a", version, "data/message/a.m4a", "audio/mp4")
    assert storage.read("data/message/a.m4a", "") is None
    assert storage.read("message/a.m4a", version) is None
    storage.remove("message/a.m4a")
    storage.remove("message/a.m4a")


def test_a_bucket_that_does_not_answer_refuses_within_the_phones_patience(api, upload, settings, bucket):
    user = factories.person()
    sign = upload(user, samples.m4a(), "m4a")
    options = {**settings.STORAGES["uploads"]["OPTIONS"], "endpoint_url": "http://127.0.0.1:9"}
    settings.STORAGES = {
        **settings.STORAGES,
        "uploads": {"BACKEND": "heihei_site.uploads.s3.Bucket", "OPTIONS": options},
    }
    with pytest.raises(FileRefused):
        claims.find(owner_id=user.pk, sign=sign, media=Media.AUDIO)
    with pytest.raises(StorageDown):
        uploads().look("message/x")
    assert Upload.objects.get().version == ""


def test_a_vendor_that_gives_nothing_is_a_failed_deed(api, bucket, monkeypatch):
    def nothing(*_: Any, **__: Any) -> Credentials:
        from heihei_site.providers.credentials.base import NotGranted

        raise NotGranted("AccessDenied")

    monkeypatch.setattr(registry.credentials(), "for_key", nothing)
    refused(api(factories.person()).post("sys/oss-token", format="m4a", module="record"), 400, "业务失败")
    assert not Upload.objects.exists()


def test_aliyun_is_asked_as_aliyun_understands():
    """Neither chunked bodies nor the bucket in the path."""
    storage = Bucket(bucket_name="heihei", region_name="r", access_key="k", secret_key="s", addressing_style="virtual",
                     signature_version="s3", endpoint_url="https://s3.oss-cn-beijing.aliyuncs.com")  # fmt: skip
    sent: list[Any] = []

    def note(request: Any, **_: Any) -> None:
        sent.append(request)
        raise OSError("far enough")

    storage.connection.meta.client.meta.events.register("before-send.s3", note)
    with pytest.raises(OSError, match="far enough"):
        storage.put("record/a.m4a", io.BytesIO(b"sound"), "audio/mp4")
    request = sent[0]
    assert request.url == "https://heihei.s3.oss-cn-beijing.aliyuncs.com/record/a.m4a"
    assert "AWS k:" in str(request.headers["Authorization"])
    said = str(request.headers).lower()
    assert "chunked" not in said and "trailer" not in said and "checksum" not in said
