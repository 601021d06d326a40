"""Coming, going, beating, sweeping, starting and stopping from many phones at once: D21, D24, I6, I8."""

from datetime import timedelta
from random import Random

import pytest
from django.db.models import F
from django.db.models.functions import Now

from live import tasks
from live.models import Live, Member
from tests import factories
from tests.races.crowd import at_once, codes, same_phone
from users.services import bans

pytestmark = pytest.mark.django_db(transaction=True)


def calling(phone, path, **said):
    return lambda: same_phone(phone).post(path, **said)


def shown(told, action, live):
    return [message for message in told if message.get("action") == action and message["room"] == live.pk]


def inside(live):
    return Member.objects.filter(live=live, left_at=None).count()


def test_50_who_come_and_go_at_once_twice_each_leave_counts_that_agree_with_the_rows(api, told):
    live = factories.live()
    people = [factories.person() for _ in range(50)]
    phones = [api(person) for person in people]
    told.clear()
    deeds = [calling(phone, f"live/{path}-live", liveId=live.pk) for phone in phones for path in ("join", "quit") * 2]
    Random(2).shuffle(deeds)
    assert codes(at_once(deeds)) == {0: 200}
    row = Live.objects.get()
    assert (row.occupied, row.total_users) == (inside(live), 50)
    assert row.presence_no == len(shown(told, "list-live-users", live))
    assert codes(at_once([calling(phone, "live/quit-live", liveId=live.pk) for phone in phones])) == {0: 50}
    assert (Live.objects.get().occupied, inside(live)) == (1, 1)


def test_joins_at_once_of_one_phone_are_one_viewer(api, told):
    live = factories.live()
    phone = api(factories.person())
    told.clear()
    assert codes(at_once([calling(phone, "live/join-live", liveId=live.pk)] * 12)) == {0: 12}
    row = Live.objects.get()
    assert (row.occupied, row.total_users, inside(live)) == (2, 1, 2)
    assert len(shown(told, "list-live-users", live)) == 1


def on_the_edge(milliseconds):
    return Now() + timedelta(milliseconds=milliseconds)


@pytest.mark.parametrize("milliseconds", [0, 10, 30, 60])
def test_the_owners_beat_against_the_sweep_whoever_wins_answer_and_row_agree(api, told, milliseconds):
    for _ in range(6):
        live = factories.live()
        phone = api(live.owner)
        told.clear()
        Live.objects.filter(pk=live.pk).update(owner_deadline=on_the_edge(milliseconds))
        beat = calling(phone, "live/heart-beat", liveId=live.pk, isCreator=1)
        beats = at_once([beat, tasks.sweep, beat, tasks.sweep, tasks.sweep, tasks.sweep])[::2][:2]
        again = at_once([tasks.sweep, beat])[1]
        row = Live.objects.get(pk=live.pk)
        if row.status == Live.Status.PLAYING:
            assert codes([*beats, again]) == {0: 3}
            assert shown(told, "stop-live", live) == []
        else:
            assert again["errorcode"] == 725
            assert set(codes(beats)) == {725}
            assert (row.status, inside(live), row.occupied) == (2, 0, 0)
            assert len(shown(told, "stop-live", live)) == 1


@pytest.mark.parametrize("milliseconds", [0, 10, 30, 60])
def test_a_viewers_beat_against_the_sweep_whoever_wins_answer_and_row_agree(api, told, milliseconds):
    for _ in range(6):
        live, viewer = factories.live(), factories.person()
        factories.inside(live, viewer)
        phone = api(viewer)
        told.clear()
        Member.objects.filter(user=viewer).update(lease_until=on_the_edge(milliseconds))
        beat = calling(phone, "live/heart-beat", liveId=live.pk, isCreator=0)
        answer = at_once([beat, tasks.sweep, tasks.sweep])[0]
        tasks.sweep()
        left = [message for message in told if message.get("do") == "leave"]
        row = Live.objects.get(pk=live.pk)
        assert row.occupied == inside(live)
        if answer["errorcode"] == 0:
            assert (row.occupied, left) == (2, [])
        else:
            assert answer["errorcode"] == 506
            assert (row.occupied, len(left)) == (1, 1)


