"""What a room is, in a few lines of arithmetic without a database: who sits in it, what was said about whom, and whose
the microphone is (D21-D25, D44). Each deed answers with its errorcode; refused, it changes nothing."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

OWNER: Literal["owner"] = "owner"
Who = int | Literal["owner"]

SEATS = 4
VIEWERS_LEASE, OWNERS_LEASE = 45, 90
KNOCK_PAUSE, QUIET = 60, 10
TO_ANSWER, TO_JOIN, TO_CONNECT = 30, 10, 6
A_MOMENT = 0.001  # between one deed and the next: what comes later is later

NO_LIVE, FULL, NOT_INSIDE, FORBIDDEN, ENDED = 731, 505, 506, 711, 725


@dataclass
class Guest:
    """Moments are seconds since the room was opened."""

    lease: float | None = None  # of the seat; None for who has none
    came: float | None = None
    knocked: float | None = None
    invited: float | None = None
    key: int = 0  # number of the invitation that was not used
    kicked: bool = False
    muted: bool = False
    manages: bool = False


@dataclass
class Link:
    state: str
    until: float | None
    joined: set[Who] = field(default_factory=set)
    heard: set[Who] = field(default_factory=set)

    @property
    def is_linked(self) -> bool:
        return self.state not in ("REQUESTED", "INVITED")


class Room:
    def __init__(self, viewers: int) -> None:
        self.now = 0.0
        self.is_open = True
        self.seats, self.locked = SEATS, 0
        self.guests: dict[Who, Guest] = {who: Guest() for who in [*range(viewers), OWNER]}
        self.owner_until = self.guests[OWNER].lease = OWNERS_LEASE
        self.links: dict[Who, Link] = {}
        self.asked: set[Who] = set()
        self.keys = 0
        self.told: Counter[str] = Counter()

    # --- What is true now ----------------------------------------------------------------------------------------

    @property
    def taken(self) -> int:
        return sum(guest.lease is not None for guest in self.guests.values())

    @property
    def free(self) -> int:
        return self.seats - self.taken - self.locked

    @property
    def silent(self) -> list[Who]:
        """Viewers whose seats are anybody's: they will be counted out by whoever needs one, or the sweep."""
        return [who for who, guest in self.guests.items() if who != OWNER and self._is_over(guest.lease)]

    @property
    def is_overdue(self) -> bool:
        return self.is_open and self._is_over(self.owner_until)

    @property
    def is_on_air(self) -> bool:
        return self.is_open and not self.is_overdue

    @property
    def running(self) -> Who | None:
        return next((who for who, link in self.links.items() if link.is_linked), None)

    @property
    def knockers(self) -> list[Who]:
        """Who waits for an answer, the latest first."""
        waiting = {who: guest.knocked for who, guest in self.guests.items() if guest.knocked and self._waits(who)}
        return sorted(waiting, key=waiting.__getitem__, reverse=True)

    def _waits(self, who: Who) -> bool:
        guest = self.guests[who]
        answered = max(guest.invited or 0, guest.came or 0)
        return not guest.kicked and not self.is_inside(who) and answered < (guest.knocked or 0)

    def is_inside(self, who: Who) -> bool:
        lease = self.guests[who].lease
        return lease is not None and not self._is_over(lease)

    def moderates(self, who: Who) -> bool:
        return who == OWNER or (self.guests[who].manages and self.is_inside(who))

    def _is_over(self, moment: float | None) -> bool:
        return moment is not None and moment <= self.now

    # --- Time ----------------------------------------------------------------------------------------------------

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        for who, link in list(self.links.items()):
            if self._is_over(link.until) or not self.is_inside(who):
                self._cut(who)

    def somebody_calls(self) -> None:
        """The next reader ends what is overdue."""
        self.pass_time(A_MOMENT)
        if self.is_overdue:
            self._end()

    def sweep(self) -> dict[str, int]:
        self.pass_time(A_MOMENT)
        ended = int(self.is_overdue)
        if ended:
            self._end()
        return {"lives": ended, "viewers": self._let_out(self.silent)}

    def _end(self) -> None:
        self.is_open = False
        self.told["stop-live"] += 1
        for who in list(self.links):
            self._cut(who)
        for guest in self.guests.values():
            guest.lease = None

    # --- Coming and going ----------------------------------------------------------------------------------------

    def join(self, by: Who, key: int = 0) -> int:
        self.somebody_calls()
        me = self.guests[by]
        if not self.is_open:
            return ENDED
        if me.lease is None:
            if me.kicked:
                return 737
            invited = bool(key) and key == me.key
            if not self._takes_seat(invited):
                return FULL
            me.came = self.now
            me.key = 0 if invited else me.key
        me.lease = self.now + (OWNERS_LEASE if by == OWNER else VIEWERS_LEASE)
        return 0

    def _takes_seat(self, invited: bool) -> bool:
        if self.free > 0:
            return True
        if self._let_out(self.silent):
            return True
        if invited and self.locked:
            self.locked -= 1
            return True
        return False

    def _let_out(self, people: list[Who]) -> int:
        gone = [who for who in people if self.guests[who].lease is not None]
        for who in gone:
            self.guests[who].lease = None
            self._cut(who)
        return len(gone)

    def quit(self, by: Who) -> int:
        self.somebody_calls()
        if by != OWNER:
            self._let_out([by])
        return 0

    def stop(self, by: Who) -> int:
        self.somebody_calls()
        if by == OWNER and self.is_open:
            self._end()
        return 0

    def beat(self, by: Who) -> int:
        self.somebody_calls()
        if not self.is_open:
            return ENDED
        if not self.is_inside(by):
            return NOT_INSIDE
        self.guests[by].lease = self.now + (OWNERS_LEASE if by == OWNER else VIEWERS_LEASE)
        if by == OWNER:
            self.owner_until = self.now + OWNERS_LEASE
        return 0

    # --- Seats ---------------------------------------------------------------------------------------------------

    def lock(self, by: Who) -> int:
        self.somebody_calls()
        if refused := self._refused_to(by):
            return refused
        if self.free + (len(self.silent) if self.free <= 0 else 0) <= 0 or self.seats - self.locked <= 2:
            return 502
        if self.free <= 0:
            self._let_out(self.silent)
        self.locked += 1
        return 0

    def unlock(self, by: Who) -> int:
        self.somebody_calls()
        if refused := self._refused_to(by):
            return refused
        self.locked = max(self.locked - 1, 0)
        return 0

    def _refused_to(self, by: Who) -> int:
        """What only the owner of an open live may do."""
        return FORBIDDEN if by != OWNER else 0 if self.is_open else NO_LIVE

    def resize(self, seats: int) -> bool:
        """By operators, who are nobody's next reader."""
        self.pass_time(A_MOMENT)
        if not self.is_open:
            return False
        if seats < self.taken + self.locked:
            self._let_out(self.silent)
        if seats < max(self.taken, 2) + self.locked:
            return False
        self.seats = seats
        return True

    def knock(self, by: Who) -> int:
        self.somebody_calls()
        me = self.guests[by]
        if by == OWNER:
            return FORBIDDEN
        if not self.is_open:
            return NO_LIVE
        if me.kicked:
            return FORBIDDEN
        if self.is_inside(by):
            return 0
        if me.knocked is not None and not self._is_over(me.knocked + KNOCK_PAUSE):
            return 504
        me.knocked = self.now
        self.told["live-knock"] += 1
        return 0

    def invite(self, by: Who, target: Who) -> int:
        self.somebody_calls()
        if by != OWNER:
            return FORBIDDEN
        if target == OWNER:
            return 700
        if not self.is_open:
            return NO_LIVE
        guest = self.guests[target]
        rung_just_now = guest.invited is not None and not self._is_over(guest.invited + QUIET) and guest.key
        if self.is_inside(target) or rung_just_now:
            return 0
        if not guest.key:
            self.keys += 1
            guest.key = self.keys
        guest.invited, guest.kicked = self.now, False
        self.told["live-invite"] += 1
        return 0

    def kick(self, by: Who, target: Who) -> int:
        self.somebody_calls()
        guest = self.guests[target]
        if target == OWNER or not self.moderates(by):
            return FORBIDDEN
        if not self.is_open:
            return NO_LIVE
        if by != OWNER and guest.manages:
            return FORBIDDEN
        guest.kicked, guest.key, guest.manages = True, 0, False
        self.told["quit-live"] += self._let_out([target])
        return 0

    # --- Order ---------------------------------------------------------------------------------------------------

    def appoint(self, by: Who, target: Who) -> int:
        self.somebody_calls()
        if refused := self._refused_to(by):
            return refused
        if target == OWNER:
            return 700
        self.guests[target].manages = True
        return 0

    def dismiss(self, by: Who, target: Who) -> int:
        self.somebody_calls()
        if refused := self._refused_to(by):
            return refused
        self.guests[target].manages = False
        return 0

    def mute(self, by: Who, target: Who, *, muted: bool) -> int:
        self.somebody_calls()
        if not self.is_open:
            return NO_LIVE
        if target == OWNER or not self.moderates(by) or (by != OWNER and self.guests[target].manages):
            return FORBIDDEN
        if self.guests[target].muted != muted:
            self.guests[target].muted = muted
            self.told["shutup-user" if muted else "shutup-open-user"] += 1
        return 0

    def say(self, by: Who) -> int:
        self.pass_time(A_MOMENT)  # nobody's next reader: a text looks for its room itself
        if not self.is_on_air:
            return 733
        if not self.is_inside(by):
            return NOT_INSIDE
        return 722 if self.guests[by].muted else 0

    # --- The microphone ------------------------------------------------------------------------------------------

    def ask(self, by: Who, target: Who = OWNER) -> int:
        self.somebody_calls()
        if not self.is_open:
            return NO_LIVE
        who, own, others = (target, "INVITED", "REQUESTED") if by == OWNER else (by, "REQUESTED", "INVITED")
        if who == OWNER:
            return 700
        if by != OWNER and not self.is_inside(by):
            return NOT_INSIDE
        link = self.links.get(who)
        if link and link.state != others:
            return 0
        if by != OWNER and self.guests[by].muted:
            return 722
        if self.running is not None or not self.is_inside(who):
            return 742
        if link:
            self._agree(who)
        else:
            self.links[who] = Link(own, self.now + TO_ANSWER)
            self.asked.add(who)
        return 0

    def accept(self, by: Who, target: Who = OWNER) -> int:
        self.somebody_calls()
        if not self.is_open:
            return NO_LIVE
        who, awaited = (target, "REQUESTED") if by == OWNER else (by, "INVITED")
        link = self.links.get(who)
        if link is None:
            return 409 if who in self.asked else 742
        if link.is_linked:
            return 0
        if link.state != awaited:
            return 742
        if self.running is not None:
            return 739 if by == OWNER else 409
        self._agree(who)
        return 0

    def refuse(self, by: Who, target: Who = OWNER) -> int:
        self.somebody_calls()
        who = target if by == OWNER else by
        link = self.links.get(who)
        if link is None:
            return self._repeated(who in self.asked)
        if link.is_linked:
            return 742
        self._cut(who)
        return 0

    def enter(self, by: Who) -> int:
        self.somebody_calls()
        link = self._link_of(by)
        if isinstance(link, int):
            return link
        if by not in link.joined:
            link.joined.add(by)
            if len(link.joined) == 1:
                link.until = self.now + TO_CONNECT
            else:
                link.state = "WAITING"
        return 0

    def be_heard(self, by: Who) -> int:
        self.somebody_calls()
        link = self._link_of(by)
        if isinstance(link, int):
            return link
        if by not in link.joined:
            return 742
        link.heard.add(by)
        if len(link.heard) == 2:
            link.state, link.until = "CONNECTED", None
        return 0

    def hang_up(self, by: Who) -> int:
        self.somebody_calls()
        who = self.running if by == OWNER else by
        if who is None or who not in self.links:
            return self._repeated(bool(self.asked) if by == OWNER else by in self.asked)
        self._cut(who)
        return 0

    def _agree(self, who: Who) -> None:
        self.links[who].state, self.links[who].until = "JOINING", self.now + TO_JOIN
        self.told["join-conference"] += 2

    def _link_of(self, by: Who) -> Link | int:
        if not self.is_open:
            return NO_LIVE
        running = self.running
        if running is not None and by in (OWNER, running):
            return self.links[running]
        return 742 if by in self.links else 750

    def _repeated(self, asked_before: bool) -> int:
        return 0 if asked_before else 742 if self.is_open else NO_LIVE

    def _cut(self, who: Who) -> None:
        link = self.links.pop(who, None)
        if link and link.is_linked:
            self.told["microphone free"] += 1
