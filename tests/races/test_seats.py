"""The last seat, locks, kicks, keys and ends from many phones at once: D23, I6, I8, I9."""

from random import Random

import pytest
from django.db.models import F
from django.db.models.functions import Now

from live import tasks
from live.models import Guest, Live, Member
from live.services import rooms, seats
from tests import factories
from tests.races.crowd import at_once, codes, same_phone
from users.services import bans

pytestmark = pytest.mark.django_db(transaction=True)


def calling(phone, path, **said):
    return lambda: same_phone(phone).post(f"live/{path}", **said)


def joining(phones, live, **said):
    return [calling(phone, "join-live", liveId=live.pk, **said) for phone in phones]


def crowd(api, many):
    people = [factories.person() for _ in range(many)]
    return people, [api(person) for person in people]


def inside(live):
    return set(Member.objects.filter(live=live, left_at=None).values_list("user_id", flat=True))


def sound(live):
    """I6: what the row says is what the rows say, and nobody sits on anybody's lap. Returns the row."""
    row = Live.objects.get(pk=live.pk)
    assert row.occupied == len(inside(live))
    assert row.occupied + row.locked <= row.seats
    assert row.seats - row.locked >= 2
    return row


def shuffled(deeds, seed):
    Random(seed).shuffle(deeds)
    return deeds


def test_of_100_phones_for_the_last_seat_one_gets_it_while_the_owner_locks_kicks_and_invites(api, told):
    live = factories.live(seats=8, locked=6)
    people, phones = crowd(api, 100)
    outside, _ = crowd(api, 6)
    owners = api(live.owner)
    told.clear()
    deeds = joining(phones, live)
    deeds += [calling(owners, "lock-live-seat", liveId=live.pk, unlock=0)] * 6
    deeds += [calling(owners, "kick-out-user", liveId=live.pk, userId=one.pk) for one in outside[:3]]
    deeds += [calling(owners, "invite-user", liveId=live.pk, userId=one.pk) for one in outside[3:]]
    answers = codes(at_once(shuffled(deeds, 1)))
    assert answers == {0: 1 + 6, 505: 99, 502: 6}
    row = sound(live)
    assert (row.occupied, row.locked, row.total_users) == (2, 6, 1)
    assert len(inside(live) & {one.pk for one in people}) == 1
    assert len([act for act in told if act.get("do") == "enter"]) == 1


@pytest.mark.parametrize("seed", range(3))
def test_a_lock_and_100_phones_share_one_last_seat(api, seed):
    live = factories.live(seats=8)
    factories.inside(live, *(factories.person() for _ in range(6)))
    _, phones = crowd(api, 100)
    owners = api(live.owner)
    deeds = [*joining(phones, live), *[calling(owners, "lock-live-seat", liveId=live.pk, unlock=0)] * 5]
    answers = at_once(shuffled(deeds, seed))
    assert codes(answers)[0] == 1
    row = sound(live)
    assert (row.occupied + row.locked, row.free_seats) == (8, 0)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_to_the_seats_at_once_the_numbers_are_those_of_the_people(api, told, seed):
    live = factories.live(seats=8)
    members, members_phones = crowd(api, 7)
    factories.inside(live, *members)
    people, phones = crowd(api, 40)
    owners = api(live.owner)
    told.clear()
    deeds = joining(phones + members_phones, live)
    deeds += [calling(owners, "lock-live-seat", liveId=live.pk, unlock=number % 2) for number in range(12)]
    deeds += [calling(owners, "kick-out-user", liveId=live.pk, userId=one.pk) for one in members[:3] + people[:3]]
    deeds += [calling(owners, "invite-user", liveId=live.pk, userId=one.pk) for one in people[3:9]]
    deeds += [calling(phone, "quit-live", liveId=live.pk) for phone in members_phones[3:5] + phones[9:12]]
    deeds += [tasks.sweep, lambda: seats.resize(live.pk, 9), lambda: seats.resize(live.pk, 8)]
    answers = at_once(shuffled(deeds, seed))
    assert -1 not in codes(answer for answer in answers if isinstance(answer, dict) and "errorcode" in answer)
    sound(live)
    kicked = set(Guest.objects.filter(kicked_at__isnull=False).values_list("user_id", flat=True))
    assert kicked == {one.pk for one in members[:3] + people[:3]}
    assert not kicked & inside(live)
    last = [message for message in told if message.get("action") == "list-live-users"][-1]
    row = Live.objects.get()
    assert (last["totalCount"], last["roomLockedCount"], last["roomSeatCount"]) == (
        row.occupied, row.locked, row.seats)  # fmt: skip


