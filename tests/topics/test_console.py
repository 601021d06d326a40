"""Operators make, pin, order and hide topics, set their pictures and the due-chat area, and hide what is said."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from tests import factories, voices
from tests.answers import ok, refused
from topics.models import Subject, Topic
from topics.services import topics

pytestmark = pytest.mark.django_db
TOPICS, SUBJECTS = "/admin/topics/topic/", "/admin/topics/subject/"


@pytest.fixture
def staff(db):
    console = Client()
    console.force_login(factories.person(username="chef", is_staff=True, is_superuser=True))
    return console


def shown(corner):
    topics.shown.forget()  # another process, a moment later
    return ok(corner.souths.post("topic/topic-list", offset=0))


def act(console, where, action, *rows):
    chosen = {"action": action, "_selected_action": [row.pk for row in rows]}
    page = console.post(where, chosen, follow=True)
    assert page.status_code == 200
    return page.content.decode()


def in_place(console, **changes):
    """The list as the browser sends it back, with something else in it."""
    page = console.get(TOPICS)
    formset = page.context["cl"].formset
    said = {f"form-{name}_FORMS": 0 for name in ("TOTAL", "INITIAL")} | {"_save": "Save"}
    said["form-TOTAL_FORMS"] = said["form-INITIAL_FORMS"] = len(formset.forms)
    for number, form in enumerate(formset.forms):
        row = form.instance
        values = {"id": row.pk, "is_top": row.is_top, "order": row.order, "shown": row.shown}
        values |= changes.get(f"topic_{row.pk}", {})
        said |= {f"form-{number}-{name}": value for name, value in values.items() if value is not False}
    return console.post(TOPICS, said)


def test_a_new_topic_is_in_the_list_with_its_picture(corner, staff):
    said = {"name": "新话题", "img": "gifts/102.png", "cat_name": "生活", "content": "说说", "type": 0, "order": 1,
            "is_top": "on", "shown": "on"}  # fmt: skip
    assert staff.post(f"{TOPICS}add/", said).status_code == 302
    first = shown(corner)["topics"][0]
    assert (first["name"], first["isTop"], first["catName"], first["content"]) == ("新话题", 1, "生活", "说说")
    assert first["img"].endswith("/static/gifts/102.png")
    assert ok(corner.post(topicId=first["id"]))["subject"]["topicId"] == first["id"]


def test_a_picture_that_is_not_there_is_refused(corner, staff):
    said = {"name": "新话题", "img": "nowhere.png", "type": 0, "order": 1, "shown": "on"}
    assert "没有这个静态文件" in staff.post(f"{TOPICS}add/", said).content.decode()
    assert Topic.objects.count() == 1


def test_topics_are_pinned_ordered_and_hidden_in_the_list_itself(corner, staff):
    one, two, three = (voices.topic(order=number) for number in (1, 2, 3))
    changes = {
        f"topic_{three.pk}": {"is_top": "on"},
        f"topic_{two.pk}": {"order": -1},
        f"topic_{one.pk}": {"shown": False},
    }
    assert in_place(staff, **changes).status_code == 302
    assert [card["id"] for card in shown(corner)["topics"]] == [three.pk, two.pk, corner.topic.pk]
    assert in_place(staff, **{f"topic_{three.pk}": {"is_top": False}, f"topic_{one.pk}": {"shown": "on"}})
    assert [card["id"] for card in shown(corner)["topics"]] == [two.pk, corner.topic.pk, one.pk, three.pk]


def test_an_operators_process_shows_a_change_at_once(corner, staff, django_capture_on_commit_callbacks):
    assert topics.find(corner.topic.pk)
    with django_capture_on_commit_callbacks(execute=True):
        in_place(staff, **{f"topic_{corner.topic.pk}": {"shown": False}})
    assert topics.find(corner.topic.pk) is None


def test_the_due_chat_area_is_one_topic_and_can_become_another(corner, staff):
    first, second = voices.topic("约聊", type=1), voices.topic("聊天")
    assert "现在是约聊专区" in act(staff, TOPICS, "make_due_chat", second)
    answer = shown(corner)
    assert answer["dueChat"]["topic"]["id"] == second.pk
    assert first.pk in [card["id"] for card in answer["topics"]]
    assert "请只选一个话题" in act(staff, TOPICS, "make_due_chat", first, second)
    said = {"name": "约聊", "type": 1, "order": 0, "shown": "on"}
    assert "已经有约聊专区" in staff.post(f"{TOPICS}{first.pk}/change/", said).content.decode()
    assert Topic.objects.get(type=1) == second


def test_topics_are_hidden_and_shown_by_the_dozen(corner, staff):
    rows = [voices.topic() for _ in range(3)]
    assert "已隐藏 3 个话题" in act(staff, TOPICS, "hide", *rows)
    assert len(shown(corner)["topics"]) == 1
    assert "已显示 3 个话题" in act(staff, TOPICS, "show", *rows)
    assert len(shown(corner)["topics"]) == 4


def test_what_is_said_is_heard_hidden_and_shown_again(corner, staff):
    post = voices.subject(corner.topic, corner.rain)
    reply = voices.subject(creator=corner.south, to=post)
    assert f'src="{post.path}"' in staff.get(SUBJECTS).content.decode()
    assert staff.get(f"{SUBJECTS}{post.pk}/change/").status_code == 200
    assert "已屏蔽 1 条" in act(staff, SUBJECTS, "hide", reply)
    assert (voices.counts(post), voices.topic_counts(corner.topic)) == ((0, 0, 0, 0), (0, 1, 0))
    assert "已屏蔽 1 条" in act(staff, SUBJECTS, "hide", post)
    assert voices.topic_counts(corner.topic) == (0, 0, 0)
    refused(corner.souths.post("topic/get-subject", subjectId=post.pk), 100, "话题或帖子不存在")
    assert "已恢复 2 条" in act(staff, SUBJECTS, "show", post, reply)
    assert (voices.counts(post), voices.topic_counts(corner.topic)) == ((0, 1, 0, 0), (0, 2, 0))
    assert ok(corner.souths.post("topic/get-subject", subjectId=reply.pk))


def test_what_its_author_has_deleted_stays_deleted(corner, staff):
    post = voices.subject(corner.topic, corner.rain)
    ok(corner.rains.post("topic/delete-subject", subjectId=post.pk))
    assert "已恢复 0 条" in act(staff, SUBJECTS, "show", post)
    assert "已屏蔽 0 条" in act(staff, SUBJECTS, "hide", post)
    assert Subject.objects.get().state == Subject.State.DELETED
    assert staff.post(f"{SUBJECTS}{post.pk}/delete/", {"post": "yes"}).status_code == 403


def test_who_may_only_look_changes_nothing(corner):
    looker = factories.person(username="gast", is_staff=True)
    looker.user_permissions.add(*Permission.objects.filter(codename__in=["view_topic", "view_subject"]))
    console = Client()
    console.force_login(looker)
    post = voices.subject(corner.topic, corner.rain)
    act(console, TOPICS, "hide", corner.topic)
    act(console, SUBJECTS, "hide", post)
    assert Topic.objects.get().shown
    assert Subject.objects.get().state == Subject.State.SHOWN


def test_there_are_some_topics_from_the_beginning_and_operators_keep_theirs(db):
    topics.seed()
    assert topics.due_chat()
    many = Topic.objects.count()
    assert many == len(topics.FIRST_TOPICS)
    Topic.objects.exclude(type=1).first().delete()
    topics.seed()
    assert Topic.objects.count() == many - 1
