"""Calling, answering, hanging up, and running out of time at the same moment: nobody is in two calls, one outcome that
both hear. D32, I7, I8."""

from collections import Counter
from datetime import timedelta

import orjson
import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from chat import tasks
from chat.models import Chat, Side
from heihei_site.realtime.models import Message, StreamKind
from messages.models import Entry
from payment import ledger
from tests import factories
from tests.races.crowd import at_once, codes, same_phone
from tests.races.lines import Line, busy
from users.services import relations

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 4


def states(*lines):
    about = Chat.objects.filter(caller__in=[line.user for line in lines])
    return sorted(Chat.State(state).name for state in about.values_list("state", flat=True))


def runs_out(chat_id, milliseconds):
    Chat.objects.filter(pk=chat_id).update(deadline=Now() + timedelta(milliseconds=milliseconds))


def test_two_who_call_each_other_at_the_same_moment_are_connected_once(api, told):
    for _ in range(ROUNDS):
        a, b = Line(api), Line(api)
        answers = at_once([a.calls(b), b.calls(a)] * 4)
        assert codes(answers) == {0: 8}
        assert len({answer["chatId"] for answer in answers}) == 1
        assert states(a, b) == ["RUNNING"]
        assert (a.heard("join-chat"), b.heard("join-chat")) == (1, 1)
        assert a.heard("due-chat-notify") + b.heard("due-chat-notify") == 1


def test_a_line_called_by_twenty_at_once_rings_once(api, told):
    for _ in range(2):
        star, fans = Line(api), [Line(api) for _ in range(20)]
        answers = at_once([fan.calls(star) for fan in fans], together=20)
        assert codes(answers) == {0: 1, 739: 19}
        assert star.heard("due-chat-notify") == 1
        assert set(busy().values()) == {1} and states(*fans) == ["RINGING"]
        Side.objects.update(busy=False)


def test_somebody_who_calls_ten_at_once_rings_one(api, told):
    for _ in range(ROUNDS):
        caller, others = Line(api), [Line(api) for _ in range(10)]
        assert codes(at_once([caller.calls(other) for other in others])) == {0: 1, 739: 9}
        assert sum(other.heard("due-chat-notify") for other in others) == 1


def test_everybody_calls_everybody_and_nobody_is_in_two_calls(api, told):
    """In a circle, so that locks are asked for in every order."""
    for _ in range(ROUNDS):
        lines = [Line(api) for _ in range(6)]
        circle = [line.calls(lines[(place + step) % 6]) for step in (1, 5, 3) for place, line in enumerate(lines)]
        answers = at_once(circle)
        assert set(codes(answers)) <= {0, 739}
        assert max(busy().values()) == 1
        current = Chat.objects.exclude(state=Chat.State.ENDED).filter(caller__in=[line.user for line in lines])
        people = [who for chat in current for who in chat.people]
        assert len(people) == len(set(people)) >= 4
        Side.objects.update(busy=False)


@pytest.mark.parametrize("milliseconds", [0, 5, 15, 40, 10_000])
def test_accept_against_cancel_against_time_out_has_one_outcome_that_both_hear(api, told, milliseconds):
    for _ in range(ROUNDS):
        a, b = Line(api), Line(api)
        chat_id = a.calls(b)()["chatId"]
        runs_out(chat_id, milliseconds)
        accept = b.does("accept-chat", chatId=chat_id, userId=a.pk, type=0)
        cancel = a.does("cancel-due-chat", chatId=chat_id)
        first, cancelled, _, second, again, _ = at_once([accept, cancel, tasks.sweep, accept, cancel, tasks.sweep])
        assert codes([cancelled, again]) == {0: 2}
        accepted = set(codes([first, second]))
        chat = Chat.objects.get(pk=chat_id)
        joins = (a.heard("join-chat"), b.heard("join-chat"))
        rung_back = a.heard("due-chat-notify")
        if chat.answered_at:  # even if who did not wait any more hung up then
            assert 0 in accepted and joins == (1, 1) and not rung_back
        else:
            assert joins == (0, 0) and rung_back in (0, 1)
            assert (0 in accepted) == bool(rung_back) and accepted <= {0, 409, 732}
            assert a.heard("expired") + b.heard("cancel-due-chat") >= 1
        in_lists = Entry.objects.filter(owner__in=[a.user, b.user])
        assert in_lists.count() == (0 if chat.is_current and not rung_back else 2)
        assert busy() == (Counter({a.pk: 1, b.pk: 1}) if chat.is_current else Counter())
        Side.objects.update(busy=False)
        Chat.objects.update(state=Chat.State.ENDED, deadline=None)


