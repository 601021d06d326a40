"""Gifts and bullets from many phones at once: I2, I3."""

from itertools import product

import pytest

from live.models import Live
from payment import ledger
from payment.reconciliation import breaches
from tests import factories
from tests.races.crowd import at_once, codes, same_phone
from users.models import User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gifts")]


def room(*viewers, owner=None):
    live = factories.live(owner)
    factories.inside(live, *viewers)
    return live


def gift(phone, live, *, amount=1, uuid="u", gift_id=101):
    def deed():
        said = {"liveId": live.pk, "giftId": gift_id, "amount": amount, "gift_uuid": uuid}
        return same_phone(phone).get("live/buy-gift", **said)

    return deed


def shown(told, kind):
    return [message for message in told if message.get("msgType") == kind]


def test_of_200_gifts_with_gold_for_50_exactly_50_are_given_and_shown(api, told):
    fan = factories.person(gold=50)
    live = room(fan)
    phone = api(fan)
    told.clear()
    answers = at_once(gift(phone, live, amount=amount) for amount in range(1, 201))
    assert codes(answers) == {0: 50, 740: 150}
    assert sorted(answer["gold"] for answer in answers if answer["errorcode"] == 0) == list(range(50))
    assert (len(shown(told, "gift")), len(shown(told, "text"))) == (50, 50)
    assert sorted(message["totalTicket"] for message in shown(told, "gift")) == list(range(1, 51))
    assert ledger.balances(fan.pk) == (0, 0)
    assert ledger.balances(live.owner_id) == (0, 50)
    fan.refresh_from_db()
    assert (fan.gold_given, fan.experience) == (50, 500)
    assert (User.objects.get(pk=live.owner_id).points_earned, Live.objects.get().total_tickets) == (50, 50)
    assert list(breaches()) == []


def test_one_gift_sent_20_times_at_once_is_charged_and_shown_once_and_everybody_hears_the_same(api, told):
    fan = factories.person(gold=50)
    live = room(fan)
    phone = api(fan)
    told.clear()
    answers = at_once([gift(phone, live, gift_id=104)] * 20)
    assert answers == [{"errorcode": 0, "errormsg": "success", "gold": 45}] * 20
    assert (len(shown(told, "gift")), len(shown(told, "text"))) == (1, 1)
    assert (ledger.balances(fan.pk), ledger.balances(live.owner_id)) == ((45, 0), (0, 5))
    assert Live.objects.get().total_tickets == 5
    assert list(breaches()) == []


def test_so_is_one_without_a_key(api, told):
    fan = factories.person(gold=50)
    live = room(fan)
    phone = api(fan)
    told.clear()
    answers = at_once([gift(phone, live, uuid="")] * 10)
    assert answers == [{"errorcode": 0, "errormsg": "success", "gold": 49}] * 10
    assert len(shown(told, "gift")) == 1


def test_three_equal_bullets_at_once_are_one(api, told):
    fan = factories.person(gold=50)
    live = room(fan)
    phone = api(fan)
    told.clear()
    answers = at_once([lambda: same_phone(phone).get("live/buy-bullet", liveId=live.pk, message="飞")] * 3)
    assert answers == [{"errorcode": 0, "errormsg": "success", "gold": 49}] * 3
    assert len(shown(told, "barrage")) == 1
    assert ledger.balances(live.owner_id) == (0, 1)


def test_the_last_gold_for_a_bullet_or_a_gift_is_spent_once(api, told):
    fan = factories.person(gold=1)
    live = room(fan)
    phone = api(fan)
    told.clear()
    bullets = [lambda n=n: same_phone(phone).get("live/buy-bullet", liveId=live.pk, message=f"第{n}") for n in range(5)]
    answers = at_once([*bullets, *(gift(phone, live, amount=n) for n in range(1, 6))])
    assert codes(answers) == {0: 1, 740: 9}
    assert len(told) in (1, 2)  # a bullet, or a gift with its line of text
    assert ledger.balances(fan.pk) == (0, 0)
    assert list(breaches()) == []


def test_two_who_give_each_other_gifts_in_each_others_rooms_do_not_lock_each_other_out(api, told):
    one, other = factories.person(gold=100), factories.person(gold=100)
    ones, others = room(other, owner=one), room(one, owner=other)
    phones = api(one), api(other)
    told.clear()
    deeds = []
    for amount in range(1, 31):
        deeds += [gift(phones[0], others, amount=amount), gift(phones[1], ones, amount=amount)]
    assert codes(at_once(deeds)) == {0: 60}
    assert (ledger.balances(one.pk), ledger.balances(other.pk)) == ((70, 30), (70, 30))
    assert len(shown(told, "gift")) == 60
    assert list(breaches()) == []


def test_a_ring_of_givers_who_rename_follow_and_talk_meanwhile_does_not_either(api):
    """Every lock of the project in every order phones can ask for them."""
    people = [factories.person(gold=300, rename_count=1) for _ in range(4)]
    rooms = {owner.pk: room(*(other for other in people if other != owner), owner=owner) for owner in people}
    phones = {person.pk: api(person) for person in people}

    def update(person, name):
        said = {"displayName": name, "gender": "Female", "birthDay": "1990-01-01"}
        return lambda: same_phone(phones[person.pk]).post("user/update", **said)

    def call(person, path, **said):
        return lambda: same_phone(phones[person.pk]).post(path, **said)

    deeds = []
    for turn in range(3):
        for giver, owner in product(people, people):
            if giver != owner:
                here = rooms[owner.pk].pk
                deeds += [
                    gift(phones[giver.pk], rooms[owner.pk], amount=turn + 1),
                    call(giver, "user/unfollow" if turn % 2 else "user/follow", userId=owner.pk),
                    call(giver, "live/join-live", liveId=here),
                    call(giver, "live/heart-beat", liveId=here, isCreator=0),
                ]
        deeds += [update(person, f"{person.pk}-{turn}") for person in people]
        deeds += [call(person, "live/heart-beat", liveId=rooms[person.pk].pk, isCreator=1) for person in people]
    assert codes(at_once(deeds)) == {0: len(deeds)}
    for person in people:
        assert ledger.balances(person.pk) == (300 - 9 - 30, 9)
        person.refresh_from_db()
        assert person.follower_count == person.followers.count() == person.following_count == 3
    assert list(breaches()) == []


def test_a_gift_against_the_end_of_the_live_is_given_before_it_or_not_at_all(api, told):
    """Nobody pays for what nobody sees, and the totals that the end tells are final."""
    for _ in range(10):
        fan = factories.person(gold=9)
        live = room(fan)
        phone, owners = api(fan), api(live.owner)
        told.clear()
        deeds = [gift(phone, live, amount=amount) for amount in range(1, 5)]
        deeds.insert(1, lambda: same_phone(owners).post("live/stop-live", liveId=live.pk))  # noqa: B023
        deeds.insert(2, lambda: same_phone(phone).get("live/buy-bullet", liveId=live.pk, message="飞"))  # noqa: B023
        answers = at_once(deeds)
        assert answers.pop(1)["errorcode"] == 0
        assert set(codes(answers)) <= {0, 506, 731}
        spent = codes(answers)[0]
        assert ledger.balances(fan.pk).gold == 9 - spent
        assert len(shown(told, "gift")) + len(shown(told, "barrage")) == spent
        (stopped,) = [message for message in told if message.get("action") == "stop-live"]
        assert stopped["live"]["liveTotalTicket"] == Live.objects.get(pk=live.pk).total_tickets == spent
    assert list(breaches()) == []
