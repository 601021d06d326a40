"""The way out of one socket, with a connection that takes what the test lets it take."""

import asyncio

from heihei_site.realtime.frames import frames
from heihei_site.realtime.outlet import Outlet
from heihei_site.realtime.sessions import Connection


class Tap:
    """A connection that takes `room` bytes and then wants to be left alone."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.written: list[bytes] = []
        self.writes: list[int] = []
        self.codes: list[int] = []

    def open(self, outlet: Outlet) -> None:
        self.outlet = outlet
        outlet.resume()

    def write(self, built) -> None:
        self.written += [frame.text for frame in built]
        self.writes.append(sum(map(len, built)))
        self.room -= self.writes[-1]
        if self.room <= 0:
            self.outlet.pause()

    def close(self, code: int) -> None:
        self.codes.append(code)

    def take(self, room: int) -> None:
        self.room = room
        self.outlet.resume()


def opened(tap: Tap) -> Outlet:
    outlet = outlet_to(tap)
    outlet.open()
    return outlet


def outlet_to(tap: Tap) -> Outlet:
    return Outlet(tap, Connection(user_id=1, session_id=1, number=1))


def message(number: int, size: int = 1000) -> list:
    return [*frames([b'"%d %s"' % (number, b"x" * size)])]


def in_a_loop(scenario):
    def test() -> None:
        asyncio.run(scenario())

    test.__name__, test.__doc__ = scenario.__name__, scenario.__doc__
    return test


@in_a_loop
async def test_while_the_connection_takes_it_everything_goes_straight_out():
    tap = Tap(room=1_000_000)
    outlet = opened(tap)
    for number in range(3):
        outlet.put(message(number))
        assert len(tap.writes) == number + 1
    assert outlet.waiting_bytes == 0


@in_a_loop
async def test_what_comes_before_the_handshake_is_answered_follows_it():
    tap = Tap(room=1_000_000)
    outlet = outlet_to(tap)
    outlet.put(message(1))
    assert tap.written == []
    outlet.open()
    assert [text[2:3] for text in tap.written] == [b"1"]


@in_a_loop
async def test_a_close_before_the_handshake_is_answered_follows_it_and_nothing_else_does():
    tap = Tap(room=1_000_000)
    outlet = outlet_to(tap)
    outlet.put(message(1))
    outlet.close(4401)
    assert tap.codes == []
    outlet.open()
    assert (tap.codes, tap.written) == ([4401], [])


@in_a_loop
async def test_a_paused_connection_gets_everything_later_in_order_and_at_most_a_frames_worth_at_once():
    tap = Tap(room=1)
    outlet = opened(tap)
    for number in range(200):
        outlet.put(message(number))
    assert len(tap.written) == 1
    while outlet.waiting_bytes:
        before = len(tap.writes)
        tap.take(1)
        assert len(tap.writes) == before + 1  # no more than one write past the mark
    assert [int(text[2:].split()[0]) for text in tap.written] == list(range(200))
    assert max(tap.writes) <= 65536
    assert tap.codes == []


@in_a_loop
async def test_a_full_queue_keeps_nothing_and_closes_with_4429_once():
    tap = Tap(room=1)
    outlet = opened(tap)
    for number in range(1000):
        outlet.put(message(number))
        assert outlet.waiting_bytes <= 256 * 1024
    outlet.close(1012)
    tap.take(1_000_000)
    outlet.put(message(1))
    assert tap.codes == [4429]
    assert len(tap.written) == 1
    assert outlet.waiting_bytes == 0
    assert outlet.closed


@in_a_loop
async def test_who_stays_paused_for_longer_than_the_send_time_out_is_closed_with_4429():
    tap = Tap(room=1)
    outlet = opened(tap)
    now = asyncio.get_running_loop().time()
    outlet.check(now + 100)
    assert tap.codes == []
    outlet.put(message(1))
    outlet.check(now + 9)
    assert tap.codes == []
    outlet.check(now + 11)
    assert tap.codes == [4429]


@in_a_loop
async def test_who_has_stayed_long_enough_is_asked_to_connect_anew():
    tap = Tap(room=1_000_000)
    outlet = opened(tap)
    outlet.leave_at = 50.0
    outlet.check(50.0)
    assert tap.codes == []
    outlet.check(50.1)
    assert tap.codes == [1012]


@in_a_loop
async def test_a_reader_of_rows_waits_until_the_connection_takes_more_or_is_gone():
    tap = Tap(room=1)
    outlet = opened(tap)
    await asyncio.wait_for(outlet.drained(), 1)
    outlet.put(message(1))
    waiting = [asyncio.create_task(outlet.drained()) for _ in range(2)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    tap.take(1)
    await asyncio.wait_for(asyncio.gather(*waiting), 1)
    outlet.put(message(2))
    waiting = [asyncio.create_task(outlet.drained())]
    await asyncio.sleep(0)
    outlet.hang_up()
    await asyncio.wait_for(asyncio.gather(*waiting), 1)
