"""`python -m tests.bench letters`: people who write to each other over their sockets; what a million messages take of
the disk; and whether the history's pages take longer where there are a million messages.

Each writer sends one message after the other and waits for its echo: that is acknowledged. The other one's socket gets
it: that is delivered.
"""

import argparse
import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any

import uvloop
from websockets.asyncio.client import ClientConnection, connect

from tests.bench import growing, report
from tests.bench.crowd import newcomers
from tests.bench.phones import Figures, cpu_seconds, database_pids, drive
from tests.processes import Instance

TABLES = (
    "inbox_instantmessage", "inbox_entry", "inbox_mailbox", "realtime_message", "realtime_stream", "inbox_push",
    "inbox_notice",
)  # fmt: skip
EACH = 2000  # messages a person keeps; so many people there are for a million of them
FIRST = 1_000_000  # id of a person who is in the tables only
_WRITTEN = """
INSERT INTO realtime_stream (kind, owner_id, last_seq, first_seq)
SELECT 1, %(first)s + person, %(each)s, 1 FROM generate_series(%(low)s, %(high)s - 1) AS person;
INSERT INTO realtime_message (kind, owner_id, seq, element, needs, created_at)
SELECT 1, %(first)s + person, seq,
    replace(%(element)s, '"msgId":1,', '"msgId":' || (%(first)s + person)::bigint * 10000 + seq || ','), 20000,
    now() - (%(each)s - seq) * interval '1 second'
FROM generate_series(%(low)s, %(high)s - 1) AS person, generate_series(1, %(each)s) AS seq
"""


@dataclass
class Letters:
    """When each was sent, acknowledged and delivered; by its clientMsgId."""

    sent: dict[str, float] = field(default_factory=dict)
    acknowledged: dict[str, float] = field(default_factory=dict)
    delivered: dict[str, float] = field(default_factory=dict)

    def milliseconds(self, ended: dict[str, float]) -> list[float]:
        return sorted(1000 * (at - self.sent[key]) for key, at in ended.items())


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench ARGS=letters", description=__doc__)
    parser.add_argument("--seconds", type=float, default=4, help="per measurement")
    parser.add_argument("--pairs", type=int, default=32, help="who write at once, at most")
    parser.add_argument("--most", type=int, default=1_000_000, help="messages in the tables")
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    given = parser.parse_args()
    report.run("letters", given, lambda running: measure_all(running, given))


def measure_all(running: Instance, given: argparse.Namespace) -> str:
    rows, stored = [], 0
    before = bytes_of(TABLES)
    for pairs in sorted({1, min(8, given.pairs), given.pairs}):
        row, many = measure(running, pairs, given.seconds)
        rows.append(row)
        stored += many
    growth = (bytes_of(TABLES) - before) / stored
    heads = [
        "Pairs",
        "Acknowledged/s",
        "p50 ms",
        "p99 ms",
        "Delivered/s",
        "p50 ms",
        "p99 ms",
        "CPU ms web",
        "CPU ms database",
    ]
    disk = f"A million messages take {growth / 1000:.1f} GB ({stored:,} were measured), indexes included."
    return "\n\n".join([report.table(heads, rows), disk, history(running, given)])


def measure(running: Instance, pairs: int, seconds: float) -> tuple[list[str], int]:
    writers = newcomers(2 * pairs)
    cpu = cpu_seconds([running.process("web") or 0]), cpu_seconds(database_pids(running.var))
    letters = uvloop.run(write(running.port, writers, seconds))
    used = cpu_seconds([running.process("web") or 0]) - cpu[0], cpu_seconds(database_pids(running.var)) - cpu[1]
    if len(letters.delivered) != len(letters.sent):
        raise SystemExit(f"{len(letters.sent)} sent, {len(letters.delivered)} delivered")
    many = len(letters.sent)
    row = [f"{pairs}"]
    for ended in (letters.acknowledged, letters.delivered):
        took = letters.milliseconds(ended)
        row += [f"{many / seconds:.0f}", f"{took[many // 2]:.1f}", f"{took[int(many * 0.99)]:.1f}"]
    return row + [f"{1000 * part / many:.1f}" for part in used], many


