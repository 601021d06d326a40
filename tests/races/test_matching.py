"""Many who look for somebody at the same moment, and what else happens to them meanwhile: pairs are disjoint, nobody is
left alone in a call, nobody meets whom they block. D34, I7."""

from collections import Counter

import pytest

from chat import tasks
from chat.models import Chat, Seeker, Side
from tests import factories
from tests.races.crowd import at_once, codes, same_phone
from tests.races.lines import Line, busy
from users.models import Block
from users.services import relations

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 4


def looks(line):
    return line.does("match-chat")


def running():
    return list(Chat.objects.filter(kind=Chat.Kind.MATCH, state=Chat.State.RUNNING))


def nobody_is_alone():
    """Whoever is busy is so in one call that runs, together with the other one of it."""
    there = Counter(who for chat in running() for who in chat.people)
    assert set(there.values()) <= {1}
    assert busy() == there


def they_forget():
    Chat.objects.all().delete()
    Seeker.objects.all().delete()


@pytest.mark.parametrize("genders", [("Male", "Female"), ("Female", "Female")])
def test_forty_who_look_at_once_are_twenty_pairs_that_both_hear_of(api, told, genders):
    lines = [Line(api, gender=genders[number % 2]) for number in range(40)]
    assert codes(at_once([looks(line) for line in lines] * 2, together=20)) == {0: 80}
    tasks.match()
    assert len(running()) == 20 and not Seeker.objects.exists()
    nobody_is_alone()
    assert {line.heard("join-chat") for line in lines} == {1}


def test_of_an_odd_number_one_goes_on_looking(api, told):
    lines = [Line(api) for _ in range(9)]
    at_once([looks(line) for line in lines])
    tasks.match()
    assert (len(running()), Seeker.objects.count()) == (4, 1)
    nobody_is_alone()


def test_nobody_is_given_to_whom_they_block_however_many_look(api, told):
    """Six of whom each can talk with one other only."""
    for _ in range(ROUNDS):
        lines = [Line(api) for _ in range(6)]
        friends = {frozenset(lines[number : number + 2]) for number in (0, 2, 4)}
        Block.objects.bulk_create(
            Block(user=one.user, target=other.user)
            for place, one in enumerate(lines)
            for other in lines[place + 1 :]
            if frozenset((one, other)) not in friends
        )
        at_once([looks(line) for line in lines])
        tasks.match()
        assert {frozenset(chat.people) for chat in running()} == {
            frozenset(line.pk for line in pair) for pair in friends
        }
        they_forget()


def test_looking_against_blocking_leaves_no_call(api, told):
    for _ in range(ROUNDS * 2):
        a, b = Line(api), Line(api)
        looks(a)()
        at_once([looks(b), lambda a=a, b=b: relations.block(user=a.user, target=b.user)])
        tasks.match()
        assert not running() and not busy()
        they_forget()


def test_looking_against_stopping_leaves_nobody_waiting_for_who_went_away(api, told):
    for _ in range(ROUNDS * 2):
        a, b = Line(api), Line(api)
        looks(a)()
        looked, stopped = at_once([looks(b), a.does("stop-match-chat")])
        assert codes([looked, stopped]) == {0: 2}
        tasks.match()
        assert not running() and not busy()
        assert not Seeker.objects.filter(user=a.user).exists()
        assert a.heard("join-chat") == b.heard("join-chat") <= 1
        they_forget()


def test_looking_against_being_called_is_one_call(api, told):
    """Whoever is first: the other one is told that the line is busy, or looks on."""
    for _ in range(ROUNDS * 2):
        a, b, c = Line(api), Line(api), Line(api)
        looks(a)()
        looked, called = at_once([looks(b), c.calls(a)])
        assert looked["errorcode"] == 0 and called["errorcode"] in (0, 739)
        assert set(busy().values()) == {1}
        at_a = Side.objects.get(user=a.user, busy=True).chat
        assert (at_a.kind == Chat.Kind.DUE) == (called["errorcode"] == 0)
        assert Seeker.objects.filter(user=b.user).exists() == (at_a.kind == Chat.Kind.DUE)
        they_forget()


def test_looking_against_going_on_air_never_does_both(api, told):
    for _ in range(ROUNDS * 2):
        a, b = Line(api), Line(api)
        live = factories.live(a.user, status=0)
        looks(a)()
        start = lambda a=a, live=live: same_phone(a.phone).post("live/start-live", liveId=live.pk)  # noqa: E731
        assert codes(at_once([looks(b), start])) == {0: 2}
        tasks.match()
        assert not running() and not busy()
        they_forget()


def test_sweeps_at_once_pair_nobody_twice(api, told):
    lines = [Line(api) for _ in range(12)]
    blocks = Block.objects.bulk_create(
        Block(user=one.user, target=other.user) for place, one in enumerate(lines) for other in lines[place + 1 :]
    )
    at_once([looks(line) for line in lines])
    assert not running()
    Block.objects.filter(pk__in=[block.pk for block in blocks]).delete()
    at_once([tasks.match] * 6)
    assert len(running()) == 6
    nobody_is_alone()
