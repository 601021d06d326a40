"""Whatever three people and the clock do about calling each other, in whatever order: answers and rows are those of a
few lines of arithmetic, nobody is in two calls, every call ends, and every caller hears an answer. I7, I8."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.db.models.functions import Now
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from chat import tasks
from chat.models import Chat, Side
from heihei_site.realtime.models import Message, StreamKind
from live.models import Live
from tests import factories
from tests.conftest import Api
from users.models import Block
from users.services import relations

pytestmark = pytest.mark.django_db

PEOPLE = 3
two = st.permutations(range(PEOPLE)).map(lambda order: (order[0], order[1]))
RING, LEASE, RECONNECT, CALL_BACK = 15, 15, 15, 3600


@dataclass
class Call:
    caller: int
    callee: int
    rings_until: int  # in the machine's own seconds, as all times here
    state: str = "RINGING"
    back_until: int = 0
    leases: dict[int, int] = field(default_factory=dict)
    joined: set[int] = field(default_factory=set)
    status: dict[int, int] = field(default_factory=dict)
    called_back: bool = False
    called_off_by: int | None = None

    @property
    def people(self):
        return {self.caller, self.callee}

    @property
    def rung(self):
        return self.caller if self.called_back else self.callee

    @property
    def pending(self):
        return self.state in ("RINGING", "RINGING_BACK")

    @property
    def current(self):
        return self.pending or self.state == "RUNNING"

    def other(self, who):
        (other,) = self.people - {who}
        return other

    def connect(self, now):
        self.state, self.status = "RUNNING", dict.fromkeys(self.people, 0)
        self.leases = dict.fromkeys(self.people, now + RING)

    def settle(self, now):
        """What is over is over, whether anybody has noticed or not."""
        if self.state == "RINGING" and self.rings_until <= now:
            self.state = "MISSED"
        over = {
            "MISSED": self.rings_until + CALL_BACK,
            "RINGING_BACK": self.back_until,
            "RUNNING": min(self.leases.values(), default=0) + RECONNECT,
        }
        if over.get(self.state, now + 1) <= now:
            self.state = "ENDED"

    def give_up(self, who):
        if self.pending:
            self.called_off_by = who
        self.state = "ENDED"

    def deadline_of(self, state):
        """What the row's deadline is when it has come as far as that."""
        rung = {Chat.State.RINGING: self.rings_until, Chat.State.MISSED: self.rings_until + CALL_BACK}
        return rung.get(state, self.back_until)


