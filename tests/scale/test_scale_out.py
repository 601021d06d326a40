"""Two of each behind nginx, and what may happen to them: nobody loses a message, a seat or a coin."""

import asyncio
import http.client
import itertools
import json
import random
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlencode

import pytest

from tests.faults.crowd import UNREACHABLE, Card, Crowd, Person
from tests.processes import answers, wait_until
from tests.scale.deployment import RECOVERY, WORKERS, Deployment, deployed, kill
from tests.venue import Venue

PRICE, GOLD, ROSE = 2, 10_000, 103
SEATS, RACERS = 8, 16  # in the small room
OK, NO_SEAT, FAULT, GONE = 0, 505, -1, 1012

evenings = pytest.mark.parametrize(
    ("people", "calm"),
    [pytest.param(12, 1, id="short"), pytest.param(60, 15, id="minutes", marks=pytest.mark.soak)],
)


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[Deployment, Venue]]:
    with deployed() as found:
        yield found


@pytest.fixture
def deployment(place: tuple[Deployment, Venue]) -> Deployment:
    return place[0]


@pytest.fixture
def venue(place: tuple[Deployment, Venue]) -> Venue:
    return place[1]


# --- Money and seats while all that goes on ------------------------------------------------------------------


async def surely(person: Person, path: str, **params: object) -> int:
    """As a phone does: again until there is an answer that is not a fault of ours."""
    async with asyncio.timeout(60):
        while True:
            try:
                code = await person.call(path, **params)
            except UNREACHABLE:
                code = FAULT
            if code != FAULT:
                return code
            await asyncio.sleep(0.2)


@dataclass
class Giving:
    """Everybody but the host gives roses, each under a key of its own, until they are told to stop."""

    crowd: Crowd
    room: int
    given: dict[int, int] = field(default_factory=dict)
    refused: list[int] = field(default_factory=list)

    @contextmanager
    def going_on(self, pause: float) -> Iterator[None]:
        done = asyncio.Event()
        thumbs = [
            asyncio.run_coroutine_threadsafe(self._give(person, done, pause), self.crowd._loop)
            for person in self.crowd.people[1:]
        ]
        try:
            yield
        finally:
            self.crowd._loop.call_soon_threadsafe(done.set)
            for thumb in thumbs:
                thumb.result(90)

    async def _give(self, person: Person, done: asyncio.Event, pause: float) -> None:
        for number in itertools.count(1):
            combo = f"{person.id:016d}{number:016d}"
            gift = {"liveId": self.room, "giftId": ROSE, "amount": 1, "gift_uuid": combo}
            code = await surely(person, "live/buy-gift", **gift)
            if code:
                self.refused.append(code)
            self.given[person.id] = number
            try:
                await asyncio.wait_for(done.wait(), pause)
            except TimeoutError:
                continue
            return

    def is_in_the_books(self, venue: Venue) -> None:
        """I3: what was answered was charged, once; what was charged has arrived."""
        assert self.refused == []
        for person in self.crowd.people[1:]:
            assert balance(venue, person.id, "gold") == GOLD - PRICE * self.given[person.id]
        given = sum(self.given.values())
        assert balance(venue, self.crowd.people[0].id, "point") == PRICE * given
        assert venue.reconcile().startswith("The ledger is sound")


def balance(venue: Venue, user_id: int, currency: str) -> int:
    purse = "SELECT balance FROM payment_account WHERE owner_id = %s AND currency = %s"
    return venue.sql(purse, user_id, currency) or 0


GRANT = """
from payment import ledger
from payment.models import Currency
for user_id in {people}:
    legs = [ledger.Leg(ledger.gold(user_id), {gold}), ledger.Leg(ledger.house("grants", Currency.GOLD), -{gold})]
    ledger.post(key=f"scale:{{user_id}}", reason="grant", legs=legs)
"""


def with_gold(venue: Venue, crowd: Crowd) -> None:
    venue.run(GRANT.format(people=[person.id for person in crowd.people[1:]], gold=GOLD))


@contextmanager
def a_race_for_seats(venue: Venue, crowd: Crowd) -> Iterator[None]:
    """Sixteen want into a room of eight while the `with` lasts. I4: seven get in beside its owner."""
    cards = [Card(*one) for one in venue.people(RACERS + 1)]
    host, *racers = [Person(card, crowd.people[0].places, crowd.book) for card in cards]
    room = crowd.run(crowd._open_room(host))
    venue.sql("UPDATE live_live SET owner_deadline = now() + interval '1 hour' WHERE id = %s", room)

    async def come(person: Person) -> int:
        await asyncio.sleep(random.uniform(0, 3))
        return await surely(person, "live/join-live", liveId=room)

    async def race() -> list[int]:
        return await asyncio.gather(*map(come, racers))

    running = asyncio.run_coroutine_threadsafe(race(), crowd._loop)
    yield
    codes = running.result(90)
    assert sorted(codes) == [OK] * (SEATS - 1) + [NO_SEAT] * (RACERS - SEATS + 1)
    assert venue.sql("SELECT occupied FROM live_live WHERE id = %s", room) == SEATS
    assert venue.sql("SELECT count(*) FROM live_member WHERE live_id = %s AND left_at IS NULL", room) == SEATS