def test_the_seat_of_who_fell_silent_has_one_heir_beside_any_sweep(api):
    for _ in range(4):
        live = factories.live(seats=4)
        silent = [factories.person() for _ in range(3)]
        factories.inside(live, *silent)
        Member.objects.filter(live=live, user=silent[0]).update(lease_until=Now())
        _, phones = crowd(api, 8)
        answers = at_once([*joining(phones, live), tasks.sweep, tasks.sweep])
        assert codes(answer for answer in answers if "errorcode" in answer) == {0: 1, 505: 7}
        assert sound(live).occupied == 4
        assert silent[0].pk not in inside(live)


def test_one_key_from_two_phones_at_once_is_one_seat(api):
    for _ in range(4):
        live = factories.live(seats=8, locked=6)
        guest = factories.person()
        factories.inside(live, factories.person())
        phone, owners = api(guest), api(live.owner)
        assert calling(owners, "invite-user", liveId=live.pk, userId=guest.pk)()["errorcode"] == 0
        key = Guest.objects.get(live=live).live_key
        assert codes(at_once(joining([phone] * 6, live, liveKey=key))) == {0: 6}
        row = sound(live)
        assert (row.occupied, row.locked) == (3, 5)


def test_one_key_in_two_peoples_hands_lets_one_in(api):
    for _ in range(4):
        live = factories.live(seats=8, locked=6)
        factories.inside(live, factories.person())
        (guest, thief), phones = crowd(api, 2)
        owners = api(live.owner)
        calling(owners, "invite-user", liveId=live.pk, userId=guest.pk)()
        key = Guest.objects.get(live=live).live_key
        answers = at_once(joining(phones * 3, live, liveKey=key))
        assert [answer["errorcode"] for answer in answers] == [0, 505] * 3
        assert inside(live) >= {guest.pk} and thief.pk not in inside(live)
        assert (sound(live).occupied, sound(live).locked) == (3, 5)


def test_invited_twice_at_once_is_one_key_and_one_ring(api, told):
    for _ in range(4):
        live, guest = factories.live(), factories.person()
        owners = api(live.owner)
        told.clear()
        answers = at_once([calling(owners, "invite-user", liveId=live.pk, userId=guest.pk)] * 8)
        assert codes(answers) == {0: 8}
        assert len([message for message in told if message.get("action") == "live-invite"]) == 1


def test_knocks_at_once_ring_once(api, told):
    live = factories.live()
    phone = api(factories.person())
    told.clear()
    assert codes(at_once([calling(phone, "knock-live-room", liveId=live.pk)] * 8)) == {0: 1, 504: 7}
    assert len([message for message in told if message.get("action") == "live-knock"]) == 1


def test_a_join_against_the_end_leaves_nobody_inside(api, told):
    for _ in range(5):
        live = factories.live(seats=8)
        _, phones = crowd(api, 7)
        owners = api(live.owner)
        told.clear()
        deeds = joining(phones, live)
        deeds.insert(3, calling(owners, "stop-live", liveId=live.pk))
        answers = at_once(deeds)
        assert set(codes(answers)) <= {0, 725}
        row = Live.objects.get(pk=live.pk)
        assert (row.status, row.occupied, inside(live)) == (2, 0, set())
        after = [act["do"] for act in told if "do" in act][-1]
        assert after == "close"


def test_a_join_against_a_kick_ends_outside_whoever_was_first(api):
    for turn in range(8):
        live, guest = factories.live(seats=8), factories.person()
        phone, owners = api(guest), api(live.owner)
        deeds = [*joining([phone], live), calling(owners, "kick-out-user", liveId=live.pk, userId=guest.pk)]
        answers = at_once(deeds[:: 1 if turn % 2 else -1])
        assert set(codes(answers)) <= {0, 737}
        assert guest.pk not in inside(live)
        assert sound(live).occupied == 1
        assert joining([phone], live)[0]()["errorcode"] == 737


def test_a_join_against_a_block_ends_outside_whoever_was_first(api):
    for turn in range(8):
        live, guest = factories.live(seats=8), factories.person()
        phones = api(guest), api(live.owner)
        blocker, target = (phones[0], live.owner) if turn % 2 else (phones[1], guest)
        block = lambda blocker=blocker, target=target: same_phone(blocker).post("user/block-user", userId=target.pk)  # noqa: E731
        answers = at_once([*joining([phones[0]], live), block])
        assert set(codes(answers)) <= {0, 737}
        assert guest.pk not in inside(live)
        assert sound(live).occupied == 1


def test_a_knock_against_a_kick_leaves_somebody_who_is_kicked(api):
    for _ in range(6):
        live, guest = factories.live(seats=8), factories.person()
        phone, owners = api(guest), api(live.owner)
        knock = calling(phone, "knock-live-room", liveId=live.pk)
        answers = at_once([knock, calling(owners, "kick-out-user", liveId=live.pk, userId=guest.pk)])
        assert answers[0]["errorcode"] in (0, 711) and answers[1]["errorcode"] == 0
        assert knock()["errorcode"] == 711
        assert calling(owners, "invite-user-list", liveId=live.pk)()["users"] == []


