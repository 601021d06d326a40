"""The checker itself: what it must not overlook."""

import pytest

from tests.faults import mail
from tests.faults.mail import PROMISE, Book, Line, Thread


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(mail, "time", clock)
    return clock


@pytest.fixture
def book(clock) -> Book:
    return Book()


def said(book: Book, author: int = 1, to: int = 2) -> Line:
    line = book.say(author, f"u{to}", frozenset({author, to}))
    book.acknowledged(line.key)
    return line


def all_hear(book: Book, *lines: Line) -> None:
    for line in lines:
        for person in line.audience:
            book.heard(person, f"你好 {line.key}!")


def test_what_everybody_heard_once_in_order_is_well(book):
    all_hear(book, said(book), said(book), said(book, 2, 1))
    assert book.missing() == book.late() == book.turned_around() == book.complaints == []


def test_what_nobody_acknowledged_need_not_arrive(book):
    book.say(1, "u2", frozenset({1, 2}))
    assert book.missing() == []


def test_an_acknowledged_line_that_one_of_the_two_did_not_hear_is_missing(book):
    line = said(book)
    book.heard(1, line.key)
    assert book.missing() == [f"2 has not heard {line.key}"]


def test_a_line_heard_twice_is_complained_about_even_if_nobody_acknowledged_it(book):
    line = book.say(1, "u2", frozenset({1, 2}))
    book.heard(2, line.key)
    book.heard(2, line.key)
    assert book.complaints == [f"2 heard {line.key} twice"]


def test_a_stranger_who_hears_it_is_complained_about(book):
    line = said(book)
    book.heard(3, line.key)
    assert book.complaints == [f"3 heard {line.key}, which was not for them"]


def test_what_is_not_of_this_book_is_ignored(book):
    book.heard(3, "9>u3#77")
    book.heard(3, "没有")
    assert book.complaints == []


def test_order_counts_for_each_author_and_channel(book):
    first, second, other = said(book), said(book), said(book, author=3)
    all_hear(book, second, other, first)
    assert book.turned_around() == [f"{person} heard {first.key} after number {second.number}" for person in (1, 2)]


def test_a_line_that_nobody_acknowledged_may_come_late(book):
    never = book.say(1, "u2", frozenset({1, 2}))
    second = said(book)
    all_hear(book, second, never)
    assert book.turned_around() == []


def test_late_is_later_than_promised(book, clock):
    line = said(book)
    book.heard(1, line.key)
    clock.now += PROMISE + 1
    book.heard(2, line.key)
    assert book.late() == [f"2 heard {line.key} 1.0 s too late"]


def test_the_promise_counts_from_the_end_of_the_faults_that_touch_it(book, clock):
    line = said(book)
    for _ in range(2):
        with book.fault():
            clock.now += 10
        clock.now += 10
    all_hear(book, line)
    assert book.late() == []

    with book.fault():
        clock.now += 1
    line = said(book)
    clock.now += PROMISE + 0.5
    all_hear(book, line)
    assert len(book.late()) == 2, "a fault that is over does not excuse what was said later"


@pytest.mark.parametrize(
    ("numbers", "wrong"),
    [
        ([1, 2, 3], ["", "", ""]),
        ([7, 8], ["", ""]),
        ([1, 3, 4], ["", "3 came too early after 1", ""]),
        ([1, 2, 2, 3], ["", "", "2 came again after 2", ""]),
    ],
)
def test_a_thread_has_every_number_once(numbers, wrong):
    thread = Thread()
    assert [thread.follow(number) for number in numbers] == wrong
