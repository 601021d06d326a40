"""I1 for what people write to each other: whatever is killed, each acknowledged message is exactly once on the stream,
in history, in the lists and their counts, and is pushed at most once to each phone of who was away."""

import json
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

import pytest

from tests.faults.crowd import Crowd, Person
from tests.faults.mail import KEY
from tests.faults.plugs import RECOVERY, kill
from tests.processes import wait_until
from tests.venue import Venue

ROLES = ("web", "worker", "valkey", "postgres")
evenings = pytest.mark.parametrize(
    ("people", "seconds", "roles"),
    [
        pytest.param(12, 0, ROLES, id="short"),
        pytest.param(50, 120, (*ROLES, "beat"), id="two minutes", marks=pytest.mark.soak),
    ],
)


@evenings
def test_nothing_that_people_write_is_lost_or_doubled(venue, crowd_of, people, seconds, roles):
    with crowd_of(people, away=people // 4) as crowd:
        for person in crowd.away:
            crowd.run(register(person))
        recoveries = talk_while_everything_dies(venue, crowd, roles, seconds)
        all_are_rung(venue, crowd)
        crowd.come_home()
        found = all_arrives(crowd)
        crowd.run(a_last_word(crowd.people))
        found += [wrong for person in crowd.people for wrong in crowd.run(what_is_wrong_for(person))]
        found += what_is_wrong_with_pushes(venue, crowd)
        report(crowd, recoveries)
        assert not found, f"{len(found)}: {found[:20]}"
        assert len(crowd.book.given) >= people * 5


async def register(person: Person) -> None:
    said = {"apnsType": "getui", "apnsToken": f"clientid-{person.id}", "deveiceType": "android", "uuid": "u"}
    assert await person.call("user/push-device-info", **said) == 0


def talk_while_everything_dies(venue: Venue, crowd: Crowd, roles: Sequence[str], seconds: float) -> dict[str, float]:
    """The longest each took to come back."""
    worst: dict[str, float] = {}
    end = time.monotonic() + seconds
    with crowd.talking():
        while True:
            for role in roles:
                time.sleep(0.5)
                with crowd.book.fault():
                    worst[role] = max(kill(venue, role), worst.get(role, 0))
            if time.monotonic() > end:
                break
        time.sleep(1)
    assert max(worst.values()) < RECOVERY
    return worst


def all_arrives(crowd: Crowd) -> list[str]:
    with suppress(AssertionError):
        wait_until(lambda: not crowd.look(crowd.book.missing), 30, "everything arrives")
    found = crowd.look(lambda: [*crowd.book.complaints, *crowd.book.missing(), *crowd.book.turned_around()])
    here = {f"{person.id} heard " for person in crowd.present}
    return found + [late for late in crowd.look(crowd.book.late) if late.startswith(tuple(here))]


async def a_last_word(people: list[Person]) -> None:
    """A count whose ring was lost is told with the next one."""
    for person, other in zip(people, people[1:] + people[:1], strict=True):
        await person.write(other.id)


async def what_is_wrong_for(person: Person) -> list[str]:
    stored = Counter(line.author for line in person.book.heard_by(person.id) if line.author != person.id)
    page = await person.ask("msg/message-list", limit=50)
    listed = {row["fromUserId"]: row["data"]["unread"] for row in page["messages"]}
    found = []
    if Counter({other: many for other, many in listed.items() if many}) != stored:
        found.append(f"{person.id} has unread {listed} of {dict(stored)}")
    if not page["unreadMsgCount"] == person.unread == stored.total():
        found.append(f"{person.id}: {page['unreadMsgCount']} unread, told {person.unread}, got {stored.total()}")
    history = await whole_history(person)
    heard = [line.key for line in person.book.heard_by(person.id)]
    if history != heard[::-1]:
        found.append(
            f"{person.id}: {len(history)} in the history ({len(set(history))} of them once), heard {len(heard)}"
        )
    return found


async def whole_history(person: Person) -> list[str]:
    """The newest first, page after page by position."""
    keys: list[tuple[int, str]] = []
    before: dict[str, int] = {}
    while True:
        page = await person.ask("msg/history-msg", **before)
        items = page["unReadMsg"] + page["readMsg"]
        if not items:
            return [key for _, key in sorted(keys, reverse=True)]
        for item in items:
            if found := KEY.search(item["msg"]["content"].get("text", "")):
                keys.append((item["seq"], found[0]))
        before = {"before": min(item["seq"] for item in items)}


def all_are_rung(venue: Venue, crowd: Crowd) -> None:
    phones = {f"clientid-{person.id}" for person in crowd.away}
    rung = partial(pushes_of, venue, crowd)
    wait_until(lambda: {clientid for clientid, _ in rung()} == phones, 40, "who is away is rung")


SENT = """
SELECT coalesce(array_agg(device.push_token || ' ' || push.notice_id), '{}')
FROM inbox_push AS push JOIN users_device AS device ON device.id = push.device_id
WHERE push.outcome = 1 AND push.user_id = ANY(%s)
"""
OTHERS = "SELECT count(*) FROM inbox_push WHERE NOT user_id = ANY(%s) AND user_id = ANY(%s)"


def what_is_wrong_with_pushes(venue: Venue, crowd: Crowd) -> list[str]:
    """What the rows say was sent was; nothing was twice, whoever died before noting it."""
    away, everyone = [person.id for person in crowd.away], [person.id for person in crowd.people]
    noted, rung = venue.sql(SENT, away), pushes_of(venue, crowd)
    found = [f"pushed {many} times: {push}" for push, many in rung.items() if many > 1]
    found += [f"noted, and not pushed: {push}" for push in noted if tuple(push.split()) not in rung]
    strangers = venue.sql(OTHERS, away, everyone)
    return found + ([f"{strangers} to who has no phone"] if strangers else [])


def pushes_of(venue: Venue, crowd: Crowd) -> "Counter[tuple[str, str]]":
    """By clientid and msgId."""
    away = [person.id for person in crowd.away]
    path = venue.instance.var / "outbox" / "push.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return Counter((line["clientid"], str(line["payload"]["msgId"])) for line in lines if line["userId"] in away)


def report(crowd: Crowd, recoveries: dict[str, float]) -> None:
    book = crowd.book
    delivered, delays = sum(len(book.heard_by(person.id)) for person in crowd.people), book.delays()
    doubled = sum(" twice" in wrong or " again " in wrong for wrong in book.complaints)
    gaps = sum("too early" in wrong for wrong in book.complaints) + len(book.missing())
    print(
        f"\n{len(crowd.people)} people: sent {len(book.lines)}, acknowledged {len(book.given)}, delivered {delivered}, "
        f"duplicates {doubled}, gaps {gaps}, slowest {delays[-1]:.1f} s; back after "
        + ", ".join(f"{role} {seconds:.1f} s" for role, seconds in recoveries.items())
    )