def test_a_return_against_the_sweep_counts_once(api):
    for _ in range(6):
        live, viewer = factories.live(), factories.person()
        factories.inside(live, viewer)
        phone = api(viewer)
        Member.objects.filter(user=viewer).update(lease_until=Now() - timedelta(seconds=1))
        joined = at_once([calling(phone, "live/join-live", liveId=live.pk), tasks.sweep, tasks.sweep])[0]
        assert joined["errorcode"] == 0
        assert (Live.objects.get(pk=live.pk).occupied, inside(live)) == (2, 2)


def test_whatever_one_owner_does_at_once_there_is_one_open_live_at_most(api, told):
    owner = factories.person()
    phone = api(owner)
    for _ in range(4):
        first = same_phone(phone).post("live/create-live", title="t")["live"]["liveId"]
        deeds = [
            calling(phone, "live/create-live", title="t"),
            calling(phone, "live/start-live", liveId=first),
            calling(phone, "live/stop-live", liveId=first),
            calling(phone, "live/heart-beat", liveId=first, isCreator=1),
            calling(phone, "live/create-live", title="t"),
            calling(phone, "live/start-live", liveId=first),
            calling(phone, "live/stop-live", liveId=first),
            calling(phone, "live/join-live", liveId=first),
        ]
        answers = at_once(deeds)
        assert -1 not in codes(answers)
        assert (answers[0]["errorcode"], answers[4]["errorcode"]) == (0, 0)
        assert Live.objects.open().filter(owner=owner).count() == 1
        assert Live.objects.get(pk=first).status == 2
    ended = Live.objects.filter(status=2)
    assert {live.pk: len(shown(told, "stop-live", live)) for live in ended} == dict.fromkeys(
        ended.values_list("pk", flat=True), 1
    )
    assert Member.objects.filter(left_at=None).count() == 1


def test_starts_at_once_count_one_live(api):
    owner = factories.person()
    live = factories.live(owner, status=0)
    phone = api(owner)
    assert codes(at_once([calling(phone, "live/start-live", liveId=live.pk)] * 8)) == {0: 8}
    owner.refresh_from_db()
    assert owner.live_count == 1


def test_an_end_from_all_sides_is_told_once(api, told):
    for _ in range(4):
        live = factories.live()
        viewers = [factories.person() for _ in range(3)]
        factories.inside(live, *viewers)
        owners, phones = api(live.owner), [api(viewer) for viewer in viewers]
        Live.objects.filter(pk=live.pk).update(owner_deadline=F("created_at"))
        told.clear()
        at_once(
            [calling(owners, "live/stop-live", liveId=live.pk), tasks.sweep, tasks.sweep]
            + [calling(phone, "live/quit-live", liveId=live.pk) for phone in phones]
            + [calling(phone, "live/join-live", liveId=live.pk) for phone in phones]
        )
        row = Live.objects.get(pk=live.pk)
        assert (row.status, row.occupied, inside(live)) == (2, 0, 0)
        assert len(shown(told, "stop-live", live)) == 1


def test_who_is_banned_while_opening_a_live_has_none_in_the_end(api):
    for _ in range(6):
        owner = factories.person()
        phone = api(owner)
        opened, _ = at_once([calling(phone, "live/create-live", title="t"), lambda: bans.ban(owner)])  # noqa: B023
        assert opened["errorcode"] in {0, 720}
        assert not Live.objects.open().filter(owner=owner).exists()


def test_one_text_sent_from_many_threads_at_once_is_shown_once(api, told):
    live, viewer = factories.live(), factories.person()
    factories.inside(live, viewer)
    phone = api(viewer)
    told.clear()
    said = {"text": "大家好", "roomId": live.pk, "liveId": live.pk}
    assert codes(at_once([calling(phone, "msg/send-msg", **said)] * 12)) == {0: 12}
    assert len([message for message in told if message.get("msgType") == "text"]) == 1


def test_likes_at_once_are_all_counted(api):
    live, viewer = factories.live(), factories.person()
    factories.inside(live, viewer)
    phone = api(viewer)
    assert codes(at_once([calling(phone, "live/live-like", liveId=live.pk, type=1)] * 40)) == {0: 40}
    assert Live.objects.get().likes == 40