@pytest.mark.parametrize("milliseconds", [0, 5, 15])
def test_whoever_comes_first_ends_what_is_over_and_only_once(api, told, milliseconds):
    for _ in range(ROUNDS):
        a, b, c = Line(api), Line(api), Line(api)
        chat_id = a.calls(b)()["chatId"]
        runs_out(chat_id, milliseconds)
        looks = a.does("get-chat", chatId=chat_id)
        called, *_ = at_once([c.calls(b), tasks.sweep, looks, a.does("cancel-due-chat", chatId=chat_id), looks])
        assert called["errorcode"] in (0, 739)
        entry = Entry.objects.get(owner=b.user, peer=a.user)
        assert (entry.callings, entry.unread) == (1, 1)
        assert max(busy().values(), default=0) <= 1
        Side.objects.update(busy=False)
        Chat.objects.update(state=Chat.State.ENDED, deadline=None)


def test_blocking_against_calling_never_leaves_a_ring(api, told):
    for _ in range(ROUNDS * 2):
        a, b = Line(api), Line(api)
        called, _ = at_once([a.calls(b), lambda a=a, b=b: relations.block(user=b.user, target=a.user)])
        assert called["errorcode"] in (0, 739)
        assert not busy()
        assert b.heard("due-chat-notify") == (called["errorcode"] == 0) == a.heard("cancel-due-chat")


def test_going_on_air_against_being_called_never_does_both(api, told):
    for _ in range(ROUNDS * 2):
        a, b = Line(api), Line(api)
        live = factories.live(b.user, status=0)
        start = lambda b=b, live=live: same_phone(b.phone).post("live/start-live", liveId=live.pk)  # noqa: E731
        called, started = at_once([a.calls(b), start])
        assert started["errorcode"] == 0 and called["errorcode"] in (0, 738)
        assert not busy()
        assert a.heard("cancel-due-chat") == (called["errorcode"] == 0)


def test_both_hang_up_and_fall_silent_at_once_and_it_ends_once(api, told):
    for _ in range(ROUNDS):
        a, b = Line(api), Line(api)
        chat_id = at_once([a.calls(b), b.calls(a)])[0]["chatId"]
        for line in (a, b):
            assert line.does("join-chat", chatId=chat_id)()["errorcode"] == 0
        Side.objects.filter(chat=chat_id).update(lease_until=Now() - timedelta(seconds=15) + timedelta(milliseconds=10))
        stops = [line.does("stop-chat", chatId=chat_id) for line in (a, b)] * 2
        beats = [line.does("heart-beat", chatId=chat_id) for line in (a, b)]
        *stopped, one, other = at_once([*stops, tasks.sweep, *beats])
        assert codes(stopped[:4]) == {0: 4}
        assert {one["errorcode"], other["errorcode"]} <= {0, 732}
        assert states(a, b) == ["ENDED"] and not busy()
        assert Entry.objects.get(owner=a.user, peer=b.user).calls == 1


def test_a_gift_against_the_end_is_paid_and_shown_or_neither(api, told, gifts):
    for _ in range(ROUNDS):
        a, b = Line(api, gold=10), Line(api)
        chat_id = at_once([a.calls(b), b.calls(a)])[0]["chatId"]
        give = a.does("buy-gift", chatId=chat_id, userId=b.pk, giftId=103, gift_uuid="u", amount=1)
        given, _ = at_once([give, b.does("stop-chat", chatId=chat_id)])
        rows = Message.objects.filter(kind=StreamKind.ROOM, owner_id=chat_id)
        shown = sum(orjson.loads(row.element)["msg"]["msgType"] == "gift" for row in rows)
        assert (given["errorcode"], ledger.balances(a.pk).gold, shown) in {(0, 8, 1), (732, 10, 0)}


def test_people_in_two_calls_are_refused_by_the_database_itself(api, told):
    a, b, c = Line(api), Line(api), Line(api)
    a.calls(b)()
    other = Chat.objects.create(caller=c.user, callee=a.user, kind="due", state=Chat.State.RINGING)
    with pytest.raises(IntegrityError, match="nobody_in_two_calls"), transaction.atomic():
        Side.objects.create(chat=other, user=a.user)
