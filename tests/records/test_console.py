"""Operators hear records and publish or reject them."""

import io
import re
import wave
from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client

from records import personal_data, tasks
from records.models import Listening, Record
from tests import factories
from tests.answers import ok, refused
from tests.messages.conftest import told
from tests.records.conftest import recorded

pytestmark = pytest.mark.django_db
LIST = "/admin/records/record/"


@pytest.fixture
def staff(db):
    console = Client()
    console.force_login(factories.person(username="chef", is_staff=True, is_superuser=True))
    return console


def act(console, action, *ids, reason="没有人声"):
    answered = {"answered": "yes", "reason": reason}
    page = console.post(LIST, {"action": action, "_selected_action": ids} | answered, follow=True)
    assert page.status_code == 200
    return page.content.decode()


def heard_by(phone):
    return [card["recordId"] for card in ok(phone.post("record/refresh-record", score=0))["data"]["records"]]


def test_records_are_heard_in_the_list_and_published(api, staff, rain, south):
    record_id = recorded(api(rain))
    page = staff.get(LIST).content.decode()
    (sound,) = re.findall('<audio controls preload="none" src="(.+?)"></audio>', page)
    with wave.open(io.BytesIO(b"".join(staff.get(sound).streaming_content))) as heard:
        assert heard.getnframes() / heard.getframerate() == pytest.approx(5, abs=0.1)
    assert staff.get(f"{LIST}{record_id}/change/").status_code == 200
    assert heard_by(api(south)) == []
    assert "已发布 1 段录音" in act(staff, "publish", record_id)
    assert heard_by(api(south)) == [record_id]
    assert "已发布 0 段录音" in act(staff, "publish", record_id)


def test_an_action_about_all_rows_is_about_those_that_are_shown(api, staff, rain, south):
    rejected = recorded(api(rain))
    act(staff, "reject", rejected)
    waiting = recorded(api(south))
    staff.post(LIST, {"action": "publish", "_selected_action": [waiting], "select_across": "1"})
    assert heard_by(api(south)) == [waiting]


def test_a_rejected_record_is_heard_by_nobody_and_its_owner_is_told_once(api, staff, rain, south, files):
    record_id = recorded(api(rain))
    act(staff, "publish", record_id)
    assert "已拒绝 1 段录音" in act(staff, "reject", record_id)
    assert "已拒绝 0 段录音" in act(staff, "reject", record_id)
    assert heard_by(api(south)) == []
    assert ok(api(rain).post("record/refresh-record", score=0))["data"] == {"records": []}
    refused(api(rain).post("record/read-record", recordId=record_id), 757, "录音不存在")
    (tip,) = told(rain)
    assert (tip["msg"]["message"]["title"], tip["msg"]["message"]["desc"]) == (
        "录音未通过", "您的录音没有通过审核：没有人声。请重新录制一段。")  # fmt: skip
    assert Record.objects.get().rejected_for == "没有人声"
    assert tasks.forget() == 0  # for operators to think again
    assert "已发布 1 段录音" in act(staff, "publish", record_id)
    assert heard_by(api(south)) == [record_id]
    act(staff, "reject", record_id)
    Record.objects.update(reviewed_at=F("reviewed_at") - timedelta(days=8))
    assert tasks.forget() == 1
    assert files() == []
    assert "已发布 0 段录音" in act(staff, "publish", record_id)


def test_a_rejection_says_why(api, staff, rain):
    record_id = recorded(api(rain))
    page = act(staff, "reject", record_id, reason="")
    assert "不通过录音" in page  # asked again
    assert Record.objects.get().status == Record.Status.WAITING
    assert told(rain) == []


def test_what_waits_is_listed_first_the_oldest_before_all_and_is_found_by_number_later(api, staff, rain, south):
    first, second = recorded(api(rain)), recorded(api(south))
    third = recorded(api(factories.person()))

    def listed(**query):
        return [record.pk for record in staff.get(LIST, query).context["cl"].result_list]

    assert listed() == [first, second, third]
    act(staff, "publish", first)
    act(staff, "publish", second)
    assert (listed(), listed(state="published")) == ([third], [second, first])
    assert first in listed(q=first)
    assert listed(state="all") == [third, second, first]


def test_one_whose_owner_has_sent_it_again_meanwhile_stays_rejected(api, staff, rain):
    record_id = recorded(api(rain))
    act(staff, "reject", record_id)
    assert recorded(api(rain)) != record_id
    assert "已发布 0 段录音" in act(staff, "publish", record_id)
    assert "已发布 1 段录音" in act(staff, "publish", Record.objects.exclude(pk=record_id).get().pk)


def test_nobody_adds_changes_or_deletes_one_by_hand(api, staff, rain):
    record_id = recorded(api(rain))
    assert staff.get(f"{LIST}add/").status_code == 403
    assert staff.post(f"{LIST}{record_id}/delete/", {"post": "yes"}).status_code == 403
    staff.post(f"{LIST}{record_id}/change/", {"status": 1})
    assert Record.objects.get().status == Record.Status.WAITING


def test_of_who_is_erased_nothing_is_kept_and_a_copy_has_it_all(api, rain, south, staff, files):
    record_id = recorded(api(rain))
    act(staff, "publish", record_id)
    ok(api(south).post("record/read-record", recordId=record_id))
    copy = {name: list(rows) for name, rows in personal_data.own_data(rain.pk).items()}
    assert [row["id"] for row in copy["records"]] == [record_id]
    assert [row["times"] for row in personal_data.own_data(south.pk)["records_heard"]] == [1]
    for user in (rain, south):
        for _ in range(2):
            personal_data.erase(user.pk)
    assert files() == []
    assert not Listening.objects.exists()
    assert heard_by(api(south)) == []
