"""Muting somebody who is just speaking: from the moment the room is told, nothing of theirs is shown."""

from random import Random

import pytest

from heihei_site.realtime.models import Message, StreamKind
from live.models import Guest
from payment import ledger
from payment.reconciliation import breaches
from tests import factories
from tests.races.crowd import at_once, codes, same_phone

pytestmark = pytest.mark.django_db(transaction=True)


def calling(phone, path, **said):
    return lambda: same_phone(phone).post(path, **said)


def told_to(live):
    """In the order of their numbers, as every phone hears them."""
    rows = Message.objects.filter(kind=StreamKind.ROOM, owner_id=live.pk).order_by("seq")
    return [row.element for row in rows]


@pytest.mark.parametrize("seed", range(4))
def test_no_text_and_no_bullet_comes_after_the_word_that_its_sender_is_muted(api, gifts, seed):
    live, loud = factories.live(), factories.person(gold=100)
    factories.inside(live, loud)
    owners, phone = api(live.owner), api(loud)
    here = {"liveId": live.pk, "roomId": live.pk}
    texts = [calling(phone, "msg/send-msg", **here, text=f"text {n}") for n in range(40)]
    bullets = [calling(phone, "live/buy-bullet", **here, message=f"bullet {n}") for n in range(20)]
    talk = texts + bullets
    Random(seed).shuffle(talk)
    deeds = [*talk[:20], calling(owners, "live/shutupuser", **here, userId=loud.pk), *talk[20:]]
    answers = at_once(deeds)
    assert set(codes(answers)) <= {0, 722}
    heard = told_to(live)
    [mute] = [place for place, element in enumerate(heard) if "shutup-user" in element]
    assert mute == len(heard) - 1
    shown = sum('"barrage"' in element for element in heard)
    assert ledger.balances(loud.pk).gold == 100 - shown
    assert codes(answers)[0] == 1 + sum('"text"' in e or '"barrage"' in e for e in heard)
    assert list(breaches()) == []


def test_muting_and_unmuting_by_many_ends_in_one_state_that_the_room_was_told_last(api):
    live, loud = factories.live(), factories.person()
    factories.inside(live, loud)
    owners = api(live.owner)
    said = {"liveId": live.pk, "userId": loud.pk}
    deeds = [calling(owners, f"live/{path}", **said) for path in ("shutupuser", "shutupopen") * 15]
    assert codes(at_once(deeds)) == {0: 30}
    heard = ["shutup-user" in element for element in told_to(live)]
    assert heard == [bool(place % 2 == 0) for place in range(len(heard))]  # muted, unmuted, muted …
    assert heard[-1] == (Guest.objects.get().muted_at is not None)


def test_of_ten_appointed_at_once_five_are_managers(api):
    live = factories.live()
    owners = api(live.owner)
    people = [factories.person() for _ in range(10)]
    answers = at_once(calling(owners, "live/livemgr", liveId=live.pk, userId=one.pk, type=1) for one in people)
    assert codes(answers) == {0: 5, 400: 5}
    assert Guest.objects.filter(live=live, manager_since__isnull=False).count() == 5


def test_a_manager_who_is_dismissed_meanwhile_has_muted_before_or_not_at_all(api):
    for _ in range(6):
        live, helper, other = factories.live(), factories.person(), factories.person()
        factories.inside(live, helper, other)
        owners, phone = api(live.owner), api(helper)
        here = {"liveId": live.pk}
        assert owners.post("live/livemgr", **here, userId=helper.pk, type=1)["errorcode"] == 0
        _, muted = at_once(
            [
                calling(owners, "live/livemgr", **here, userId=helper.pk, type=0),
                calling(phone, "live/shutupuser", **here, userId=other.pk),
            ]
        )
        is_muted = Guest.objects.filter(live=live, user=other, muted_at__isnull=False).exists()
        assert (muted["errorcode"], is_muted) in [(0, True), (711, False)]
