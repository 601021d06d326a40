"""Asking, answering, hanging up and running out of time at the same moment: one microphone, one outcome. D25, I8."""

from collections import Counter
from datetime import timedelta

import orjson
import pytest
from django.db.models.functions import Now

from heihei_site.realtime.models import Message, StreamKind
from live import tasks
from live.models import Live, MicLink
from live.services import mic_rooms
from tests import factories
from tests.races.crowd import at_once, codes, same_phone
from users.services import bans

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 4


class Room:
    """A live with its owner and viewers, a phone each; each call in short, on a connection of its own."""

    def __init__(self, api, viewers=1):
        self.live = factories.live()
        self.people = [factories.person() for _ in range(viewers)]
        factories.inside(self.live, *self.people)
        self.owner = api(self.live.owner)
        self.phones = [api(person) for person in self.people]

    def call(self, phone, what, **said):
        return lambda: same_phone(phone).post(f"live/{what}", liveId=self.live.pk, **said)

    def by_owner(self, what, number=0):
        return self.call(self.owner, what, userId=self.people[number].pk)

    def by_viewer(self, what, number=0):
        return self.call(self.phones[number], what, userId=self.live.owner_id)

    def links(self):
        return list(MicLink.objects.filter(live=self.live).order_by("pk"))

    def states(self):
        return [MicLink.State(link.state).name for link in self.links()]

    def rung(self, action):
        """How often each person was told that, by the rows of what they were told."""
        found = Message.objects.filter(kind=StreamKind.PERSON)
        told = [(row.owner_id, orjson.loads(row.element)["msg"]) for row in found]
        return Counter(who for who, m in told if m.get("action") == action and m.get("liveId") == self.live.pk)

    def said(self):
        """What the room was told about the microphone and its end, in its order."""
        rows = Message.objects.filter(kind=StreamKind.ROOM, owner_id=self.live.pk).order_by("seq")
        messages = [orjson.loads(row.element)["msg"] for row in rows]
        kinds = {"conference-status", "stop-live"}
        return [m.get("status", "over") for m in messages if m.get("action") in kinds]


def runs_out(room, milliseconds):
    MicLink.objects.filter(live=room.live).update(deadline=Now() + timedelta(milliseconds=milliseconds))


@pytest.mark.parametrize("milliseconds", [0, 5, 15, 40, 10_000])
@pytest.mark.parametrize("asked_by", ["viewer", "owner"])
def test_accept_against_cancel_against_time_out_has_one_outcome_that_all_are_told(api, told, asked_by, milliseconds):
    for _ in range(ROUNDS):
        room = Room(api)
        asks, answers = (room.by_viewer, room.by_owner) if asked_by == "viewer" else (room.by_owner, room.by_viewer)
        assert asks("call-request")()["errorcode"] == 0
        runs_out(room, milliseconds)
        accept, cancel = answers("accept-conference"), asks("refuse-conference")
        accepted, cancelled, *_ = at_once([accept, cancel, tasks.sweep, accept, cancel, tasks.sweep])
        both = {room.live.owner_id: 1, room.people[0].pk: 1}
        if accepted["errorcode"] == 0:
            assert (cancelled["errorcode"], room.states(), room.rung("join-conference")) == (742, ["JOINING"], both)
        else:
            assert accepted["errorcode"] == 409
            assert (cancelled["errorcode"], room.states(), room.rung("join-conference")) == (0, ["ENDED"], {})
        assert room.said() == []


def test_both_ask_at_once_and_are_linked_once(api, told):
    for _ in range(ROUNDS):
        room = Room(api)
        asks = [room.by_owner("call-request"), room.by_viewer("call-request")]
        answers = at_once(asks * 4)
        assert codes(answers) == {0: 8}
        assert room.states() == ["JOINING"]
        assert room.rung("join-conference") == {room.live.owner_id: 1, room.people[0].pk: 1}


@pytest.mark.parametrize(("asked_by", "loses"), [("viewer", 739), ("owner", 409)])
def test_of_six_accepted_at_the_same_moment_one_gets_the_microphone(api, told, asked_by, loses):
    for _ in range(3):
        room = Room(api, viewers=6)
        asks, answers = (room.by_viewer, room.by_owner) if asked_by == "viewer" else (room.by_owner, room.by_viewer)
        assert codes(at_once([asks("call-request", number) for number in range(6)])) == {0: 6}
        accepted = at_once([answers("accept-conference", number) for number in range(6)])
        assert codes(accepted) == {0: 1, loses: 5}
        [winner] = [number for number, answer in enumerate(accepted) if answer["errorcode"] == 0]
        assert room.rung("join-conference") == {room.live.owner_id: 1, room.people[winner].pk: 1}
        assert Counter(room.states())["JOINING"] == 1


def test_join_against_quit_leaves_nobody_alone_at_the_vendors(api, told, monkeypatch):
    """Whoever got a token is thrown out, whichever call was first."""
    removed = []
    twin = "heihei_site.providers.rtc.outbox.OutboxRtc.remove"
    monkeypatch.setattr(twin, lambda self, *, room, user_id: removed.append((room, user_id)))
    for _ in range(ROUNDS * 2):
        room = Room(api)
        for deed in (room.by_viewer("call-request"), room.by_owner("accept-conference")):
            assert deed()["errorcode"] == 0
        removed.clear()
        joins = [room.by_viewer("join-conference"), room.by_owner("join-conference")]
        *joined, quit_1, quit_2 = at_once([*joins, room.by_viewer("quit-conference"), room.by_owner("quit-conference")])
        assert codes([quit_1, quit_2]) == {0: 2}
        assert set(codes(joined)) <= {0, 750}
        [link] = room.links()
        assert (room.states(), link.revocation_due) == (["ENDED"], False)
        if 0 in codes(joined):
            name = mic_rooms.ROOMS.room_of(link.pk)
            assert removed == [(name, room.live.owner_id), (name, room.people[0].pk)]
        else:
            assert removed == []
        both_joined = codes(joined)[0] == 2
        assert room.said() == ([0, 2] if both_joined else [2])
        assert sum(room.rung("stop-conference").values()) == 1


