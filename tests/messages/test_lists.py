"""The message list, what is unread of it, and the history: D32, D33, D45; B26, B52, B53, B62."""

import time
from datetime import timedelta
from random import Random

import pytest
from django.db import connection
from django.db.models import F, Sum
from django.test.utils import CaptureQueriesContext

from chat.events import CallOffered
from heihei_site.realtime.groups import person
from heihei_site.realtime.models import Message, Stream, StreamKind
from heihei_site.realtime.publish import publish, telling
from messages import personal_data
from messages.models import Entry, HistoryMark, InstantMessage, Mailbox
from messages.room_events import by
from messages.services import call_log
from messages.services.call_log import Outcome
from tests import factories
from tests.answers import ok
from tests.messages.conftest import told as stream_of
from users.models import Block
from users.services import bans

pytestmark = pytest.mark.django_db(transaction=True)

_chats = iter(range(1, 10**9))


def call(caller, callee, outcome=Outcome.MISSED, seconds=0, chat_id=None):
    with telling():
        call_log.remember(chat_id or next(_chats), caller.pk, callee.pk, outcome, seconds)


def entries(phone, **page):
    return ok(phone.get("msg/message-list", **page))["messages"]


def unread(phone):
    return ok(phone.get("msg/message-list"))["unreadMsgCount"]


def shown(phone):
    """Type, count, line and whether it is read of each entry."""
    return [(row["data"]["type"], row["data"]["count"], row["data"]["text"], row["data"]["read"])
            for row in entries(phone)]  # fmt: skip


def counts(told, user):
    return [one["count"] for one in told
            if one.get("person") == user.pk and one.get("action") == "message-unread-count"]  # fmt: skip


def sound():
    """The total of every mailbox is the sum of its rows."""
    sums = dict(Entry.objects.values_list("owner").annotate(Sum("unread")))
    boxes = dict(Mailbox.objects.values_list("owner", "unread"))
    assert {owner: many for owner, many in sums.items() if many} == {o: many for o, many in boxes.items() if many}