# --- An evening ----------------------------------------------------------------------------------------------


@contextmanager
def crowd_in_a_room(deployment: Deployment, venue: Venue, people: int) -> Iterator[tuple[Crowd, Giving]]:
    cards = [Card(*one) for one in venue.people(people)]
    with Crowd(cards, lambda n: [deployment.port]) as crowd:
        with_gold(venue, crowd)
        crowd.gather(60)
        room = crowd.open_room()
        venue.keep_open(room)
        crowd.enter(room)
        venue.keep_inside(room)
        yield crowd, Giving(crowd, room)
        assert venue.sql("SELECT occupied FROM live_live WHERE id = %s", room) == people, "nobody lost their seat"


def sockets_of(deployment: Deployment, number: int) -> int:
    """Established connections of this web process that came with a socket's upgrade, as it counts them itself."""
    line = http.client.HTTPConnection("127.0.0.1", deployment.web_ports[number], timeout=5)
    with closing(line):
        line.request("GET", "/metrics")
        text = line.getresponse().read().decode()
    found = re.search(r"^heihei_sockets (\S+)$", text, re.M)
    assert found
    return int(float(found[1]))


def another_takes_over(former: int | None, now: Callable[[], int | None]) -> bool:
    return now() not in (None, former)


@evenings
def test_one_of_each_is_killed_and_nobody_loses_anything(deployment, venue, people, calm):
    with crowd_in_a_room(deployment, venue, people) as (crowd, giving):
        wait_until(
            lambda: sum(sockets_of(deployment, n) for n in (0, 1)) >= people, 20, "each process counts its sockets"
        )
        assert min(sockets_of(deployment, n) for n in (0, 1)) >= people // 4, "they are spread over both"
        roles = [partial(deployment.web, 0), partial(deployment.worker, WORKERS[0]), deployment.beat]
        with giving.going_on(0.5), crowd.talking():
            with a_race_for_seats(venue, crowd):
                for role in roles:
                    time.sleep(calm)
                    former = role()
                    with crowd.book.fault():
                        kill(former, signal.SIGKILL)
                        wait_until(partial(another_takes_over, former, role), RECOVERY, "it is started again")
            wait_until(lambda: answers(deployment.web_ports[0], "/health"), RECOVERY, "all is well again")
            time.sleep(calm)
        crowd.settle(at_least=people * 3)
        giving.is_in_the_books(venue)


@evenings
def test_a_rolling_restart_is_noticed_by_nobody(deployment, venue, people, calm):
    """One process after the other is asked to end: sockets are told 1012 and come back to the other one, calls that
    were begun are answered, and no call at all is answered with a fault."""
    with crowd_in_a_room(deployment, venue, people) as (crowd, giving):
        with giving.going_on(0.3), crowd.talking():
            for number in (0, 1):
                time.sleep(calm)
                former = deployment.web(number)
                kill(former, signal.SIGTERM)
                again = partial(another_takes_over, former, partial(deployment.web, number))
                wait_until(again, RECOVERY, "the next release runs")
                wait_until(lambda n=number: answers(deployment.web_ports[n], "/health/live"), RECOVERY, "it answers")
                time.sleep(1.5)  # nginx asks again after a second who is back
                worker = deployment.worker(WORKERS[number])
                kill(worker, signal.SIGTERM)
                again = partial(another_takes_over, worker, partial(deployment.worker, WORKERS[number]))
                wait_until(again, RECOVERY, "the worker ends what it has in hand and is replaced")
            time.sleep(calm)
        crowd.settle(at_least=people * 3)
        giving.is_in_the_books(venue)
        closes = [code for person in crowd.people for _, code in person.closes]
        assert set(closes) == {GONE}, "each was asked, none was cut"
        assert len(closes) >= people
        assert not [code for person in crowd.people for code in person.refusals if code == FAULT]


