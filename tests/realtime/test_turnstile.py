"""A client that connects in a loop costs neither the database nor the others anything."""

import pytest

from heihei_site.realtime import turnstile
from heihei_site.realtime.turnstile import AT_ONCE, Turnstile


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 1000.0

        def monotonic(self) -> float:
            return self.now

    clock = Clock()
    monkeypatch.setattr(turnstile, "time", clock)
    return clock


def test_a_token_connects_often_at_first_then_once_a_second(clock):
    gate = Turnstile()
    assert [gate.admits("a") for _ in range(AT_ONCE + 1)] == [True] * AT_ONCE + [False]
    clock.now += 1
    assert [gate.admits("a") for _ in range(2)] == [True, False]
    assert gate.admits("b")


def test_who_has_not_come_for_long_is_forgotten_and_who_is_held_back_is_not(clock, monkeypatch):
    monkeypatch.setattr(turnstile, "REMEMBERED", 50)
    gate = Turnstile()
    for _ in range(AT_ONCE):
        gate.admits("flood")
    for number in range(49):
        gate.admits(f"once {number}")
    clock.now += 30
    for _ in range(AT_ONCE):
        gate.admits("flood")
    gate.admits("one more")
    assert len(gate._entrances) == 2
    assert not gate.admits("flood")


def test_where_all_have_just_come_they_are_not_gone_through_at_each_one_more(clock, monkeypatch):
    monkeypatch.setattr(turnstile, "REMEMBERED", 50)
    gate, forgotten = Turnstile(), []
    forget = Turnstile._forget
    monkeypatch.setattr(Turnstile, "_forget", lambda self, now: forgotten.append(forget(self, now)))
    for number in range(1000):
        gate.admits(f"phone {number}")
    assert len(forgotten) < 10


def test_a_token_that_connects_in_a_loop_is_told_to_come_again_and_not_looked_up(server, people, monkeypatch):
    monkeypatch.setattr(turnstile, "A_SECOND", 0.0)
    people.sign_in("t", 1)
    for _ in range(AT_ONCE):
        server.phone("t").drop()
    asked = people.numbers[10]
    assert server.phone("t").close_code() == 1012
    assert people.numbers[10] == asked == AT_ONCE


def test_another_token_connects_meanwhile(server, people):
    people.sign_in("t", 1)
    people.sign_in("u", 2)
    for _ in range(AT_ONCE + 2):
        server.phone("t").drop()
    assert server.phone("u").hears_nothing()
