"""Whatever three people and the clock do about one microphone, in whatever order: answers and rows are those of a few
lines of arithmetic. D25."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from live import tasks
from live.models import Member, MicLink
from tests import factories
from tests.conftest import Api

pytestmark = pytest.mark.django_db

viewers = st.integers(0, 1)
anybody = st.sampled_from([0, 1, "owner"])
BUTTONS = {"REQUESTED": 4, "INVITED": 2, "JOINING": 3, "WAITING": 3, "CONNECTED": 3}


@dataclass(frozen=True)
class Link:
    state: str
    left: float | None  # seconds
    joined: frozenset = frozenset()
    heard: frozenset = frozenset()

    @property
    def is_linked(self):
        return self.state not in ("REQUESTED", "INVITED")


class Evening(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.people = [factories.person(), factories.person()]
        self.live = factories.live()
        factories.inside(self.live, *self.people)
        self.phones = {"owner": Api(self.live.owner), 0: Api(self.people[0]), 1: Api(self.people[1])}
        self.inside = {0, 1}
        self.links: dict[int, Link] = {}
        self.asked: set[int] = set()

    # What is expected

    @property
    def running(self):
        return next((who for who, link in self.links.items() if link.is_linked), None)

    def ask(self, who, state):
        self.links[who] = Link(state, 30)
        self.asked.add(who)

    def agree(self, who):
        self.links[who] = Link("JOINING", 10)

    def called(self, by, what, code, **said):
        answer = self.phones[by].post(f"live/{what}", liveId=self.live.pk, **said)
        assert answer["errorcode"] == code, answer
        return answer

    def about(self, who):
        return {"userId": self.people[who].pk}

    # What people do

    @rule(who=viewers)
    def a_viewer_asks(self, who):
        link = self.links.get(who)
        if who not in self.inside:
            self.called(who, "call-request", 506)
        elif link and link.state != "INVITED":
            self.called(who, "call-request", 0)
        elif self.running is not None:
            self.called(who, "call-request", 742)
        else:
            answer = self.called(who, "call-request", 0)
            assert answer["expireTime"] == (0 if link else 30)
            self.agree(who) if link else self.ask(who, "REQUESTED")

    @rule(who=viewers)
    def the_owner_asks(self, who):
        link = self.links.get(who)
        if link and link.state != "REQUESTED":
            self.called("owner", "call-request", 0, **self.about(who))
        elif self.running is not None or who not in self.inside:
            self.called("owner", "call-request", 742, **self.about(who))
        else:
            answer = self.called("owner", "call-request", 0, **self.about(who))
            assert answer["expireTime"] == (0 if link else 30)
            self.agree(who) if link else self.ask(who, "INVITED")

    @rule(who=viewers, by_owner=st.booleans())
    def somebody_accepts(self, who, by_owner):
        link, awaited = self.links.get(who), "REQUESTED" if by_owner else "INVITED"
        by, said = ("owner", self.about(who)) if by_owner else (who, {})
        if link is None:
            self.called(by, "accept-conference", 409 if who in self.asked else 742, **said)
        elif link.is_linked:
            self.called(by, "accept-conference", 0, **said)
        elif link.state != awaited:
            self.called(by, "accept-conference", 742, **said)
        elif self.running is not None:
            self.called(by, "accept-conference", 739 if by_owner else 409, **said)
        else:
            self.called(by, "accept-conference", 0, **said)
            self.agree(who)

    @rule(who=viewers, by_owner=st.booleans())
    def somebody_refuses(self, who, by_owner):
        link = self.links.get(who)
        by, said = ("owner", self.about(who)) if by_owner else (who, {"userId": self.live.owner_id})
        if link is None:
            self.called(by, "refuse-conference", 0 if who in self.asked else 742, **said)
        elif link.is_linked:
            self.called(by, "refuse-conference", 742, **said)
        else:
            self.called(by, "refuse-conference", 0, **said)
            del self.links[who]

    @rule(by=anybody)
    def somebody_joins(self, by):
        if self.running is None or by not in ("owner", self.running):
            self.called(by, "join-conference", 742 if by in self.links else 750)
            return
        link = self.links[self.running]
        answer = self.called(by, "join-conference", 0)
        assert answer["confStatus"]["status"] == int(link.state == "CONNECTED")
        if by not in link.joined:
            joined = link.joined | {by}
            state, left = ("WAITING", link.left) if len(joined) == 2 else (link.state, 6)
            self.links[self.running] = replace(link, joined=joined, state=state, left=left)

    @precondition(lambda self: self.running is not None)
    @rule(by=anybody)
    def somebody_is_heard(self, by):
        link = self.links[self.running]
        if by not in ("owner", self.running):
            self.called(by, "conference-success", 742 if by in self.links else 750)
        elif by not in link.joined:
            self.called(by, "conference-success", 742)
        else:
            heard = link.heard | {by}
            if len(heard) == 2:
                link = replace(link, state="CONNECTED", left=None)
            self.links[self.running] = replace(link, heard=heard)
            answer = self.called(by, "conference-success", 0)
            assert answer["confStatus"]["status"] == int(link.state == "CONNECTED")

    @rule(by=anybody)
    def somebody_hangs_up(self, by):
        theirs = self.running if by == "owner" else by if by in self.links else None
        known = self.asked if by == "owner" else by in self.asked
        self.called(by, "quit-conference", 0 if theirs is not None or known else 742)
        self.links.pop(theirs, None)

    @rule(who=viewers)
    def a_viewer_leaves(self, who):
        self.called(who, "quit-live", 0)
        self.inside.discard(who)
        self.links.pop(who, None)

    @rule(who=viewers)
    def a_viewer_comes(self, who):
        self.called(who, "join-live", 0)
        self.inside.add(who)

    @rule(who=viewers)
    def a_viewer_falls_silent(self, who):
        gone = Member.objects.filter(live=self.live, user=self.people[who])
        gone.update(lease_until=Now() - timedelta(seconds=1))
        self.inside.discard(who)
        self.links.pop(who, None)

    @rule(seconds=st.sampled_from([1, 5, 6, 10, 25, 30]))
    def time_passes(self, seconds):
        for who, link in list(self.links.items()):
            if link.left is not None:
                self.links[who] = replace(link, left=link.left - seconds)
                if link.left <= seconds:
                    del self.links[who]

    @rule()
    def the_sweep_comes_by(self):
        tasks.sweep()
        assert not MicLink.objects.overdue().filter(live=self.live).exists()

    # What is true after each

    @invariant()
    def rows_and_lists_agree(self):
        self.move_the_clock()
        users = self.phones["owner"].get("live/list-live-users", liveId=self.live.pk)["users"]
        shown = {user["id"]: user["confStatus"] for user in users if "confStatus" in user}
        assert shown == {self.people[who].pk: BUTTONS[link.state] for who, link in self.links.items()}
        for who in self.links:
            current = MicLink.objects.current().get(live=self.live, user=self.people[who])
            assert MicLink.State(current.state).name == self.links[who].state
        assert MicLink.objects.filter(live=self.live, state__in=MicLink.LINKED).count() <= 1

    def move_the_clock(self):
        """Deadlines of the rows are as far away as they should be, however long the test took."""
        for who, person in enumerate(self.people):
            current = MicLink.objects.current().filter(live=self.live, user=person, deadline__isnull=False)
            left = self.links[who].left if who in self.links else -1
            current.update(deadline=Now() + timedelta(seconds=left))


def test_whatever_happens_rows_answers_and_arithmetic_agree(told):
    run_state_machine_as_test(
        Evening,
        settings=settings(
            max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