def test_a_call_under_way_is_answered_by_a_process_that_was_asked_to_end(deployment, venue):
    """The gift waits for the purse, which somebody holds; meanwhile the process is told to go."""
    cards = [Card(*one) for one in venue.people(2)]
    with Crowd(cards, lambda n: [deployment.web_ports[0]]) as crowd:
        with_gold(venue, crowd)
        crowd.gather(60)
        room = crowd.open_room()
        crowd.enter(room)
        giver = crowd.people[1]
        gift = {"liveId": room, "giftId": ROSE, "amount": 1, "gift_uuid": "underway".ljust(32, "0")}
        former = deployment.web(0)
        with venue.database() as cursor:
            purse = "SELECT 1 FROM payment_account WHERE owner_id = %s AND currency = 'gold' FOR UPDATE"
            cursor.execute(purse, [giver.id])
            asked = asyncio.run_coroutine_threadsafe(giver.ask("live/buy-gift", **gift), crowd._loop)
            waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            wait_until(lambda: venue.sql(waits) >= 1, 10, "the gift waits")
            kill(former, signal.SIGTERM)
            time.sleep(0.5)
            assert not asked.done()
        assert asked.result(10) == {"errorcode": 0, "errormsg": "success", "gold": GOLD - PRICE}
        again = partial(another_takes_over, former, partial(deployment.web, 0))
        wait_until(again, RECOVERY, "it has ended all the same")
    wait_until(lambda: answers(deployment.web_ports[0], "/health/live"), RECOVERY, "it is back")


# --- What nginx is for ---------------------------------------------------------------------------------------


def get(port: int, target: str, *, body: bytes = b"", headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    """A request as bytes: the address may hold raw UTF-8, as people write it with curl."""
    lines = {"Host": "127.0.0.1", "Connection": "close", "Content-Length": str(len(body)), **(headers or {})}
    head = "\r\n".join([f"{'POST' if body else 'GET'} {target} HTTP/1.1", *(": ".join(line) for line in lines.items())])
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        line.sendall(f"{head}\r\n\r\n".encode() + body)
        answer = http.client.HTTPResponse(line)
        answer.begin()
        return answer.status, answer.read()


def test_what_is_inside_stays_inside(deployment, venue):
    close_room = "/messageserver/api/msg/close-room.action"
    playground = ("/playground", "/playground/code?phoneNo=13800000000")
    for path in ("/metrics", "/hooks/rtmp/publish", close_room, *playground):
        assert get(deployment.port, path)[0] == 404, path
    for path in ("/metrics", close_room):
        assert get(deployment.web_ports[0], path)[0] == 200, "asked directly"


def test_an_address_that_a_caller_makes_up_is_not_believed(deployment, venue):
    forged = {"X-Forwarded-For": "6.6.6.6", "X_Forwarded_For": "6.6.6.6", "Forwarded": "for=6.6.6.6"}
    assert get(deployment.port, "/api/sys/update?forged=1", headers=forged)[0] == 200
    wait_until(lambda: "GET /api/sys/update" in deployment.log(), 10, "the call is in the log")
    [line] = [json.loads(line) for line in deployment.log().splitlines() if '"GET /api/sys/update"' in line][-1:]
    assert line["ip"] == "127.0.0.1"
    assert "6.6.6.6" not in deployment.log()


def test_what_never_reached_us_is_answered_as_the_apps_understand(deployment, venue):
    """D3: HTTP 200 and an errorcode, also for a body that nginx does not take."""
    status, content = get(deployment.port, "/api/user/update", body=b"x" * (3 * 1024 * 1024))
    assert (status, json.loads(content)["errorcode"]) == (200, 700)
    status, content = get(deployment.port, "/api/user/search?queryParameter=小雨")
    assert (status, json.loads(content)["errorcode"]) == (200, 720)


def test_with_every_process_gone_a_call_is_told_so_and_no_token_reaches_a_log(deployment, venue):
    """In its own errors nginx writes the whole request line: those are kept out."""
    token = venue.people(1)[0][1]
    former = [deployment.web(number) for number in (0, 1)]
    try:
        for pid in former:
            kill(pid, signal.SIGKILL)
        status, content = get(deployment.port, f"/api/user/info?{urlencode({'token': token})}")
    finally:
        for number in (0, 1):
            again = partial(another_takes_over, former[number], partial(deployment.web, number))
            wait_until(again, RECOVERY, "it is started again")
    answer = json.loads(content)
    assert (status, answer["errorcode"], answer["errormsg"]) == (200, -1, "服务器开小差了")
    logs = {path.name: path.read_text() for path in (deployment.var / "nginx").glob("*.log")}
    assert answer["traceId"] in logs["access.log"], "and can be found there"
    wait_until(
        lambda: get(deployment.port, f"/api/user/info?token={token}")[1].startswith(b'{"errorcode":0'), 30, "back"
    )
    everything = "\n".join(logs.values()) + deployment.log()
    assert token not in everything and "token=" not in everything