async def write(port: int, writers: list[tuple[int, str]], seconds: float) -> Letters:
    letters = Letters()
    end = time.monotonic() + seconds
    pairs = zip(writers[::2], writers[1::2], strict=True)
    await asyncio.gather(*(correspond(port, mine, *other, letters, end) for (_, mine), other in pairs))
    return letters


async def correspond(port: int, token: str, other: int, other_token: str, letters: Letters, end: float) -> None:
    """One writes, the other reads, until the end; then all that was sent arrives."""
    address = f"ws://127.0.0.1:{port}/ws/channel?token="
    async with (
        connect(address + token, compression=None) as mine,
        connect(address + other_token, compression=None) as hers,
    ):
        reading = asyncio.create_task(read(hers, letters.delivered, letters.sent))
        number = 0
        while time.monotonic() < end:
            key = f"{other}-{(number := number + 1)}"
            content = {"text": f"晚上好 {key}"}
            message = {"toUserId": other, "msgType": "text", "content": content, "clientMsgId": key}
            letters.sent[key] = time.monotonic()
            await mine.send(json.dumps([{"msgType": "IM", "msg": message}]))
            await heard(mine, key)
            letters.acknowledged[key] = time.monotonic()
        while letters.acknowledged.keys() - letters.delivered.keys() and not reading.done():
            await asyncio.sleep(0.01)
            if time.monotonic() > end + 10:
                break
        reading.cancel()


async def heard(socket: ClientConnection, key: str) -> None:
    while True:
        for element in json.loads(await socket.recv(decode=False)):
            if element["msg"].get("clientMsgId") == key:
                return


async def read(socket: ClientConnection, delivered: dict[str, float], sent: dict[str, float]) -> None:
    while True:
        for element in json.loads(await socket.recv(decode=False)):
            if element["msg"]["msgType"] == "text":
                delivered[element["msg"]["content"]["text"].split()[-1]] = time.monotonic()


def bytes_of(tables: tuple[str, ...]) -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(pg_total_relation_size(name::regclass)) FROM unnest(%s) AS name", [list(tables)])
        return int(cursor.fetchone()[0])


# --- History ------------------------------------------------------------------------------------------------------


def history(running: Instance, given: argparse.Namespace) -> str:
    """The reader's stream is full from the first size on; the others' grow around it."""
    from tests import factories

    reader = factories.person()
    token = factories.token(reader)
    fill(reader.pk - FIRST, reader.pk - FIRST + 1, reader.pk)
    rows, low = [], 1
    for size in [size for size in (10_000, 100_000, 1_000_000) if size <= given.most]:
        high = max(low, size // EACH)
        fill(low, high, reader.pk)
        low = high
        growing.vacuum(("realtime_message", "realtime_stream"))
        pages: dict[str, dict[str, object]] = {
            "newest": {},
            "by position": {"before": 500},
            "by offset": {"offset": 1500},
        }
        for name, page in pages.items():
            figures: Figures = drive(
                running.port,
                lambda _, page=page: ("msg/history-msg", {"token": token, "limit": 50, **page}),
                phones=1,
                seconds=given.seconds,
            )
            rows.append([f"{size:,}, {name}", f"{figures.median:.1f}", f"{figures.p95:.1f}"])
    head = f"`msg/history-msg`, 50 messages of somebody who has {EACH:,}:"
    return f"{head}\n\n{report.table(['Messages in all, page', 'Median ms', '95 % ms'], rows)}"


def fill(low: int, high: int, writer: int) -> None:
    element = {
        "msg": {"msgType": "text", "msgId": 1, "toUserId": FIRST, "fromUserId": writer + 1, "createTime": 1, "content":
                {"text": "晚上好，今天过得怎么样？"}, "tips": "【文本消息】不支持的消息类型，请升级最新客户端。"},
        "msgType": "IM", "users": {}, "timeStamp": 1,
    }  # fmt: skip
    text = json.dumps(element, ensure_ascii=False, separators=(",", ":"))
    values: dict[str, Any] = {"first": FIRST, "low": low, "high": high, "each": EACH, "element": text}
    growing.execute(_WRITTEN, values)


if __name__ == "__main__":
    main()
