"""A copy of one's own data."""

import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone

from heihei_site.jobs import NoWorker
from tests import factories
from tests.answers import ok, refused
from users import personal_data
from users.models import DataExport, Identity
from users.services import export, relations
from users.tasks import export_data

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def private(settings, tmp_path):
    """Where the files are."""
    folder = tmp_path / "private"
    settings.STORAGES = settings.STORAGES | {
        "private": {**settings.STORAGES["private"], "OPTIONS": {"location": folder, "allow_overwrite": True}}
    }
    return folder


def files(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


def fetch(url):
    parts = urlsplit(url)
    return Client().get(f"{parts.path}?{parts.query}")


def unpacked(answer):
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    return {name.removesuffix(".json"): json.loads(archive.read(name)) for name in archive.namelist()}


@pytest.fixture
def later(monkeypatch):
    """No worker is about: beat's next turn has to do it."""

    def nobody(job):
        raise NoWorker

    monkeypatch.setattr("heihei_site.jobs.hand_over", nobody)


def test_holds_what_the_person_did_and_nothing_of_others(api):
    me, other = factories.person("阿嘿", gold=70), factories.person("别人", phone="13700000001")
    Identity.objects.create(user=me, source="Wechat", open_id="o1")
    relations.follow(user=me, target=other)
    relations.follow(user=other, target=me)
    phone, theirs = api(me, version="2.0", model="Xiaomi"), api(other, version="2.0")
    ok(phone.post("msg/send-msg", toUserId=other.pk, msgType="text", content='{"text": "你好"}'))
    ok(theirs.post("msg/send-msg", toUserId=me.pk, msgType="text", content='{"text": "你也好"}'))
    factories.live(me, status=2, title="我的家")
    ok(phone.post("user/export-data"))
    data = unpacked(fetch(ok(phone.post("user/export-data"))["url"]))
    [profile] = data["profile"]
    assert (profile["id"], profile["display_name"], profile["phone"]) == (me.pk, "阿嘿", me.phone)
    assert [row["open_id"] for row in data["accounts"]] == ["o1"]
    assert [row["person"] for row in data["following"]] == [row["person"] for row in data["followers"]] == [other.pk]
    assert [row["content"]["text"] for row in data["messages_sent"]] == ["你好"]
    assert [row["content"]["text"] for row in data["messages_received"]] == ["你也好"]
    assert [row["title"] for row in data["lives"]] == ["我的家"]
    assert {row["currency"]: row["balance"] for row in data["balances"]}["gold"] == 70
    assert [(row["reason"], row["amount"]) for row in data["payments"]] == [("grant", 70)]
    assert len(data["sign_ins"]) == 1
    assert other.phone not in json.dumps(data) and "别人" not in json.dumps(data, ensure_ascii=False)
    assert "digest" not in json.dumps(data) and phone.token not in json.dumps(data)


def test_what_was_recalled_is_its_writers_again(api):
    me, other = factories.person(), factories.person()
    phone, theirs = api(me, version="2.0"), api(other, version="2.0")
    sent = ok(theirs.post("msg/send-msg", toUserId=me.pk, msgType="text", content='{"text": "别告诉别人"}'))
    ok(theirs.post("msg/recall", msgId=sent["msgId"]))
    for user, words in ((phone, [None]), (theirs, [])):
        ok(user.post("user/export-data"))
        data = unpacked(fetch(ok(user.post("user/export-data"))["url"]))
        assert [row["content"] for row in data["messages_received"]] == words
    assert [row["content"] for row in data["messages_sent"]] == [{"text": "别告诉别人"}]


def test_is_made_by_a_job_and_told(api, told, later, private):
    user = factories.person()
    phone = api(user)
    answer = ok(phone.post("user/export-data"))
    assert (answer["ready"], answer["url"], answer["expireTime"]) == (False, "", 0)
    assert files(private) == []
    assert export_data() == 1
    assert files(private) == [f"{DataExport.objects.get().pk}.zip"]
    again = ok(phone.post("user/export-data"))
    assert again["ready"] is True
    assert 7 * 24 * 3600 - 60 < again["expireTime"] <= 7 * 24 * 3600
    assert fetch(again["url"]).status_code == 200
    assert DataExport.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_brings_its_address_to_the_persons_sockets(api, told):
    user = factories.person()
    phone = api(user)
    ok(phone.post("user/export-data"))
    [message] = [each for each in told if each.get("action") == "data-export"]
    assert message["person"] == user.pk
    assert message["expireTime"] == 7 * 24 * 3600
    assert fetch(message["url"]).status_code == 200
    assert urlsplit(message["url"]).netloc == urlsplit(export.addresses.public_url()).netloc


def test_is_handed_out_as_a_file_that_nobody_keeps(api):
    phone = api(factories.person())
    ok(phone.post("user/export-data"))
    answer = fetch(ok(phone.post("user/export-data"))["url"])
    assert answer["Content-Type"] == "application/zip"
    assert answer["Content-Disposition"] == 'attachment; filename="heihei.zip"'
    assert "no-store" in answer["Cache-Control"] and "private" in answer["Cache-Control"]
    assert "token" not in ok(phone.post("user/export-data"))["url"]


def test_an_address_of_ours_only_and_only_in_time(api, private, settings):
    phone = api(factories.person())
    ok(phone.post("user/export-data"))
    url = ok(phone.post("user/export-data"))["url"]
    other = signing.dumps(DataExport.objects.get().pk, salt="something else")
    for sign in ("", "x", "1", other, url.partition("sign=")[2][:-1], url.partition("sign=")[2] + "x"):
        assert Client().get(f"/{export.PATH}", {"sign": sign}).status_code == 404
    assert Client().post(urlsplit(url).path).status_code == 405
    settings.DATA_EXPORT_LIFETIME = timedelta(0)
    assert fetch(url).status_code == 404
    settings.DATA_EXPORT_LIFETIME = timedelta(days=7)
    DataExport.objects.update(expires_at=timezone.now())
    assert fetch(url).status_code == 404


def test_is_deleted_when_its_time_is_over(api, private):
    phone = api(factories.person())
    ok(phone.post("user/export-data"))
    DataExport.objects.update(expires_at=timezone.now())
    assert files(private) != []
    export_data()
    assert (files(private), DataExport.objects.count()) == ([], 0)
    ok(phone.post("user/export-data"))  # and may be asked for anew
    assert len(files(private)) == 1


def test_a_file_that_is_lost_is_no_failure(api, private):
    phone = api(factories.person())
    ok(phone.post("user/export-data"))
    url = ok(phone.post("user/export-data"))["url"]
    for path in private.rglob("*.zip"):
        path.unlink()
    assert fetch(url).status_code == 404
    DataExport.objects.update(expires_at=timezone.now())
    export_data()
    assert DataExport.objects.count() == 0


def test_a_job_that_died_is_done_again_and_leaves_one_file(api, private, later, monkeypatch):
    phone = api(factories.person())
    ok(phone.post("user/export-data"))
    with monkeypatch.context() as patch:
        patch.setattr("users.services.export.publish", lambda *_, **__: 1 / 0)
        assert export_data() == 0
    assert len(files(private)) == 1
    assert export_data() == 0  # it may still be at it
    DataExport.objects.update(working_until=timezone.now())
    assert export_data() == 1
    assert len(files(private)) == 1
    assert ok(phone.post("user/export-data"))["ready"] is True


def test_one_that_fails_does_not_keep_the_others(api, later, monkeypatch):
    first, second = factories.person(), factories.person()
    for user in (first, second):
        ok(api(user).post("user/export-data"))
    whole = export.pack
    monkeypatch.setattr(export, "pack", lambda user_id, file: 1 / 0 if user_id == first.pk else whole(user_id, file))
    assert export_data() == 1
    assert set(DataExport.objects.exclude(file="").values_list("user_id", flat=True)) == {second.pk}


def test_is_for_who_is_signed_in_and_not_for_floods(api):
    refused(api().post("user/export-data"), 720, "token无效")
    phone = api(factories.person())
    for _ in range(10):
        ok(phone.post("user/export-data"))
    refused(phone.post("user/export-data"), 429, "操作太频繁")
    assert DataExport.objects.count() == 1


def test_who_is_erased_while_it_is_written_leaves_no_file(api, private, later, monkeypatch):
    user = factories.person()
    ok(api(user).post("user/export-data"))
    whole = export.pack

    def erased_meanwhile(user_id, file):
        whole(user_id, file)
        personal_data.erase(user_id)

    monkeypatch.setattr(export, "pack", erased_meanwhile)
    assert export_data() == 0
    assert (files(private), DataExport.objects.count()) == ([], 0)


def test_a_file_that_cannot_be_deleted_keeps_nobody_waiting(api, private, later, monkeypatch):
    first, second, third = factories.person(), factories.person(), factories.person()
    for user in (first, second):
        ok(api(user).post("user/export-data"))
    assert export_data() == 2
    DataExport.objects.update(expires_at=timezone.now())
    ok(api(third).post("user/export-data"))
    stuck = DataExport.objects.get(user=first)
    whole = export.discard
    monkeypatch.setattr(export, "discard", lambda each: 1 / 0 if each.pk == stuck.pk else whole(each))
    assert export_data() == 1
    assert set(DataExport.objects.values_list("user_id", flat=True)) == {first.pk, third.pk}