def test_a_knock_against_a_ban_rings_nobody_afterwards(api, told):
    for of_the_person in (True, False) * 3:
        live, guest = factories.live(seats=8), factories.person()
        phone = api(guest)
        told.clear()
        knock = calling(phone, "knock-live-room", liveId=live.pk)
        ban = (lambda guest=guest: bans.ban(guest)) if of_the_person else (lambda live=live: rooms.ban_live(live))
        answer, _ = at_once([knock, ban])
        assert answer["errorcode"] in (0, 720 if of_the_person else 731)
        rung = len([message for message in told if message.get("action") == "live-knock"])
        assert rung == (answer["errorcode"] == 0)
        assert knock()["errorcode"] == (720 if of_the_person else 731)


def test_two_who_block_each_other_in_each_others_rooms_do_not_lock_each_other_out(api):
    for _ in range(4):
        one, other = factories.person(), factories.person()
        ones, others = factories.live(one, seats=8), factories.live(other, seats=8)
        factories.inside(ones, other)
        factories.inside(others, one)
        phones = {one.pk: api(one), other.pk: api(other)}

        def call(who, path, phones=phones, **said):
            return lambda: same_phone(phones[who.pk]).post(path, **said)

        deeds = [
            call(one, "user/block-user", userId=other.pk),
            call(other, "user/block-user", userId=one.pk),
            call(one, "live/kick-out-user", liveId=ones.pk, userId=other.pk),
            call(other, "live/kick-out-user", liveId=others.pk, userId=one.pk),
            call(one, "live/join-live", liveId=others.pk),
            call(other, "live/join-live", liveId=ones.pk),
        ]
        assert set(codes(at_once(deeds))) <= {0, 737}
        assert (sound(ones).occupied, sound(others).occupied) == (1, 1)


def test_the_end_of_the_lease_against_the_next_joiner_counts_once(api):
    """The silent person's own phone wakes up in the same moment."""
    for _ in range(6):
        live, silent = factories.live(seats=2), factories.person()
        factories.inside(live, silent)
        Member.objects.filter(live=live, user=silent).update(lease_until=F("joined_at"))
        heir = factories.person()
        phones = api(silent), api(heir)
        answers = at_once([*joining(phones, live), tasks.sweep])
        assert codes(answers[:2]) == {0: 1, 505: 1}
        assert sound(live).occupied == 2


def test_the_last_seat_is_locked_and_of_100_phones_one_gets_it_with_the_key_or_by_the_owners_hand(api, told):
    """The owner unlocks it while the one who was invited comes with the key and everybody else without."""
    for seed in range(2):
        live = factories.live(seats=4)
        factories.inside(live, *(factories.person() for _ in range(2)))
        Live.objects.filter(pk=live.pk).update(locked=1)
        people, phones = crowd(api, 100)
        owners = api(live.owner)
        assert calling(owners, "invite-user", liveId=live.pk, userId=people[0].pk)()["errorcode"] == 0
        key = Guest.objects.get(live=live).live_key
        told.clear()
        deeds = [*joining(phones[:1], live, liveKey=key), *joining(phones[1:], live)]
        answers = at_once(shuffled([*deeds, calling(owners, "lock-live-seat", liveId=live.pk, unlock=1)], seed))
        assert codes(answers) == {0: 1 + 1, 505: 99}
        row = sound(live)
        assert (row.occupied, row.locked) == (4, 0)
        assert len(inside(live) & {one.pk for one in people}) == 1
        assert len([act for act in told if act.get("do") == "enter"]) == 1


def test_a_kick_frees_the_seat_for_one_of_100_phones_and_never_for_who_was_kicked(api):
    live = factories.live(seats=4)
    members, members_phones = crowd(api, 3)
    factories.inside(live, *members)
    people, phones = crowd(api, 100)
    owners = api(live.owner)
    kick = calling(owners, "kick-out-user", liveId=live.pk, userId=members[0].pk)
    answers = at_once([*joining(phones[:8], live), kick, *joining([members_phones[0]] * 3 + phones[8:], live)])
    assert answers[8]["errorcode"] == 0
    new = inside(live) & {one.pk for one in people}
    assert members[0].pk not in inside(live)
    assert len(new) == 1
    assert sound(live).occupied == 4
    assert codes(answers[:8] + answers[12:]) == {0: 1, 505: 99}


def test_who_is_banned_while_coming_in_is_outside_in_the_end(api):
    for turn in range(12):
        live, guest = factories.live(seats=8), factories.person()
        deeds = [*joining([api(guest)], live), lambda guest=guest: bans.ban(guest)]
        answers = at_once(deeds[:: 1 if turn % 2 else -1])
        assert {answer["errorcode"] for answer in answers if answer} <= {0, 720}
        assert guest.pk not in inside(live)
        assert sound(live).occupied == 1
