"""Operators look at calls and edit what people could talk about."""

import pytest
from django.test import Client

from chat.models import ChatTopic, MatchTip
from chat.services import tips, topics
from tests.answers import ok
from tests.chat.conftest import Stage
from users.models import User

pytestmark = pytest.mark.django_db
TOPICS, CALLS = "/admin/chat/chattopic/", "/admin/chat/chat/"


@pytest.fixture
def staff(db: None) -> Client:
    browser = Client()
    browser.force_login(User.objects.create_superuser("chef", "chef@example.com", "geheim"))
    return browser


def test_a_new_topic_is_in_the_pool_and_one_taken_out_is_not(stage: Stage, staff, committed):
    assert len(topics.pool()) == len(topics.FIRST_TOPICS)
    with committed():
        staff.post(f"{TOPICS}add/", {"text": "今天吃了什么？", "active": "on"})
    assert "今天吃了什么？" in [topic.text for topic in topics.pool()]
    first = ChatTopic.objects.order_by("pk")[0]
    with committed():
        staff.post(f"{TOPICS}{first.pk}/change/", {"text": first.text})
    assert first not in topics.pool()
    with committed():
        staff.post(f"{TOPICS}{first.pk}/delete/", {"post": "yes"})
    assert not ChatTopic.objects.filter(pk=first.pk).exists()


def test_a_tip_taken_out_is_shown_no_more(staff, committed):
    tips.seed()
    assert tips.FIRST_TIPS[0] in tips.lines()
    tip = MatchTip.objects.get(text=tips.FIRST_TIPS[0])
    with committed():
        staff.post(f"/admin/chat/matchtip/{tip.pk}/change/", {"text": tip.text})
    assert tip.text not in tips.lines()


def test_a_topic_that_a_call_had_can_go(stage: Stage, staff):
    stage.talk()
    stage.chat.topic.delete()
    assert ok(stage.a.about("join-chat"))["chat"]["initTopic"]


def test_calls_are_listed_found_and_looked_at_and_nothing_more(stage: Stage, staff):
    chat_id = stage.talk()
    page = staff.get(CALLS, {"q": str(stage.b.pk)})
    assert [row.pk for row in page.context["cl"].result_list] == [chat_id]
    assert "通话中" in page.content.decode()
    assert staff.get(f"{CALLS}{chat_id}/change/").status_code == 200
    assert staff.post(f"{CALLS}{chat_id}/delete/", {"post": "yes"}).status_code == 403
    assert staff.get(f"{CALLS}add/").status_code == 403
    assert stage.state == "RUNNING"
