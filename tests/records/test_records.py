"""upload-, refresh-, read- and delete-record."""

from urllib.parse import urlsplit

import pytest
from django.test import Client

from heihei_site.uploads.audio import NotMeasured
from heihei_site.uploads.storages import Local, StorageDown
from live.models import Live
from records import tasks
from records.models import Listening, Record
from records.services import clips, review
from tests import factories
from tests.answers import ok, refused
from tests.messages.conftest import told as notices_of
from tests.records.conftest import recorded, send
from tests.uploads import samples
from users.models import Block, Follow, User

pytestmark = pytest.mark.django_db
DAMAGED, SHORT, LARGE = (754, "文件损坏,请重新上传。"), (755, "录音时间太短"), (756, "文件太大啦")
UNKNOWN, NOT_YOURS = (757, "录音不存在"), (757, "无法删除不属于自己的录音")


def refresh(phone, score=0):
    return ok(phone.post("record/refresh-record", score=score))["data"]


def published(user, **fields):
    record = Record.objects.create(user=user, file="data/record/x.mp3", file_md5=f"{Record.objects.count():032}",
                                   length=5, **fields)  # fmt: skip
    assert review.publish(record.pk)
    record.refresh_from_db()
    return record


def test_what_is_uploaded_waits_and_only_its_owner_hears_it(api, rain, south, files):
    phone = api(rain)
    record_id = recorded(phone, 7)
    mine = refresh(phone)["mine"]
    assert (mine["recordId"], mine["userId"], mine["status"], mine["score"]) == (record_id, rain.pk, 0, 0)
    assert (mine["redordLength"], mine["recordLength"]) == (7, 7)
    info = mine["userInfo"]
    assert (info["displayName"], info["region"], info["level"]) == ("小雨", "zh_CN", 5)
    assert len(files()) == 1
    address = urlsplit(mine["recordPath"])
    assert b"".join(Client().get(address.path).streaming_content) == samples.amr(7)
    assert ok(phone.post("record/read-record", recordId=record_id))["record"]["recordId"] == record_id
    assert refresh(api(south)) == {"records": []}
    refused(api(south).post("record/read-record", recordId=record_id), *UNKNOWN)


def test_the_length_is_measured_and_not_believed(api, rain, files):
    refused(send(api(rain), samples.amr(2.5), recordLength=60), *SHORT)
    refused(send(api(rain), samples.amr(310), recordLength=60), *LARGE)
    assert ok(send(api(rain), samples.amr(3), recordLength=0))
    assert [record.length for record in Record.objects.all()] == [3]
    assert len(files()) == 1


def test_what_arrived_otherwise_than_it_was_sent_is_refused(api, rain, files):
    refused(send(api(rain), samples.amr(5), fileMd5="0" * 32), *DAMAGED)
    for nothing_to_hear in (b"", b"x" * 2000, samples.picture(), b"#!AMR\n" + b"\xff" * 500):
        refused(send(api(rain), nothing_to_hear), *DAMAGED)
    assert not Record.objects.exists()
    assert files() == []


def test_more_than_ten_megabytes_are_too_large_and_a_request_without_a_file_is_wrong(api, rain, files):
    refused(send(api(rain), samples.amr(5) + b"\0" * (10 * 1024 * 1024)), *LARGE)
    for missing in ("file", "fileMd5", "fileName", "recordLength"):
        refused(send(api(rain), samples.amr(5), **{missing: None}), 700, "参数错误")
    refused(send(api(rain), samples.amr(5), fileMd5="x"), 700, "参数错误")
    refused(send(api(rain), samples.amr(5), file="text"), 700, "参数错误")
    assert not Record.objects.exists()
    assert files() == []


def test_the_same_file_again_is_the_same_record(api, rain, south, files):
    first = recorded(api(rain))
    assert recorded(api(rain)) == first
    assert recorded(api(south)) != first
    assert (Record.objects.count(), len(files())) == (2, 2)


def test_one_that_lost_the_race_keeps_no_file(api, rain, files, monkeypatch):
    first = recorded(api(rain))
    known = iter([None])
    real = clips._same
    monkeypatch.setattr(clips, "_same", lambda *asked: next(known, real(*asked)))
    assert recorded(api(rain)) == first
    assert len(files()) == 1


def test_records_are_shown_newest_first_and_paged_by_score(api, rain, south, settings):
    settings.RECORDS_PAGE = 2
    records = [published(factories.person()) for _ in range(5)]
    phone = api(south)
    pages, score = [], 0
    while page := refresh(phone, score)["records"]:
        pages.append([card["recordId"] for card in page])
        score = page[-1]["score"]
    assert pages == [[records[4].pk, records[3].pk], [records[2].pk, records[1].pk], [records[0].pk]]
    assert "mine" not in refresh(phone)


def test_what_is_published_later_is_newer_however_long_it_waited(api, rain, south):
    waiting = recorded(api(rain))
    published(south)
    review.publish(waiting)
    assert refresh(api(south))["records"][0]["recordId"] == waiting