@pytest.mark.parametrize("shut_out", ["kicked", "banned"])
def test_who_is_shut_out_while_joining_is_thrown_out_at_the_vendors(api, told, monkeypatch, shut_out):
    """I9: a token that was given in the last moment opens nothing."""
    removed = []
    twin = "heihei_site.providers.rtc.outbox.OutboxRtc.remove"
    monkeypatch.setattr(twin, lambda self, *, room, user_id: removed.append((room, user_id)))
    for _ in range(ROUNDS):
        room = Room(api)
        for deed in (room.by_viewer("call-request"), room.by_owner("accept-conference")):
            assert deed()["errorcode"] == 0
        removed.clear()
        ban = lambda person=room.people[0]: bans.ban(person)  # noqa: E731
        joined, _ = at_once(
            [room.by_viewer("join-conference"), room.by_owner("kick-out-user") if shut_out == "kicked" else ban]
        )
        assert joined["errorcode"] in (0, 720, 750)
        assert room.states() == ["ENDED"]
        name, [link] = mic_rooms.ROOMS.room_of(room.links()[0].pk), room.links()
        both = [(name, room.live.owner_id), (name, room.people[0].pk)]
        assert (removed, link.revocation_due) == (both if joined["errorcode"] == 0 else [], False)
        assert room.by_viewer("join-conference")()["errorcode"] == (750 if shut_out == "kicked" else 720)


def test_one_accepted_by_the_owner_and_one_who_accepts_the_owner_at_the_same_moment_are_one_link(api, told):
    for _ in range(ROUNDS):
        room = Room(api, viewers=2)
        assert room.by_viewer("call-request", 0)()["errorcode"] == 0
        assert room.by_owner("call-request", 1)()["errorcode"] == 0
        by_owner, by_viewer = at_once([room.by_owner("accept-conference", 0), room.by_viewer("accept-conference", 1)])
        assert (by_owner["errorcode"], by_viewer["errorcode"]) in [(0, 409), (739, 0)]
        winner = 0 if by_owner["errorcode"] == 0 else 1
        assert room.rung("join-conference") == {room.live.owner_id: 1, room.people[winner].pk: 1}
        assert Counter(room.states())["JOINING"] == 1


@pytest.mark.parametrize("ends", ["stop-live", "quit-live", "kick-out-user"])
def test_the_end_against_success_never_says_connected_after_it_was_over(api, told, ends):
    for _ in range(ROUNDS):
        room = Room(api)
        for deed in (room.by_viewer("call-request"), room.by_owner("accept-conference")):
            assert deed()["errorcode"] == 0
        for by in (room.by_viewer, room.by_owner):
            assert by("join-conference")()["errorcode"] == 0
        end = room.by_viewer(ends) if ends == "quit-live" else room.by_owner(ends)
        succeed = [room.by_viewer("conference-success"), room.by_owner("conference-success")]
        *succeeded, ended = at_once([*succeed, end])
        assert ended["errorcode"] == 0
        assert set(codes(succeeded)) <= {0, 731, 750}
        assert room.states() == ["ENDED"]
        connected = [1] if codes(succeeded)[0] == 2 else []
        assert room.said() == [0, *connected, 2, *(["over"] if ends == "stop-live" else [])]
        assert Live.objects.get(pk=room.live.pk).is_open == (ends != "stop-live")


def test_accepting_against_leaving_never_links_who_is_gone(api, told):
    for _ in range(ROUNDS):
        room = Room(api)
        assert room.by_viewer("call-request")()["errorcode"] == 0
        accepted, left = at_once([room.by_owner("accept-conference"), room.by_viewer("quit-live")])
        assert left["errorcode"] == 0
        assert accepted["errorcode"] in (0, 409)
        assert room.states() == ["ENDED"]
        assert room.said() == ([2] if accepted["errorcode"] == 0 else [])


@pytest.mark.parametrize("milliseconds", [0, 5, 15, 40])
def test_the_last_success_against_the_six_seconds(api, told, milliseconds):
    for _ in range(ROUNDS):
        room = Room(api)
        for deed in (room.by_viewer("call-request"), room.by_owner("accept-conference")):
            assert deed()["errorcode"] == 0
        for by in (room.by_viewer, room.by_owner):
            assert by("join-conference")()["errorcode"] == 0
        assert room.by_owner("conference-success")()["errorcode"] == 0
        runs_out(room, milliseconds)
        last = room.by_viewer("conference-success")
        succeeded, *_ = at_once([last, tasks.sweep, last, tasks.sweep])
        if succeeded["errorcode"] == 0:
            assert (room.states(), room.said()) == (["CONNECTED"], [0, 1])
        else:
            assert (succeeded["errorcode"], room.states(), room.said()) == (750, ["ENDED"], [0, 2])
        assert tasks.sweep()["mic_links"] == 0