class TestACall:
    def test_that_nobody_answered_is_in_both_lists_and_counts_for_who_was_called(self, talk, told):
        talk.her.birthday = None
        talk.her.save()
        told.clear()
        for _ in range(2):
            call(talk.me, talk.her)
        before = int(time.time())
        (mine,), (hers,) = entries(talk.mine), entries(talk.hers)
        assert before - 2 <= mine.pop("timeStamp") <= before + 1
        assert mine == {
            "msgType": "action", "action": "message",
            "fromUserId": talk.her.pk, "fromUserName": "阿嘿", "gender": "Female", "coverUrl": "", "birthDay": "",
            "link": f"wmlives_heihei://duechat?uid={talk.her.pk}", "text": "约TA私聊2次，TA没接到",
            "data": {"type": "post", "count": 2, "text": "约TA私聊2次，TA没接到", "read": True, "unread": 0},
        }  # fmt: skip
        assert hers["data"] == {"type": "calling", "count": 2, "text": "约你私聊2次", "read": False, "unread": 2}
        assert (unread(talk.mine), unread(talk.hers)) == (0, 2)
        assert (counts(told, talk.me), counts(told, talk.her)) == ([], [1, 2])
        sound()

    @pytest.mark.parametrize(
        ("outcome", "caller", "callee", "is_unread"),
        [
            (Outcome.MISSED, "post", "calling", 1),
            (Outcome.CANCELLED, "post", "calling", 1),
            (Outcome.REFUSED, "post", "calling", 0),
            (Outcome.TALKED, "call", "call", 0),
        ],
    )
    def test_leaves_what_it_came_to(self, talk, outcome, caller, callee, is_unread):
        call(talk.me, talk.her, outcome, 200)
        (mine,), (hers,) = entries(talk.mine), entries(talk.hers)
        assert (mine["data"]["type"], hers["data"]["type"]) == (caller, callee)
        assert (mine["data"]["unread"], hers["data"]["unread"], unread(talk.hers)) == (0, is_unread, is_unread)
        assert hers["data"]["read"] is not is_unread

    def test_grows_the_count_of_its_kind_in_the_one_row_of_the_two(self, talk):
        call(talk.me, talk.her)
        call(talk.her, talk.me)
        call(talk.me, talk.her, Outcome.CANCELLED)
        assert shown(talk.hers) == [("calling", 2, "约你私聊2次", False)]
        assert shown(talk.mine) == [("post", 2, "约TA私聊2次，TA没接到", False)]  # hers is still unread
        call(talk.her, talk.me, Outcome.TALKED, 200)
        assert shown(talk.mine) == [("call", 1, "私聊了3分20秒", False)]
        assert shown(talk.hers) == [("call", 1, "私聊了3分20秒", False)]
        call(talk.her, talk.me, Outcome.TALKED, 59)
        assert shown(talk.mine) == [("call", 2, "私聊了59秒", False)]
        call(talk.her, talk.me)
        assert shown(talk.mine) == [("calling", 2, "约你私聊2次", False)]
        sound()

    def test_is_told_to_both_as_the_list_has_it(self, talk, told):
        told.clear()
        call(talk.me, talk.her)
        changed = [one for one in told if one.get("action") == "message"]
        assert [one["person"] for one in changed] == [talk.me.pk, talk.her.pk]
        for one, phone in zip(changed, (talk.mine, talk.hers), strict=True):
            (row,) = entries(phone)
            assert row.items() <= one.items()
            assert one["msgId"] < 2**53

    def test_is_a_message_between_the_two_for_clients_that_know_it(self, talk):
        call(talk.me, talk.her, Outcome.TALKED, 1200)
        row = InstantMessage.objects.get()
        assert (row.sender, row.recipient, row.kind) == (talk.me, talk.her, "dueChat")
        for user in (talk.me, talk.her):
            (element,) = [one for one in stream_of(user) if one.get("msgType") == "IM"]
            assert element["msg"] == {
                "msgType": "dueChat", "fromUserId": talk.me.pk, "toUserId": talk.her.pk, "msgId": row.pk,
                "createTime": int(row.created_at.timestamp()), "content": {"chatStatus": 1, "chatLength": 1200},
                "tips": "【约聊消息】不支持的消息类型，请升级最新客户端。",
            }  # fmt: skip
            assert set(element["users"]) == {str(talk.me.pk), str(talk.her.pk)}
        assert set(Message.objects.filter(element__contains="dueChat").values_list("needs", flat=True)) == {20000}

    @pytest.mark.parametrize(("outcome", "status"), [(Outcome.MISSED, 2), (Outcome.CANCELLED, 2), (Outcome.REFUSED, 3)])
    def test_says_in_it_how_it_ended(self, talk, outcome, status):
        call(talk.me, talk.her, outcome)
        assert InstantMessage.objects.get().content == {"chat_status": status, "chat_length": 0}
        assert stream_of(talk.her)[0]["msg"]["content"] == {"chatStatus": status, "chatLength": 0}

    def test_that_ends_twice_is_remembered_once(self, talk, told):
        call(talk.me, talk.her, chat_id=5)
        told.clear()
        call(talk.me, talk.her, chat_id=5)
        assert shown(talk.hers) == [("calling", 1, "约你私聊1次", False)]
        assert InstantMessage.objects.count() == 1
        assert told == []

    def test_that_was_missed_and_called_back_is_both(self, talk):
        call(talk.me, talk.her, chat_id=5)
        call(talk.me, talk.her, Outcome.TALKED, 10, chat_id=5)
        assert shown(talk.hers) == [("call", 1, "私聊了10秒", False)]
        assert InstantMessage.objects.count() == 2

    def test_says_nothing_between_people_who_have_blocked_each_other_meanwhile(self, talk, told):
        Block.objects.create(user=talk.her, target=talk.me)
        call(talk.me, talk.her, Outcome.TALKED, 10)
        assert not [one for one in told if one.get("msgType") == "dueChat"]
        assert shown(talk.mine) == [("call", 1, "私聊了10秒", True)]

    def test_is_remembered_where_one_of_the_two_is_banned_by_it(self, talk):
        bans.ban(talk.me)
        call(talk.me, talk.her, Outcome.TALKED, 10)
        assert shown(talk.hers) == [("call", 1, "私聊了10秒", True)]

    def test_that_is_taken_back_leaves_nothing(self, talk, told):
        told.clear()
        with pytest.raises(ZeroDivisionError), telling():
            call_log.remember(5, talk.me.pk, talk.her.pk, Outcome.MISSED)
            raise ZeroDivisionError
        assert (entries(talk.mine), entries(talk.hers), told) == ([], [], [])


