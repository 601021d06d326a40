"""What is kept of what was told (D12): 30 days, and of a person the newest 2,000; older is `resync`."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now

from heihei_site.realtime import mass, retention, storage, tasks
from heihei_site.realtime.models import MassMessage, Message, Stream, StreamKind
from tests.realtime.conftest import in_the_room
from tests.realtime.telling import ROOM, note, say

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def small_pages(monkeypatch, settings):
    """So that everything takes several turns."""
    monkeypatch.setattr(retention, "STREAMS", 3)
    monkeypatch.setattr(retention, "MESSAGES", 2)
    settings.PERSONAL_MESSAGES_KEPT = 5


def pass_time(time: timedelta, **which: int) -> None:
    """The messages are that much older."""
    Message.objects.filter(**which).update(created_at=F("created_at") - time)


def kept(kind: StreamKind, owner_id: int) -> tuple[int, int, list[int]]:
    stream = Stream.objects.get(kind=kind, owner_id=owner_id)
    rows = Message.objects.filter(kind=kind, owner_id=owner_id).order_by("seq").values_list("seq", flat=True)
    return stream.first_seq, stream.last_seq, list(rows)


def of_person(user_id: int) -> tuple[int, int, list[int]]:
    return kept(StreamKind.PERSON, user_id)


class TestPeople:
    def test_keep_their_newest(self):
        for user_id in (1, 2, 3, 4):
            note(user_id, *map(str, range(user_id * 3)))
        for _ in range(2):
            tasks.forget()
            assert of_person(1) == (1, 3, [1, 2, 3])
            assert of_person(2) == (2, 6, [2, 3, 4, 5, 6])
            assert of_person(3) == (5, 9, [5, 6, 7, 8, 9])
            assert of_person(4) == (8, 12, [8, 9, 10, 11, 12])

    def test_keep_what_is_young(self):
        for user_id in (1, 2):
            note(user_id, "a", "b", "c")
        pass_time(29 * DAY)
        tasks.forget()
        assert of_person(1) == (1, 3, [1, 2, 3])
        note(1, "d")
        pass_time(DAY)
        note(1, "e")
        tasks.forget()
        assert (of_person(1), of_person(2)) == ((4, 5, [4, 5]), (4, 3, []))
        pass_time(29 * DAY, owner_id=1, seq=4)
        tasks.forget()
        assert of_person(1) == (5, 5, [5])

    def test_go_on_counting_where_everything_is_forgotten(self):
        note(1, "a", "b")
        pass_time(30 * DAY)
        tasks.forget()
        note(1, "c")
        assert of_person(1) == (3, 3, [3])

    def test_are_looked_at_in_many_turns(self, monkeypatch):
        """A job that took its time queues again from where it is."""
        turns = []
        monkeypatch.setattr(tasks, "TURN_SECONDS", 0)
        monkeypatch.setattr(tasks.forget, "delay", lambda *position: turns.append(position))
        for user_id in range(1, 9):
            note(user_id, *"abcdefg")
            say("a", user_id)
        pass_time(30 * DAY, kind=StreamKind.ROOM)
        position = (StreamKind.PERSON, 0)
        while position:
            tasks.forget(*position)
            position = turns.pop() if turns else None
        assert all(of_person(user_id) == (3, 7, [3, 4, 5, 6, 7]) for user_id in range(1, 9))
        assert not Message.objects.filter(kind=StreamKind.ROOM).exists()


class TestRooms:
    def test_keep_a_month_however_much_it_is(self, settings):
        settings.ROOM_MESSAGES_AGE = 10 * DAY
        for number in range(12):
            say(str(number), ROOM)
        note(ROOM, "a person of the same number")
        tasks.forget()
        assert kept(StreamKind.ROOM, ROOM) == (1, 12, list(range(1, 13)))
        pass_time(10 * DAY, kind=StreamKind.ROOM)
        say("now", ROOM)
        tasks.forget()
        assert kept(StreamKind.ROOM, ROOM) == (13, 13, [13])
        assert of_person(ROOM) == (1, 1, [1])


class TestMassMessages:
    def test_go_a_day_after_they_are_done(self):
        for number in range(3):
            act = {"audience": "x", "source_id": number, "element": b"{}", "needs": 0, "expires": None, "push": None}
            mass.write([act])
        MassMessage.objects.filter(source_id=0).update(finished_at=Now() - DAY)
        MassMessage.objects.filter(source_id=1).update(finished_at=Now() - DAY / 2)
        tasks.forget()
        assert sorted(MassMessage.objects.values_list("source_id", flat=True)) == [1, 2]


class TestSockets:
    """`since` as clients know it, with what is kept being 5 to 9."""

    @pytest.fixture
    def anna(self, people):
        people.sign_in("anna", 1)
        note(1, *map(str, range(1, 10)))
        tasks.forget()

    @pytest.mark.parametrize(("since", "first"), [(0, 5), (4, 5), (5, 6), (8, 9)])
    def test_what_is_kept_is_replayed(self, anna, server, since, first):
        phone = server.phone("anna", since=since)
        assert [phone.element()["seq"] for _ in range(first, 10)] == list(range(first, 10))
        assert phone.hears_nothing()

    @pytest.mark.parametrize("since", [1, 3])
    def test_what_is_not_kept_has_to_be_loaded_anew(self, anna, server, since):
        phone = server.phone("anna", since=since)
        element = phone.element()
        assert (element["msg"]["action"], element["msg"]["seq"], "seq" in element) == ("resync", 9, False)
        assert phone.hears_nothing()
        note(1, "new")
        assert phone.element()["seq"] == 10

    def test_where_everything_is_forgotten_only_the_end_is_known(self, anna, server):
        pass_time(30 * DAY)
        tasks.forget()
        assert server.phone("anna", since=8).message()["action"] == "resync"
        for since in (0, 9):
            assert server.phone("anna", since=since).hears_nothing()

    def test_who_is_connected_notices_nothing(self, anna, server, people):
        phone = server.phone("anna", since=9)
        listener = in_the_room(server, people, "bert", 2)
        tasks.forget()
        pass_time(30 * DAY)
        tasks.forget()
        note(1, "new")
        assert phone.element()["seq"] == 10
        say("hello")
        assert listener.element()["roomSeq"] == 1

    def test_what_is_forgotten_during_its_replay_has_to_be_loaded_anew(self, anna, server, monkeypatch):
        kept_before = storage.kept

        def just_before(key):
            answer = kept_before(key)
            Message.objects.filter(kind=key[0], owner_id=key[1], seq__lt=8).delete()
            return answer

        monkeypatch.setattr(storage, "kept", just_before)
        phone = server.phone("anna", since=5)
        assert phone.message()["action"] == "resync"
        note(1, "new")
        assert phone.element()["seq"] == 10
