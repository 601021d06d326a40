"""Whatever an owner, four viewers and the clock do in a room of four seats, in whatever order: answers and rows are
those of `room_model`, the seats add up (I6), and what is over is over once, whoever comes by first (I8).

`ROOM_MACHINE_EXAMPLES=1000` looks longer.
"""

import os
import time
from collections import Counter
from datetime import timedelta

import orjson
import pytest
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from heihei_site.realtime.models import Message
from live import tasks
from live.models import Guest, Live, Member, MicLink
from live.services import seats
from tests import factories
from tests.conftest import Api
from tests.live.room_model import OWNER, SEATS, Room

pytestmark = pytest.mark.django_db

EXAMPLES, STEPS = int(os.environ.get("ROOM_MACHINE_EXAMPLES", 16)), 40
VIEWERS = 4
LONG_ENOUGH = 100  # seconds before the owner thinks of ending it
BUTTONS = {"REQUESTED": 4, "INVITED": 2, "JOINING": 3, "WAITING": 3, "CONNECTED": 3}

viewers = st.integers(0, VIEWERS - 1)
anybody = st.sampled_from([*range(VIEWERS), OWNER])
mostly_owner = st.sampled_from([OWNER, OWNER, OWNER, *range(VIEWERS)])
# No deadline comes nearer than three seconds to the end of these without being over.
pauses = st.sampled_from([6, 12, 30, 36, 48, 60])