def test_a_record_says_what_its_person_is_doing_and_whether_one_follows_them(api, rain, south):
    published(rain)
    live = factories.live(rain)
    Follow.objects.create(follower=south, followee=rain)
    (card,) = refresh(api(south))["records"]
    assert card["timeTip"] == "刚刚"
    info = card["userInfo"]
    assert info["status"]["type"] == 1
    assert str(live.pk) in info["status"]["jump"]
    assert info["isFollow"] is info["isFollowed"] is True
    Live.objects.update(status=2)
    assert "status" not in refresh(api(south))["records"][0]["userInfo"]


def test_nobody_hears_of_whom_they_block_or_who_is_gone(api, rain, south):
    people = [factories.person() for _ in range(3)]
    records = [published(user) for user in (*people, rain)]
    Block.objects.create(user=people[0], target=south)
    Block.objects.create(user=south, target=people[1])
    User.objects.filter(pk=people[2].pk).update(is_active=False)
    assert [card["recordId"] for card in refresh(api(south))["records"]] == [records[3].pk]
    for record in records[:3]:
        refused(api(south).post("record/read-record", recordId=record.pk), *UNKNOWN)
        refused(api(south).post("record/delete-record", recordId=record.pk), *UNKNOWN)
    assert not Listening.objects.exists()


def test_who_hears_a_record_is_remembered_once(api, rain, south):
    record = published(rain)
    for _ in range(3):
        card = ok(api(south).post("record/read-record", recordId=record.pk))["record"]
    assert (card["recordId"], card["score"], card["userInfo"]["isFollow"]) == (record.pk, record.score, False)
    heard = Listening.objects.get()
    assert (heard.user_id, heard.times) == (south.pk, 3)
    ok(api(rain).post("record/read-record", recordId=record.pk))
    assert Listening.objects.count() == 1


def test_only_its_owner_deletes_a_record_and_the_file_goes_too(api, rain, south, files):
    record_id = recorded(api(rain))
    refused(api(south).post("record/delete-record", recordId=record_id), *UNKNOWN)  # not published: not there
    review.publish(record_id)
    refused(api(south).post("record/delete-record", recordId=record_id), *NOT_YOURS)
    assert refresh(api(south))["records"]
    ok(api(rain).post("record/delete-record", recordId=record_id))
    refused(api(rain).post("record/delete-record", recordId=record_id), *UNKNOWN)
    refused(api(rain).post("record/read-record", recordId=record_id), *UNKNOWN)
    assert refresh(api(south)) == {"records": []}
    assert tasks.forget() == 1
    assert files() == []
    assert tasks.forget() == 0
    assert recorded(api(rain)) != record_id  # the same file is a new record


@pytest.mark.parametrize("odd", ["abc", "1e3", "-1", 10**20, ""])
def test_an_odd_id_is_a_wrong_parameter(api, rain, odd):
    for call in ("read-record", "delete-record"):
        refused(api(rain).post(f"record/{call}", recordId=odd), 700, "参数错误")


def test_nobody_uploads_without_end(api, rain):
    phone = api(rain)
    answers = [send(phone, b"x") for _ in range(22)]
    assert [answer["errorcode"] for answer in answers] == [754] * 20 + [429] * 2


def too_slow(*_, **__):
    raise NotMeasured("takes too long")


def test_on_a_busy_day_a_clip_is_measured_later_and_published_no_earlier(api, rain, south, monkeypatch):
    with monkeypatch.context() as busy:
        busy.setattr(clips.audio, "measure", too_slow)
        record_id = ok(send(api(rain), samples.amr(7), recordLength=60))["recordId"]
    assert refresh(api(rain))["mine"]["recordLength"] == 60
    assert not review.publish(record_id)
    assert tasks.measure() == 1
    assert tasks.measure() == 0
    assert refresh(api(rain))["mine"]["recordLength"] == 7
    assert review.publish(record_id)


@pytest.mark.parametrize("sound", [samples.amr(2), samples.amr(310), b"#!AMR\n" + b"\xff" * 500])
def test_what_turns_out_to_be_none_is_rejected_then_and_its_owner_is_told(api, rain, monkeypatch, sound):
    with monkeypatch.context() as busy:
        busy.setattr(clips.audio, "measure", too_slow)
        record_id = ok(send(api(rain), sound))["recordId"]
    assert tasks.measure() == 1
    assert "mine" not in refresh(api(rain))
    assert not review.publish(record_id)
    (tip,) = notices_of(rain)
    assert tip["msg"]["message"]["title"] == "录音未通过"


def test_a_clip_that_the_storage_does_not_give_keeps_no_other_from_being_measured(api, rain, south, monkeypatch):
    with monkeypatch.context() as busy:
        busy.setattr(clips.audio, "measure", too_slow)
        first, second = (ok(send(api(who), samples.amr(7), recordLength=60))["recordId"] for who in (rain, south))
    lost = Record.objects.get(pk=first).file
    read = Local.read
    with monkeypatch.context() as broken:
        for error in (StorageDown("x"), PermissionError("x")):
            Record.objects.filter(pk=second).update(measured=False)

            def reading(storage, key, version, error=error):
                if key == lost:
                    raise error
                return read(storage, key, version)

            broken.setattr(Local, "read", reading)
            assert tasks.measure() == 1
            assert [record.measured for record in Record.objects.order_by("pk")] == [False, True]
    assert tasks.measure() == 1
    assert {record.length for record in Record.objects.all()} == {7}
