"""Messages from many phones at once: I2, and no two who lock each other out."""

import random
import threading

import pytest
from django.db import connection

from chat.models import ChatTopic
from chat.services import topics
from messages.models import InstantMessage
from messages.services import im
from payment import ledger
from tests import factories
from tests.answers import ok
from tests.messages.conftest import content, texts
from tests.messages.test_lists import sound
from tests.processes import wait_until
from tests.races.crowd import at_once, codes, same_phone

pytestmark = pytest.mark.django_db(transaction=True)


def writing(phone, to, text, **changes):
    said = {"toUserId": to.pk, "content": content(text)} | changes
    return lambda: same_phone(phone).post("msg/send-msg", **said)


def test_one_message_sent_20_times_at_once_is_stored_and_told_once_and_every_answer_is_the_same(talk):
    answers = at_once([writing(talk.mine, talk.her, "在吗", clientMsgId="k")] * 20, together=20)
    assert codes(answers) == {0: 20}
    row = InstantMessage.objects.get()
    assert {(answer["msgId"], answer["createTime"]) for answer in answers} == {
        (row.pk, int(row.created_at.timestamp()))
    }
    assert (texts(talk.her), texts(talk.me)) == (["在吗"], ["在吗"])


def test_of_20_that_say_different_things_to_different_people_under_one_name_one_is_sent(talk):
    people = [factories.person() for _ in range(4)]
    deeds = [writing(talk.mine, people[n % 4], f"{n}", clientMsgId="k") for n in range(20)]
    answers = at_once(deeds, together=20)
    assert len({answer["msgId"] for answer in answers}) == 1
    row = InstantMessage.objects.get()
    assert texts(talk.me) == [text for person in people for text in texts(person)] == [row.content["text"]]


def test_who_is_blocked_gets_none_of_20_through(talk):
    talk.hers.post("user/block-user", userId=talk.me.pk)
    answers = at_once([writing(talk.mine, talk.her, "在吗", clientMsgId="k")] * 20)
    assert codes(answers) == {711: 20}
    assert InstantMessage.objects.count() == 0


def test_a_circle_of_people_who_write_to_each_other_does_not_stop(talk):
    people = {talk.me: talk.mine, talk.her: talk.hers}
    for other in (factories.person(), factories.person()):
        people[other] = type(talk.mine)(other)
    deeds = [
        writing(phone, to, f"{number}", clientMsgId=f"{to.pk}-{number}")
        for number in range(15)
        for sender, phone in people.items()
        for to in people
        if to != sender
    ]
    assert codes(at_once(deeds)) == {0: len(deeds)}
    for person in people:
        assert len(texts(person)) == 15 * 6  # three write to each, and each writes to three


def test_of_people_who_write_to_each_other_for_the_first_time_at_once_one_gets_the_topic_in(talk):
    ChatTopic.objects.create(text="雨天听什么歌")
    topics.pool.changed()
    deeds = [writing(talk.mine, talk.her, f"{n}") for n in range(8)]
    deeds += [writing(talk.hers, talk.me, f"{n}") for n in range(8)]
    assert codes(at_once(deeds, together=16)) == {0: 16}
    topics.pool.changed()
    assert InstantMessage.objects.filter(kind="systopic").count() == 1
    for person in (talk.me, talk.her):
        assert len(texts(person)) == 17


def test_three_who_write_read_delete_take_back_and_give_at_once_do_not_lock_each_other_out(talk, gifts):
    people = {talk.me: talk.mine, talk.her: talk.hers}
    third = factories.person()
    people[third] = type(talk.mine)(third)
    for person in people:
        factories.give_gold(person, 1000)

    def taking_back(phone, to):
        def deed():
            other = same_phone(phone)
            sent = other.post("msg/send-msg", toUserId=to.pk, content=content("weg"))
            return other.post("msg/recall", msgId=sent["msgId"])

        return deed

    def asking(phone, path, **params):
        return lambda: same_phone(phone).post(path, **params)

    deeds = []
    for person, phone in people.items():
        for to in people:
            if to != person:
                gift = {"msgType": "gift", "content": '{"giftId":101}'}
                deeds += [
                    *[writing(phone, to, f"{n}") for n in range(4)],
                    *[writing(phone, to, "", clientMsgId=f"{to.pk} {n}", **gift) for n in range(4)],
                    *[taking_back(phone, to) for _ in range(4)],
                    *[asking(phone, "msg/read-conversation", userId=to.pk) for _ in range(3)],
                    *[asking(phone, "msg/message-del", userId=to.pk) for _ in range(2)],
                ]
        deeds += [asking(phone, "msg/message-read-all") for _ in range(2)]
    random.Random(7).shuffle(deeds)
    assert codes(at_once(deeds)) == {0: len(deeds)}
    sound()
    assert ledger.balances(talk.me.pk).gold == 1000 - 8


@pytest.mark.parametrize("call", ["read-conversation", "message-read-all", "message-del"])
def test_what_comes_while_all_is_read_is_read_in_the_list_and_in_the_history_or_in_neither(talk, monkeypatch, call):
    """She looks while I am writing: what is taken off the count and stays unread in the history is taken off twice."""
    ok(talk.write("eins"))
    noted, over = threading.Event(), threading.Event()
    tell = im._tell

    def slowly(*args):
        noted.set()
        assert over.wait(30)
        tell(*args)

    monkeypatch.setattr(im, "_tell", slowly)
    writer = threading.Thread(target=at_once, args=([writing(talk.mine, talk.her, "zwei")],))
    said = {} if call == "message-read-all" else {"userId": talk.me.pk}
    reader = threading.Thread(target=at_once, args=([lambda: same_phone(talk.hers).post(f"msg/{call}", **said)],))
    writer.start()
    try:
        assert noted.wait(30)
        reader.start()
        wait_until(somebody_waits, 30, "she waits for me")
    finally:
        over.set()
        writer.join()
        reader.join()
    monkeypatch.undo()
    unread = ok(talk.hers.get("msg/message-list"))["unreadMsgCount"]
    page = ok(talk.hers.get("msg/history-msg"))
    assert (unread, page["unReadCount"]) == (0, 0)
    ok(talk.write("drei"))
    for item in page["unReadMsg"] + page["readMsg"]:
        ok(talk.hers.post("msg/read-one-msg", msgId=item["msg"]["msgId"]))
    assert ok(talk.hers.get("msg/message-list"))["unreadMsgCount"] == 1
    assert ok(talk.hers.get("msg/history-msg"))["unReadCount"] == 1


def somebody_waits():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return cursor.fetchone() != (0,)