class TestAMessage:
    def test_is_in_both_lists_and_counts_for_who_got_it(self, talk, told):
        told.clear()
        ok(talk.write("在吗"))
        ok(talk.write("在不在呀" * 30))
        line = "在不在呀" * 15 + "…"
        assert shown(talk.hers) == [("text", 2, line, False)]
        assert shown(talk.mine) == [("text", 0, line, True)]
        assert (unread(talk.mine), unread(talk.hers)) == (0, 2)
        assert (counts(told, talk.me), counts(told, talk.her)) == ([], [1, 2])
        sound()

    def test_shares_the_row_of_calls_which_go_on_counting(self, talk):
        call(talk.me, talk.her)
        ok(talk.write("在吗"))
        assert shown(talk.hers) == [("text", 2, "在吗", False)]
        call(talk.me, talk.her)
        assert shown(talk.hers) == [("calling", 2, "约你私聊2次", False)]
        assert unread(talk.hers) == 3

    def test_sent_again_counts_once(self, talk):
        for _ in range(3):
            ok(talk.write("在吗", clientMsgId="k"))
        assert unread(talk.hers) == 1

    def test_that_is_refused_is_in_no_list(self, talk):
        Block.objects.create(user=talk.her, target=talk.me)
        assert talk.write("在吗")["errorcode"] == 711
        assert (entries(talk.mine), entries(talk.hers)) == ([], [])

    def test_of_somebody_erased_shows_nothing_that_they_said(self, talk):
        ok(talk.write("秘密"))
        personal_data.erase(talk.me.pk)
        assert shown(talk.hers) == [("text", 1, "", False)]
        assert entries(talk.mine) == []
        sound()


class TestTheList:
    def test_has_who_called_or_wrote_last_first(self, talk, api):
        others = [factories.person() for _ in range(3)]
        for other in others:
            call(other, talk.me)
        ok(talk.write("在吗"))
        call(others[0], talk.me)
        expected = [others[0].pk, talk.her.pk, others[2].pk, others[1].pk]
        assert [row["fromUserId"] for row in entries(talk.mine)] == expected
        assert [row["fromUserId"] for row in entries(talk.mine, offset=1, limit=2)] == expected[1:3]
        assert entries(talk.mine, offset=4) == []

    def test_is_empty_at_first(self, talk):
        answer = ok(talk.mine.get("msg/message-list"))
        assert (answer["messages"], answer["unreadMsgCount"]) == ([], 0)

    def test_gives_the_first_app_what_it_reads(self, api, talk):
        """B52, B53: an element without `data`, a blank line, a date in the year 40000."""
        call(talk.me, talk.her)
        ok(talk.write("在吗"))
        for row in entries(api(talk.her, version="1.1.0")):
            assert isinstance(row["data"], dict)
            assert row["data"]["text"]
            assert isinstance(row["data"]["count"], int) and isinstance(row["data"]["read"], bool)
            assert row["timeStamp"] < 10**10

    def test_goes_on_without_an_entry_that_was_deleted(self, talk, told):
        other = factories.person()
        call(talk.her, talk.me)
        call(other, talk.me)
        told.clear()
        ok(talk.mine.post("msg/message-del", userId=talk.her.pk))
        assert [row["fromUserId"] for row in entries(talk.mine)] == [other.pk]
        assert counts(told, talk.me) == [1] == [unread(talk.mine)]
        assert len(entries(talk.hers)) == 1
        call(talk.her, talk.me)
        assert shown(talk.mine)[0] == ("calling", 1, "约你私聊1次", False)
        sound()

    def test_lets_the_same_entry_be_deleted_twice(self, talk, told):
        for _ in range(2):
            ok(talk.mine.post("msg/message-del", userId=talk.her.pk))
        assert counts(told, talk.me) == []
        ok(talk.mine.post("msg/message-del", userId=2**53 - 1))

    @pytest.mark.parametrize("path", ["msg/message-read-all", "msg/read-all-msg"])
    def test_is_read_as_a_whole(self, talk, told, path):
        call(talk.her, talk.me)
        ok(talk.write("在吗", phone=talk.hers, toUserId=talk.me.pk))
        told.clear()
        ok(talk.mine.post(path))
        assert unread(talk.mine) == 0
        assert [read for *_, read in shown(talk.mine)] == [True]
        ok(talk.mine.post(path))
        assert counts(told, talk.me) == [0, 0]
        call(talk.her, talk.me)
        assert unread(talk.mine) == 1
        sound()

    def test_is_read_as_a_whole_however_many_wrote(self, talk, monkeypatch):
        """In statements that each name no more than so many rows."""
        monkeypatch.setattr("messages.services.entries.READ_AT_ONCE", 2)
        for _ in range(5):
            call(factories.person(), talk.me)
        with CaptureQueriesContext(connection) as captured:
            ok(talk.mine.post("msg/message-read-all"))
        assert [query["sql"].startswith('UPDATE "inbox_entry"') for query in captured].count(True) == 3
        assert [read for *_, read in shown(talk.mine)] == [True] * 5
        sound()

    def test_ends_somewhere_and_counts_what_is_unread_all_the_same(self, talk, settings):
        settings.MESSAGE_LIST_DEPTH = 3
        for _ in range(5):
            call(factories.person(), talk.me)
        assert [len(entries(talk.mine, offset=offset, limit=2)) for offset in (0, 2, 4)] == [2, 1, 0]
        assert unread(talk.mine) == 5

    def test_of_nobody_else_is_read(self, talk):
        call(talk.her, talk.me)
        ok(talk.hers.post("msg/message-read-all"))
        assert unread(talk.mine) == 1


