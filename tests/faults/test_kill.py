"""kill -9 of one process after the other, in the middle of an evening (invariants I3, I8; issue: nothing is charged
twice, the room goes on)."""

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

import pytest

from tests.app import Answer
from tests.client import Phone
from tests.faults.plugs import RECOVERY, dead, kill, last_job
from tests.processes import wait_until
from tests.venue import Venue

SWEEP = 10  # seconds: the sweep comes every five
PRICE, GOLD = 2, 1000
ROSE = 103


@dataclass
class Evening:
    """小雨 on air, 阿南 in her room, who gives away roses."""

    venue: Venue
    anchor: Phone
    viewer: Phone
    given: int = 0
    words: "itertools.count[int]" = field(default_factory=itertools.count)

    @property
    def phones(self) -> tuple[Phone, Phone]:
        return self.anchor, self.viewer

    def give(self, combo: str) -> Answer:
        """A rose under a key of its own; whoever sends it again gives the same one."""
        return self.viewer.gift(ROSE, 1, combo.ljust(32, "0"))

    def silence(self, phone: Phone) -> None:
        """This phone's last heart-beat was too long ago."""
        who = "user_id = %s AND live_id = %s"
        self.venue.sql(f"UPDATE live_member SET lease_until = now() WHERE {who}", phone.user.id, self.anchor.live.id)
        if phone is self.anchor:
            self.venue.sql("UPDATE live_live SET owner_deadline = now() WHERE id = %s", self.anchor.live.id)

    @property
    def left(self) -> int:
        return GOLD - self.given * PRICE

    def nothing_is_charged_twice(self, combo: str, *, left: int | None = None) -> None:
        """`left`: what the first answer said; the same key gives the same answer."""
        for _ in range(2):
            assert self.give(combo).ok
            assert self.viewer.screen.diamonds == (self.left if left is None else left)
        assert self.venue.gold(self.viewer) == self.left
        assert self.venue.points(self.anchor) == self.given * PRICE

    def the_next_text_arrives(self) -> None:
        """Both ways, each once."""
        for speaker, listener in (self.phones, self.phones[::-1]):
            assert self._heard(speaker, listener, seconds=5)

    def the_room_comes_back(self) -> None:
        """A socket that was just opened takes a moment before it belongs to its rooms; nobody tells when."""
        for speaker, listener in (self.phones, self.phones[::-1]):
            wait_until(partial(self._heard, speaker, listener, seconds=0.5), 10, "a text")

    def _heard(self, speaker: Phone, listener: Phone, *, seconds: float) -> bool:
        text = f"还在吗 {next(self.words)}"
        assert speaker.say(text).ok
        with suppress(AssertionError):
            listener.wait_for(lambda: text in listener.screen.texts(), seconds)
        return listener.screen.texts().count(text) == 1


@pytest.fixture
def evening(venue: Venue) -> Iterator[Evening]:
    anchor, viewer = venue.guest("小雨"), venue.guest("阿南", "Male", gold=GOLD)
    assert anchor.go_on_air("雨夜电台").ok and viewer.join_live(anchor.live.id).ok
    viewer.wait_for(lambda: viewer.received("action", action="list-live-users"))
    yield Evening(venue, anchor, viewer)
    anchor.switch_off()
    viewer.switch_off()


@contextmanager
def tapping(evening: Evening, combo: str) -> Iterator[None]:
    """A thumb that meanwhile sends one and the same gift again and again."""
    done = threading.Event()

    def tap() -> None:
        while not done.is_set():
            evening.give(combo)

    thread = threading.Thread(target=tap)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def recovers(venue: Venue, role: str) -> float:
    """Seconds, after a kill -9, until /health is 200, and not only because it remembers the job that it saw before:
    another one has gone through beat, broker and worker."""
    began, killed_at = time.monotonic(), time.time()
    kill(venue, role)
    wait_until(lambda: last_job(venue) > killed_at + 0.5, RECOVERY, f"a job is done after {role} was killed")
    assert venue.instance.healthy()
    return time.monotonic() - began


def test_an_evening_goes_on_whatever_is_killed(evening: Evening) -> None:
    venue, (anchor, viewer) = evening.venue, evening.phones
    evening.the_next_text_arrives()
    for role in ("web", "worker", "beat", "valkey", "postgres"):
        assert evening.give(f"before {role}").ok
        lines = [anchor._socket, viewer._socket]

        with tapping(evening, f"during {role}"):
            assert recovers(venue, role) < RECOVERY, role

        evening.given += 2
        evening.nothing_is_charged_twice(f"during {role}")
        evening.nothing_is_charged_twice(f"before {role}", left=evening.left + PRICE)
        if role == "web":
            for phone, line in zip(evening.phones, lines, strict=True):
                phone.wait_for(lambda phone=phone, line=line: phone._socket is not line and phone.connected)
                phone.beat()  # on a connection that died with the server; the app forgives one
            evening.the_room_comes_back()
        assert anchor.beat().ok and viewer.beat().ok
        evening.the_next_text_arrives()
        if role != "web":
            assert [anchor._socket, viewer._socket] == lines, f"nobody had to dial again for {role}"

    shown = [message.opt_str("gift_uuid") for message in anchor.received("gift")]
    assert len(shown) == len(set(shown)), "nothing is shown twice"
    assert anchor.look_again().status == 1 and anchor.screen.dialogs == []
    assert venue.reconcile().startswith("The ledger is sound")


def test_with_nobody_reading_the_sweep_ends_what_is_overdue(evening: Evening) -> None:
    venue, (anchor, viewer) = evening.venue, evening.phones
    evening.silence(viewer)
    anchor.wait_for(lambda: anchor.received("action", action="list-live-users", totalCount="1"), SWEEP)
    assert viewer.beat().code == 506
    assert viewer.join_live(anchor.live.id).ok

    evening.silence(anchor)
    viewer.wait_for(lambda: viewer.received("action", action="stop-live"), SWEEP)
    assert venue.sql("SELECT status FROM live_live WHERE id = %s", anchor.live.id) == 2


def test_without_worker_and_beat_the_next_reader_ends_what_is_overdue(evening: Evening) -> None:
    venue, (anchor, viewer) = evening.venue, evening.phones
    with dead(venue, "beat", "worker"):
        evening.silence(viewer)
        anchor.list_users()
        assert [user.id for user in anchor.screen.people] == [anchor.user.id]
        assert viewer.say("?").code == viewer.beat().code == 506
        assert viewer.join_live(anchor.live.id).ok

        evening.silence(anchor)
        assert venue.sql("SELECT status FROM live_live WHERE id = %s", anchor.live.id) == 1
        viewer.open_home()
        assert anchor.live.id not in [live.id for live in viewer.screen.feed]
        assert viewer.look_again().status == 2
        viewer.wait_for(lambda: viewer.screen.page == "end")
        assert anchor.beat().code == 725
        assert evening.give("too late").code == 731
        assert venue.gold(viewer) == GOLD
    assert len(viewer.received("action", action="stop-live")) == 1
