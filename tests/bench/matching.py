"""`python -m tests.bench matching`: a thousand phones look for somebody while web processes are killed.

Each phone calls match-chat on any of several web processes, and again where it gets no answer, as the apps do; every
other second one of these processes is killed and started anew. What must hold is asked from the rows afterwards: pairs
are disjoint, nobody is given to whom they block, both are told, and nobody waits longer than 15 s for an answer: who is
told to come in has one, whatever became of the call.
"""

import argparse
import asyncio
import itertools
import json
import random
import signal
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import uvloop

from tests.bench import report
from tests.processes import Instance, Web

PATIENCE, TRIES = 2.0, 4  # of the apps: seconds for an answer, and how often they ask (D9)
AFTERWARDS = 3.0  # seconds for the sweep to pair whom nobody found
BLOCKS_EACH = 3


@dataclass
class Crowd:
    """Who looks, with a token each, and when they began to."""

    tokens: dict[int, str]
    began: dict[int, float] = field(default_factory=dict)
    unanswered: int = 0  # calls that got no answer
    unheard: set[int] = field(default_factory=set)  # people none of whose calls did


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench ARGS=matching", description=__doc__)
    parser.add_argument("--people", type=int, default=1_000)
    parser.add_argument("--webs", type=int, default=3, help="web processes")
    parser.add_argument("--over", type=float, default=25, help="seconds in which they come")
    parser.add_argument("--kills", type=int, default=4, help="of web processes meanwhile")
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    given = parser.parse_args()
    report.run("matching", given, lambda running: measure_all(running, given))


def measure_all(running: Instance, given: argparse.Namespace) -> str:
    rows = []
    for kills in (0, given.kills):
        rows.append(evening(running, people_who_look(given.people), given, kills))
        forget_calls()
    heads = ["Kills", "Pairs/s", "Paired", "Waited s: median", "95 %", "99 %", "longest", "Calls unanswered"]
    return (
        f"{report.table(heads, rows)}\n\n{given.people:,} people come over {given.over:g} s to {given.webs} web "
        f"processes, {BLOCKS_EACH} blocks each; every other second one process is killed. Waiting ends when both are "
        "told to come in. Pairs are disjoint, nobody got whom they block, and nobody was left without an answer."
    )


def forget_calls() -> None:
    """Nobody keeps them up: they would end by the hundred during the next evening."""
    from django.db import transaction

    from chat.models import Chat

    with transaction.atomic():
        list(Chat.objects.order_by("pk").select_for_update())  # in the order of whoever ends them
        Chat.objects.all().delete()


def evening(running: Instance, crowd: Crowd, given: argparse.Namespace, kills: int) -> list[str]:
    with ExitStack() as stack:
        webs: list[Web] = [stack.enter_context(running.another_web()) for _ in range(given.webs)]
        ports = [web.port for web in webs]
        uvloop.run(look(crowd, ports, given.over, killer(running, webs, stack, ports, kills)))
    time.sleep(AFTERWARDS)
    waited, seconds = check(crowd)
    cuts = statistics.quantiles(waited, n=100, method="inclusive")
    figures = [f"{statistics.median(waited):.2f}", *(f"{cuts[at]:.2f}" for at in (94, 98)), f"{max(waited):.2f}"]
    paired = f"{len(waited)} of {len(crowd.tokens)}"
    return [str(kills), f"{len(waited) / 2 / seconds:.0f}", paired, *figures, str(crowd.unanswered)]


def people_who_look(many: int) -> Crowd:
    """Men and women alternately, and whom they block."""
    from tests import factories
    from users.models import Block

    people = [factories.person(gender=gender) for gender in itertools.islice(itertools.cycle(["Male", "Female"]), many)]
    chance = random.Random(many)
    pairs = {tuple(chance.sample(people, 2)) for _ in range(BLOCKS_EACH * many)}
    Block.objects.bulk_create([Block(user=one, target=other) for one, other in pairs])
    return Crowd({person.pk: factories.token(person) for person in people})


# --- Looking -----------------------------------------------------------------------------------------------------


async def look(crowd: Crowd, ports: list[int], over: float, killing: Any) -> None:
    gap = over / len(crowd.tokens)
    phones = [phone(crowd, who, ports, number * gap) for number, who in enumerate(crowd.tokens)]
    await asyncio.gather(killing, *phones)


async def phone(crowd: Crowd, who: int, ports: list[int], after: float) -> None:
    await asyncio.sleep(after)
    crowd.began[who] = time.time()
    for number in range(TRIES):
        asked = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await answered(ports[(who + number) % len(ports)], crowd.tokens[who])
            if b'"errorcode":0' in answer[:20]:
                return
            raise SystemExit(f"match-chat: {json.loads(answer)}")
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass
        crowd.unanswered += 1
        await asyncio.sleep(max(0, asked + PATIENCE - time.monotonic()))
    crowd.unheard.add(who)


async def answered(port: int, token: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        query = urlencode({"token": token})
        writer.write(f"GET /api/chat/match-chat?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        return await reader.readexactly(length)
    finally:
        writer.close()


async def killer(running: Instance, webs: list[Web], stack: ExitStack, ports: list[int], kills: int) -> None:
    for number in range(kills):
        await asyncio.sleep(1)
        place = number % len(webs)
        webs[place].process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(webs[place].process.wait)
        await asyncio.sleep(1)
        webs[place] = await asyncio.to_thread(stack.enter_context, running.another_web())
        ports[place] = webs[place].port


# --- What came of it ---------------------------------------------------------------------------------------------


def check(crowd: Crowd) -> tuple[list[float], float]:
    """How long each waited, and the seconds from the first call to the last pair. Raises where something is wrong."""
    from chat.models import Chat, Side

    chats = list(Chat.objects.filter(kind=Chat.Kind.MATCH, caller__in=crowd.tokens))
    taken = Counter(who for chat in chats for who in chat.people)
    assert not [who for who, calls in taken.items() if calls > 1], "somebody was given to two"
    assert set(Counter(Side.objects.filter(busy=True).values_list("user_id", flat=True)).values()) <= {1}
    assert not list(blocked(chats)), "somebody was given to whom they block"
    assert told_to_join(set(taken)) == set(taken), "somebody waits in a call that the other does not know of"
    assert not crowd.unheard - set(taken), "somebody never heard of it again"
    left = set(crowd.tokens) - set(taken)
    assert len(left) <= 1 + BLOCKS_EACH, f"{len(left)} found nobody"
    ended = {who: chat.answered_at.timestamp() for chat in chats for who in chat.people if chat.answered_at}
    waited = [max(0.0, ended[who] - crowd.began[who]) for who in taken]
    assert max(waited) <= 15, "somebody waited longer than a phone does"
    return waited, max(ended.values()) - min(crowd.began.values())


def blocked(chats: list[Any]) -> Iterator[Any]:
    from users.models import Block

    pairs = set(Block.objects.values_list("user_id", "target_id"))
    return (chat for chat in chats if {chat.people, chat.people[::-1]} & pairs)


def told_to_join(people: set[int]) -> set[int]:
    from heihei_site.realtime.models import Message, StreamKind

    rows = Message.objects.filter(kind=StreamKind.PERSON, owner_id__in=people)
    return {owner for owner, element in rows.values_list("owner_id", "element") if "join-chat" in str(element)}


if __name__ == "__main__":
    main()