class Evening(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.people = [factories.person() for _ in range(PEOPLE)]
        self.phones = [Api(person) for person in self.people]
        self.calls: dict[int, Call] = {}
        self.blocked: set[frozenset[int]] = set()
        self.on_air: dict[int, Live] = {}
        self.now = 0

    # What is expected

    def call_of(self, who) -> Call | None:
        return next((call for call in self.calls.values() if call.current and who in call.people), None)

    def asks(self, who: int, what: str, code: int, **said: Any) -> dict[str, Any]:
        self.move_the_clock()
        answer = self.phones[who].post(f"chat/{what}", **said)
        assert answer["errorcode"] == code, (what, code, answer)
        return answer

    # What people do

    @rule(pair=two)
    def somebody_calls(self, pair):
        a, b = pair
        mine, theirs = self.call_of(a), self.call_of(b)
        said = {"userId": self.people[b].pk}
        if frozenset(pair) in self.blocked:
            self.asks(a, "due-chat", 739, **said)
        elif mine and mine is theirs:
            if mine.state == "RUNNING" and a in mine.joined:
                self.asks(a, "due-chat", 739, **said)
                return
            answer = self.asks(a, "due-chat", 0, **said)
            assert self.calls[answer["chatId"]] is mine
            if mine.pending and mine.rung == a:
                mine.connect(self.now)
        elif b in self.on_air and not theirs:
            self.asks(a, "due-chat", 738, **said)
        elif mine or theirs:
            self.asks(a, "due-chat", 739, **said)
        else:
            answer = self.asks(a, "due-chat", 0, **said)
            for call in self.calls.values():
                if call.state == "MISSED" and call.people == set(pair):
                    call.state = "ENDED"
            self.calls[answer["chatId"]] = Call(a, b, self.now + RING)

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), kind=st.sampled_from([0, 0, 1]))
    def somebody_answers(self, data, kind):
        who, chat_id, call = self.somebody_and_a_call(data)
        other = call.other(who) if who in call.people else call.caller
        said = {"chatId": chat_id, "userId": self.people[other].pk, "type": kind}
        if who not in call.people:
            self.asks(who, "accept-chat", 732, **said)
        elif call.pending and call.rung == who:
            self.asks(who, "accept-chat", 0, **said)
            call.connect(self.now)
        elif call.state == "MISSED" and who == call.callee and kind == 0:
            if frozenset(call.people) in self.blocked:
                self.asks(who, "accept-chat", 739, **said)
            elif other in self.on_air:
                self.asks(who, "accept-chat", 738, **said)
            elif self.call_of(who) or self.call_of(other):
                self.asks(who, "accept-chat", 739, **said)
            else:
                assert self.asks(who, "accept-chat", 0, **said)["expireTime"] == 15
                call.state, call.called_back, call.back_until = "RINGING_BACK", True, self.now + RING
        elif call.state in ("RINGING_BACK", "RUNNING"):
            self.asks(who, "accept-chat", 0, **said)
        else:
            self.asks(who, "accept-chat", 732 if call.called_off_by is None else 409, **said)

    @precondition(lambda self: self.calls)
    @rule(
        data=st.data(), deed=st.sampled_from(["join-chat", "heart-beat", "heart-beat", "pause-chat", "continue-chat"])
    )
    def somebody_is_there(self, data, deed):
        who, chat_id, call = self.somebody_and_a_call(data)
        if who not in call.people or call.state != "RUNNING":
            self.asks(who, deed, 732, chatId=chat_id)
            return
        self.asks(who, deed, 0, chatId=chat_id)
        call.leases[who] = self.now + LEASE
        call.joined.add(who)
        if deed == "heart-beat":
            call.status[who] = {0: 1, 3: 1}.get(call.status[who], call.status[who])
            other = call.other(who)
            if call.leases[other] <= self.now:
                call.status[other] = 3
        elif deed != "join-chat":
            call.status[who] = 2 if deed == "pause-chat" else 1

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), deed=st.sampled_from(["stop-chat", "cancel-due-chat"]))
    def somebody_ends_it(self, data, deed):
        who, chat_id, call = self.somebody_and_a_call(data)
        stranger = who not in call.people
        self.asks(who, deed, 711 if stranger and deed == "cancel-due-chat" else 0, chatId=chat_id)
        talks = call.state == "RUNNING" and who in call.joined
        if call.current and not stranger and not (talks and deed == "cancel-due-chat"):
            call.give_up(who)

    @rule(pair=two, what=st.sampled_from(["block", "make_up", "go_on_air", "go_off_air", "make_up", "go_off_air"]))
    def something_else_happens(self, pair, what):
        self.move_the_clock()
        getattr(self, what)(*pair)

    def block(self, who, other):
        relations.block(user=self.people[who], target=self.people[other])
        for call in self.calls.values():
            if call.people == {who, other} and (call.current or call.state == "MISSED"):
                call.give_up(who)
        self.blocked.add(frozenset((who, other)))

    def make_up(self, *_):
        Block.objects.filter(user__in=self.people).delete()
        self.blocked.clear()

    def go_on_air(self, who, _):
        if who in self.on_air:
            return
        live = factories.live(self.people[who], status=Live.Status.TO_START)
        assert self.phones[who].post("live/start-live", liveId=live.pk)["errorcode"] == 0
        self.on_air[who] = live
        if call := self.call_of(who):
            call.give_up(who)

    def go_off_air(self, *_):
        for who, live in self.on_air.items():
            assert self.phones[who].post("live/stop-live", liveId=live.pk)["errorcode"] == 0
        self.on_air.clear()

    @rule(seconds=st.sampled_from([7, 7, 14, 15, 15, 15, 16, 31, 3600]))
    def time_passes(self, seconds):
        """Nobody has noticed yet what is over with it."""
        self.now += seconds
        for call in self.calls.values():
            call.settle(self.now)

    @rule()
    def the_sweep_comes_by(self):
        self.move_the_clock()
        tasks.sweep()
        tasks.sweep()  # a missed call that is too late to call back, too
        assert not Chat.objects.overdue().exists()
        for call in self.calls.values():
            if call.state == "RUNNING":
                call.status |= {who: 3 for who, left in call.leases.items() if left <= self.now}
        for chat_id, call in self.calls.items():
            row = Chat.objects.get(pk=chat_id)
            assert Chat.State(row.state).name == call.state
            if call.state == "RUNNING":
                assert dict(row.sides.values_list("user_id", "status")) == {
                    self.people[who].pk: status for who, status in call.status.items()
                }
        everybody = [person.pk for person in self.people]
        busy = set(Side.objects.filter(busy=True, user__in=everybody).values_list("user_id", flat=True))
        assert busy == {self.people[who].pk for who in range(PEOPLE) if self.call_of(who)}
        self.every_caller_has_heard()

    def every_caller_has_heard(self):
        """Who called knows how it went: come in, they do not want to, or nobody answered."""
        rows = Message.objects.filter(kind=StreamKind.PERSON, owner_id__in=[person.pk for person in self.people])
        heard = [(row.owner_id, orjson.loads(row.element)["msg"]) for row in rows]
        for chat_id, call in self.calls.items():
            about = {(who, news.get("action")) for who, news in heard if news.get("chatId") == chat_id}
            if not call.pending and call.called_off_by != call.caller:
                answers = {(self.people[call.caller].pk, how) for how in ("join-chat", "cancel-due-chat", "expired")}
                assert about & answers, call

    @invariant()
    def nobody_is_in_two_calls(self):
        busy = list(Side.objects.filter(busy=True).values_list("user_id", flat=True))
        assert len(busy) == len(set(busy))

    def teardown(self):
        """Whatever they did: when nobody does anything any more, it is all over."""
        self.now += 10_000
        for _ in range(2):
            self.move_the_clock()
            tasks.sweep()
        assert not Chat.objects.exclude(state=Chat.State.ENDED).exists()
        assert not Side.objects.filter(busy=True).exists()

    # How

    def somebody_and_a_call(self, data):
        """Mostly about the newest call, mostly one of its two."""
        calls = [*self.calls.items()]
        chat_id, call = data.draw(st.sampled_from([calls[-1]] * 3 + calls[-3:]))
        who = data.draw(st.sampled_from([call.callee, call.caller] * 3 + [*range(PEOPLE)]))
        return who, chat_id, call

    def move_the_clock(self):
        """Deadlines of the rows are as far away as they should be, however long the test took."""
        for chat_id, call in self.calls.items():
            for chat in Chat.objects.filter(pk=chat_id, deadline__isnull=False):
                Chat.objects.filter(pk=chat_id).update(deadline=self.moment(call.deadline_of(chat.state)))
            for who, until in call.leases.items():
                side = Side.objects.filter(chat=chat_id, user=self.people[who], lease_until__isnull=False)
                side.update(lease_until=self.moment(until))

    def moment(self, then):
        """With half a second of grace for the test itself, except where it is just over."""
        left = then - self.now
        return Now() + timedelta(seconds=left if left in (0, -RECONNECT) else left + 0.5)


def test_whatever_happens_rows_answers_and_arithmetic_agree(db):
    run_state_machine_as_test(
        Evening,
        settings=settings(
            max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
