"""Owners' deeds at the same moment, and the job that ranks among gifts: D9, I2."""

import pytest

from live import tasks
from live.models import Live, RecentTickets
from tests import factories
from tests.races.crowd import at_once, codes, same_phone

pytestmark = pytest.mark.django_db(transaction=True)


def calling(phone, path, **said):
    return lambda: same_phone(phone).post(path, **said)


def test_deletions_at_once_take_one_live_off_the_count_and_end_it_once(api, told):
    owner = factories.person(live_count=5)
    live, viewer = factories.live(owner), factories.person()
    factories.inside(live, viewer)
    phone = api(owner)
    told.clear()
    deeds = [calling(phone, "live/delete-live", liveId=live.pk)] * 8
    deeds += [calling(phone, "live/stop-live", liveId=live.pk), calling(api(viewer), "live/quit-live", liveId=live.pk)]
    assert codes(at_once(deeds)) == {0: 10}
    owner.refresh_from_db()
    assert (Live.objects.get().status, owner.live_count) == (4, 4)
    assert len([message for message in told if message.get("action") == "stop-live"]) == 1


@pytest.mark.parametrize(("path", "action"), [("pause-live", "pause-live"), ("continue-live", "goon-live")])
def test_what_a_phone_sends_several_times_the_room_is_told_once(api, told, path, action):
    live = factories.live(paused=path == "continue-live")
    phone = api(live.owner)
    told.clear()
    assert codes(at_once([calling(phone, f"live/{path}", liveId=live.pk)] * 12)) == {0: 12}
    assert [message["action"] for message in told] == [action]
    assert Live.objects.get().paused is (path == "pause-live")


def test_the_ranking_among_gifts_holds_nobody_up_and_counts_each_once(api, gifts):
    rooms = [factories.live() for _ in range(4)]
    phones = []
    for room in rooms:
        giver = factories.person(gold=1000)
        factories.inside(room, giver)
        phones.append(api(giver))
    deeds = [
        calling(phone, "live/buy-gift", liveId=room.pk, giftId=101, gift_uuid="u", amount=number + 1)
        for number in range(10)
        for phone, room in zip(phones, rooms, strict=True)
    ]
    answers = at_once([deed for number, deed in enumerate(deeds) for deed in (deed, *[tasks.rank] * (number % 4 == 0))])
    assert codes(answer for answer in answers if "errorcode" in answer) == {0: 40}
    tasks.rank()
    given = dict(Live.objects.values_list("pk", "total_tickets"))
    assert dict(RecentTickets.objects.values_list("pk", "counted")) == given
    for live_id, tickets in RecentTickets.objects.values_list("pk", "tickets"):
        assert given[live_id] * 0.9 < tickets <= given[live_id]