def ring(caller, callee):
    with telling():
        publish(CallOffered(chat_id=5, type=0, **by(caller), birth_day=caller.birth_day), to=person(callee))


def history(phone, **page):
    answer = ok(phone.get("msg/history-msg", **page))
    return answer["unReadCount"], answer["unReadMsg"], answer["readMsg"]


def said(items):
    return [item["msg"]["content"]["text"] for item in items]


class TestTheHistory:
    def test_has_what_others_said_unread_and_what_the_person_said_read(self, talk):
        ok(talk.write("一"))
        ok(talk.write("二", phone=talk.hers, toUserId=talk.me.pk))
        ok(talk.write("三"))
        many, new, old = history(talk.hers)
        assert (many, said(new), said(old)) == (2, ["三", "一"], ["二"])
        stored = InstantMessage.objects.get(sender=talk.her)
        assert old[0]["msg"]["msgId"] == stored.pk
        assert set(old[0]) == {"msg", "msgType", "users", "timeStamp", "seq"}
        assert history(talk.mine)[0] == 1

    def test_pages_by_position(self, talk):
        for number in range(130):
            ok(talk.write(f"{number}"))
        ok(talk.hers.post("msg/message-read-all"))
        many, new, old = history(talk.hers)
        assert (many, new, said(old)) == (0, [], [str(number) for number in range(129, 29, -1)])
        _, _, older = history(talk.hers, before=old[-1]["seq"])
        assert said(older) == [str(number) for number in range(29, -1, -1)]
        assert history(talk.hers, before=older[-1]["seq"]) == (0, [], [])
        assert said(history(talk.hers, limit=3)[2]) == ["129", "128", "127"]
        assert len(history(talk.hers, limit=1000)[2]) == 50

    def test_leaves_out_what_was_deleted(self, talk):
        ids = [ok(talk.write(text))["msgId"] for text in ("一", "二", "三")]
        for _ in range(2):
            ok(talk.hers.post("msg/delete-msg", msgId=ids[1]))
        many, new, _ = history(talk.hers)
        assert (many, said(new)) == (2, ["三", "一"])
        assert unread(talk.hers) == 2
        assert said(history(talk.mine)[2]) == ["三", "二", "一"]
        sound()

    def test_knows_one_message_as_read(self, talk, told):
        ids = [ok(talk.write(text))["msgId"] for text in ("一", "二")]
        told.clear()
        for _ in range(2):
            ok(talk.hers.post("msg/read-one-msg", msgId=ids[0]))
        many, new, old = history(talk.hers)
        assert (many, said(new), said(old)) == (1, ["二"], ["一"])
        assert counts(told, talk.her) == [1] == [unread(talk.hers)]
        ok(talk.hers.post("msg/delete-msg", msgId=ids[0]))
        assert unread(talk.hers) == 1
        ok(talk.hers.post("msg/message-read-all"))
        ok(talk.hers.post("msg/read-one-msg", msgId=ids[1]))
        assert (history(talk.hers)[0], unread(talk.hers)) == (0, 0)
        sound()

    def test_of_a_message_that_is_not_there_changes_nothing(self, talk, told, api):
        message = ok(talk.write("一"))["msgId"]
        told.clear()
        for path in ("msg/read-one-msg", "msg/delete-msg"):
            for nobodys in (1, 2**53 - 1):
                ok(talk.hers.post(path, msgId=nobodys))
        ok(api(factories.person()).post("msg/delete-msg", msgId=message))
        assert (history(talk.hers)[0], told, HistoryMark.objects.count()) == (1, [], 0)

    def test_is_not_led_astray_by_a_text_that_looks_like_a_message(self, talk):
        ok(talk.write('"msgId":77,"x":1}'))
        ok(talk.hers.post("msg/delete-msg", msgId=77))
        assert history(talk.hers)[0] == 1

    def test_shows_old_clients_invitations_only_and_rings_no_phone(self, talk, api):
        ok(talk.write("一"))
        ring(talk.me, talk.her)
        old = api(talk.her, version="1.3.0")
        many, new, _ = history(old)
        assert (many, [item["msg"]["action"] for item in new]) == (1, ["due-chat-notify"])
        assert new[0]["msg"]["needstore"] is True
        assert (new[0]["msg"]["getuiAction"], new[0]["msg"]["expireTime"]) == ("duechat", 15)
        Message.objects.update(expires_at=F("expires_at") - timedelta(minutes=2))
        assert history(old)[1][0]["msg"]["expireTime"] == 0

    def test_has_exact_ids_in_a_page_of_large_numbers(self, talk):
        """B26: the phone asks for messages by their ids."""
        answer = ok(talk.write("一"))
        assert history(talk.hers)[1][0]["msg"]["msgId"] == answer["msgId"] > 2**31

    def test_forgets_marks_of_what_is_forgotten(self, talk):
        ids = [ok(talk.write(text))["msgId"] for text in ("一", "二")]
        ok(talk.hers.post("msg/delete-msg", msgId=ids[0]))
        Message.objects.filter(kind=StreamKind.PERSON, owner_id=talk.her.pk, seq=1).delete()
        Stream.objects.filter(kind=StreamKind.PERSON, owner_id=talk.her.pk).update(first_seq=2)
        ok(talk.hers.post("msg/read-one-msg", msgId=ids[1]))
        assert list(HistoryMark.objects.values_list("seq", flat=True)) == [2]


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_the_total_is_the_sum_of_the_rows(talk, api, seed):
    """What the badge says is what the list says."""
    random = Random(seed)
    people = [talk.me, talk.her, factories.person()]
    phones = {one.pk: api(one, version="2.0.0") for one in people}
    for _ in range(60):
        mine, other = random.sample(people, 2)
        phone = phones[mine.pk]
        match random.randrange(6):
            case 0:
                call(mine, other, random.choice(list(Outcome)), 10)
            case 1:
                ok(talk.write("一", phone=phone, toUserId=other.pk))
            case 2:
                ok(phone.post("msg/message-del", userId=other.pk))
            case 3 if random.random() < 0.3:
                ok(phone.post("msg/message-read-all"))
            case _:
                items = history(phone)[random.choice([1, 2])]
                if items:
                    path = random.choice(["msg/read-one-msg", "msg/delete-msg"])
                    ok(phone.post(path, msgId=random.choice(items)["msg"]["msgId"]))
        sound()


class TestHistoryByOffset:
    """interface.md 20."""

    def test_has_what_was_received_newest_first(self, talk):
        for number in range(60):
            ok(talk.write(f"{number}"))
        page = ok(talk.hers.get("msg/history-msg", offset=10, limit=5))
        assert [one["msg"]["content"]["text"] for one in page["unReadMsg"]] == ["49", "48", "47", "46", "45"]
        assert page["unReadCount"] == 60
        assert len(ok(talk.hers.get("msg/history-msg", limit=100))["unReadMsg"]) == 50
        assert len(ok(talk.hers.get("msg/history-msg"))["unReadMsg"]) == 60
        assert ok(talk.hers.get("msg/history-msg", offset=60))["unReadMsg"] == []