class Evening(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.held_at = time.monotonic()
        self.example = transaction.atomic()
        self.example.__enter__()
        self.room = Room(VIEWERS)
        self.live = factories.live(seats=SEATS)
        self.people = {OWNER: self.live.owner} | {number: factories.person() for number in range(VIEWERS)}
        self.phones = {who: Api(person) for who, person in self.people.items()}
        self.who = {person.pk: who for who, person in self.people.items()}
        self.keys = {0: ""}  # what was written into each invitation
        self.texts = 0

    def teardown(self):
        transaction.set_rollback(True)
        self.example.__exit__(None, None, None)

    def does(self, by, what, code, **said):
        answer = self.phones[by].post(f"live/{what}", liveId=self.live.pk, **said)
        assert answer["errorcode"] == code, (by, what, answer, f"expected {code}")
        return answer

    def about(self, whom):
        return {"userId": self.people[whom].pk}

    # --- What people do ------------------------------------------------------------------------------------------

    @rule(who=viewers)
    def comes(self, who):
        self.does(who, "join-live", self.room.join(who))

    @rule(who=viewers)
    def comes_invited(self, who):
        key = self.room.guests[who].key
        self.does(who, "join-live", self.room.join(who, key), liveKey=self.keys[key])

    @rule(who=viewers, key=st.integers(-1, 5))
    def comes_with_any_key(self, who, key):
        """Somebody else's, one that was used, or none of ours."""
        self.does(who, "join-live", self.room.join(who, key), liveKey=self.keys.get(key, "f" * 32))

    @rule(who=anybody)
    def goes(self, who):
        self.does(who, "quit-live", self.room.quit(who))

    @rule(who=anybody)
    def beats(self, who):
        self.does(who, "heart-beat", self.room.beat(who), isCreator=int(who == OWNER))

    @rule(by=mostly_owner)
    def locks(self, by):
        self.does(by, "lock-live-seat", self.room.lock(by), unlock=0)

    @rule(by=mostly_owner)
    def unlocks(self, by):
        self.does(by, "lock-live-seat", self.room.unlock(by), unlock=1)

    @rule(number=st.integers(2, SEATS + 2))
    def operators_resize(self, number):
        assert seats.resize(self.live.pk, number) == self.room.resize(number)

    @rule(by=anybody)
    def knocks(self, by):
        self.does(by, "knock-live-room", self.room.knock(by))

    @rule(by=mostly_owner, whom=anybody)
    def invites(self, by, whom):
        self.does(by, "invite-user", self.room.invite(by, whom), **self.about(whom))

    @rule(by=mostly_owner, whom=anybody)
    def kicks(self, by, whom):
        self.does(by, "kick-out-user", self.room.kick(by, whom), **self.about(whom))

    @rule(by=mostly_owner, whom=anybody)
    def appoints(self, by, whom):
        self.does(by, "livemgr", self.room.appoint(by, whom), type=1, **self.about(whom))

    @rule(by=mostly_owner, whom=anybody)
    def dismisses(self, by, whom):
        self.does(by, "livemgr", self.room.dismiss(by, whom), type=0, **self.about(whom))

    @rule(by=mostly_owner, whom=anybody)
    def mutes(self, by, whom):
        self.does(by, "shutupuser", self.room.mute(by, whom, muted=True), **self.about(whom))

    @rule(by=mostly_owner, whom=anybody)
    def lets_speak(self, by, whom):
        self.does(by, "shutupopen", self.room.mute(by, whom, muted=False), **self.about(whom))

    @rule(by=anybody)
    def says_something(self, by):
        self.texts += 1
        said = {"text": f"text {self.texts}", "roomId": self.live.pk, "liveId": self.live.pk}
        assert self.phones[by].post("msg/send-msg", **said)["errorcode"] == self.room.say(by)

    @rule(by=anybody, whom=viewers)
    def asks_for_the_microphone(self, by, whom):
        self.does(by, "call-request", self.room.ask(by, whom), **self.about(whom))

    @rule(by=anybody, whom=viewers)
    def accepts(self, by, whom):
        self.does(by, "accept-conference", self.room.accept(by, whom), **self.about(whom))

    @rule(by=anybody, whom=viewers)
    def refuses(self, by, whom):
        self.does(by, "refuse-conference", self.room.refuse(by, whom), **self.about(whom))

    @precondition(lambda self: self.room.running is not None)
    @rule(by=anybody)
    def enters_the_call(self, by):
        self.does(by, "join-conference", self.room.enter(by))

    @precondition(lambda self: self.room.running is not None)
    @rule()
    def the_two_hear_each_other(self):
        for by in (OWNER, self.room.running):
            self.does(by, "join-conference", self.room.enter(by))
            self.does(by, "conference-success", self.room.be_heard(by))

    @rule(by=anybody)
    def is_heard(self, by):
        self.does(by, "conference-success", self.room.be_heard(by))

    @rule(by=anybody)
    def hangs_up(self, by):
        self.does(by, "quit-conference", self.room.hang_up(by))

    @rule(by=viewers)
    def a_stranger_cannot_end_it(self, by):
        self.does(by, "stop-live", self.room.stop(by))

    @precondition(lambda self: self.room.now > LONG_ENOUGH)
    @rule()
    def the_owner_ends_it(self):
        self.does(OWNER, "stop-live", self.room.stop(OWNER))

    # --- Time ----------------------------------------------------------------------------------------------------

    @rule(seconds=pauses, awake=st.sets(viewers), owner_is_awake=st.sampled_from([True, True, True, False]))
    def time_passes(self, seconds, awake, owner_is_awake):
        for who in [*sorted(awake), *[OWNER] * owner_is_awake]:
            self.beats(who)
        self.room.now += seconds
        self.hold_the_clock()
        self.room.pass_time(0)

    @rule(who=viewers, comes_back=st.booleans())
    def falls_silent(self, who, comes_back):
        guest = self.room.guests[who]
        if guest.lease is not None:
            guest.lease = self.room.now - 1
            self.hold_the_clock()
            self.room.pass_time(0)
        if comes_back:
            self.comes(who)

    @rule()
    def the_sweep_comes_by(self):
        expected, swept = self.room.sweep(), tasks.sweep()
        swept.pop("mic_links")  # some were ended by who came before
        assert swept == expected
        assert not any(tasks.sweep().values()), "what is over was over once"
        assert self.everything_told() == +self.room.told

    # --- What people see -----------------------------------------------------------------------------------------

    @rule(by=anybody)
    def looks_around(self, by):
        self.room.somebody_calls()
        if not self.room.is_inside(by):
            self.does(by, "list-live-users", 506)
            return
        answer = self.does(by, "list-live-users", 0)
        counts = answer["totalCount"], answer["roomSeatCount"], answer["roomLockedCount"]
        assert counts == (self.room.taken, self.room.seats, self.room.locked)
        assert {self.who[user["id"]] for user in answer["users"]} == set(filter(self.room.is_inside, self.people))
        shown = {self.who[user["id"]]: user["confStatus"] for user in answer["users"] if "confStatus" in user}
        assert shown == {who: BUTTONS[link.state] for who, link in self.room.links.items()}

    @rule(by=anybody)
    def asks_whether_to_knock(self, by):
        self.room.somebody_calls()
        answer = self.does(by, "knock-status", 0)
        taken = self.room.taken - (len(self.room.silent) if self.room.free <= 0 else 0)
        full = self.room.is_open and taken + self.room.locked >= self.room.seats
        assert (answer["needKnock"], answer["roomNowUserCount"]) == (full and not self.room.is_inside(by), taken)

    @rule(by=mostly_owner)
    def looks_who_knocked(self, by):
        self.room.somebody_calls()
        refused = 711 if by != OWNER else 0 if self.room.is_open else 731
        users = self.does(by, "invite-user-list", refused).get("users", [])
        assert [self.who[user["id"]] for user in users] == ([] if refused else self.room.knockers)

    # --- What is true after each ---------------------------------------------------------------------------------

    @invariant()
    def rows_and_arithmetic_agree(self):
        self.seats_add_up()
        for check in (self.seats_agree, self.guests_agree, self.links_agree):
            check()
        self.hold_the_clock()

    def seats_add_up(self):
        live = Live.objects.get(pk=self.live.pk)
        sitting = Member.objects.filter(live=live, left_at=None).count()
        assert live.occupied == sitting <= live.seats - live.locked
        assert live.seats - live.locked >= 2
        assert (live.is_open, live.seats, live.locked, live.occupied) == (
            self.room.is_open, self.room.seats, self.room.locked, self.room.taken)  # fmt: skip

    def seats_agree(self):
        live = Live.objects.annotate(left=F("owner_deadline") - Now()).get(pk=self.live.pk)
        if live.is_open:
            self.assert_about(live.left, self.room.owner_until)
        members = Member.objects.filter(live=live).annotate(left=F("lease_until") - Now())
        sitting = {self.who[member.user_id]: member.left for member in members if member.left_at is None}
        assert sitting.keys() == {who for who, guest in self.room.guests.items() if guest.lease is not None}
        for who, left in sitting.items():
            self.assert_about(left, self.room.guests[who].lease)

    def guests_agree(self):
        rows = {self.who[row.user_id]: row for row in Guest.objects.filter(live=self.live)}
        for who, expected in self.room.guests.items():
            row = rows.get(who) or Guest()
            found = row.kicked_at is not None, row.muted_at is not None, row.manager_since is not None
            assert found == (expected.kicked, expected.muted, expected.manages), who
            assert row.live_key == self.keys.setdefault(expected.key, row.live_key), who
            assert (row.knocked_at is None, row.invited_at is None) == (
                expected.knocked is None, expected.invited is None), who  # fmt: skip
        assert len(set(self.keys.values())) == len(self.keys)

    def links_agree(self):
        links = MicLink.objects.current().filter(live=self.live).annotate(left=F("deadline") - Now())
        inside = Member.objects.inside().filter(live=self.live).values("user_id")
        alive = links.filter(Q(deadline=None) | Q(deadline__gt=Now()), user_id__in=inside)
        found = {self.who[link.user_id]: link for link in alive}
        assert {who: MicLink.State(link.state).name for who, link in found.items()} == {
            who: link.state for who, link in self.room.links.items()
        }
        for who, link in found.items():
            self.assert_about(link.left, self.room.links[who].until)
        if not self.room.is_open:
            assert not links.exists()

    def everything_told(self):
        """How often each action was told, by the rows of what phones are told."""
        told = Counter()
        for element in Message.objects.filter(owner_id__in=[self.live.pk, *self.who]).values_list("element", flat=True):
            message = orjson.loads(element)["msg"]
            if message.get("action") == "conference-status":
                told["microphone free"] += message["status"] == 2
            elif message.get("action") in self.room.told:
                told[message["action"]] += 1
        return +told

    def assert_about(self, left, until):
        """The rows' clock ran on while the last deed was done."""
        if until is None:
            assert left is None
        else:
            slack = time.monotonic() - self.held_at + 0.1
            assert abs(left.total_seconds() - (until - self.room.now)) < slack, (left, until - self.room.now)

    def hold_the_clock(self):
        """Everything in the rows is as far away as it is in the arithmetic, however long the test took."""

        def at(moment):
            return Now() + timedelta(seconds=moment - self.room.now)

        def moments(**found):
            return {name: at(moment) for name, moment in found.items() if moment is not None}

        self.held_at = time.monotonic()
        Live.objects.filter(pk=self.live.pk).update(owner_deadline=at(self.room.owner_until))
        for who, guest in self.room.guests.items():
            row = {"live": self.live, "user": self.people[who]}
            if seat := moments(lease_until=guest.lease, joined_at=guest.came):
                Member.objects.filter(**row).update(**seat)
            if said := moments(knocked_at=guest.knocked, invited_at=guest.invited):
                Guest.objects.filter(**row).update(**said)
            if who in self.room.links and (until := self.room.links[who].until) is not None:
                MicLink.objects.current().filter(**row).update(deadline=at(until))


def test_whatever_happens_in_a_room_rows_answers_and_arithmetic_agree(told):
    run_state_machine_as_test(
        Evening,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
