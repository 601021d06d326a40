"""Mass events (D12): an audience costs one row, and everyone in it is told exactly once."""

import socket
import time
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from heihei_site.realtime import audiences, bus, mass, storage, tasks
from heihei_site.realtime.groups import Audience, person
from heihei_site.realtime.models import MassMessage, Message, Stream, StreamKind
from heihei_site.realtime.publish import publish, telling
from tests.races.crowd import at_once
from tests.realtime.sample_events import Invited, Noted, Said, Unread
from tests.realtime.telling import note

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 2000
FANS, FRIENDS = Audience("fans", 7), Audience("friends", 7)


@pytest.fixture(autouse=True)
def crowd(monkeypatch) -> dict[str, list[int]]:
    """Who belongs to which audience, in no particular order."""
    people = {"fans": list(range(MANY, 0, -1)), "friends": [30, 10]}
    monkeypatch.setattr(audiences, "_registered", {})
    for name in people:
        audiences.register(
            name, lambda _, after, limit, name=name: sorted(p for p in people[name] if p > after)[:limit]
        )
    return people


@pytest.fixture
def no_worker(monkeypatch) -> list[None]:
    """Nobody comes by himself; how often a worker was asked to."""
    asked: list[None] = []
    monkeypatch.setattr(tasks, "nudge", lambda: asked.append(None))
    return asked


def tell(audience: Audience, event) -> None:
    with telling():
        publish(event, to=audience)


def work() -> int:
    """Batches until nothing is left."""
    return sum(iter(mass.tell_next_batch, False))


def told(owner_id: int) -> list[tuple[int, str]]:
    rows = Message.objects.filter(kind=StreamKind.PERSON, owner_id=owner_id).order_by("seq")
    return [(seq, storage.orjson.loads(element)["msg"]["text"]) for seq, element in rows.values_list("seq", "element")]


def everyone_has(*texts: str) -> bool:
    people = range(1, MANY + 1)
    return {owner: told(owner) for owner in people} == {owner: list(enumerate(texts, 1)) for owner in people}


class TestPublishing:
    def test_costs_one_row_however_many_they_are(self, no_worker):
        with CaptureQueriesContext(connection) as captured:
            tell(FANS, Noted(text="a"))
        assert [query["sql"].split()[0] for query in captured] == ["BEGIN", "INSERT", "COMMIT"]
        assert (MassMessage.objects.count(), Message.objects.count(), len(no_worker)) == (1, 0, 1)

    def test_a_rolled_back_transaction_tells_nobody(self, no_worker):
        with pytest.raises(ZeroDivisionError), telling():
            publish(Noted(text="a"), to=FANS)
            raise ZeroDivisionError
        assert (MassMessage.objects.count(), no_worker) == (0, [])

    def test_only_what_persons_are_told_can_be_told_to_an_audience(self, no_worker):
        with telling():
            for event in (Said(room_id=7, text="a"), Unread(version=1, count=1)):
                with pytest.raises(ValueError, match="not for Audience"):
                    publish(event, to=FANS)
        assert not MassMessage.objects.exists()

    def test_goes_with_everything_else_the_transaction_tells(self, no_worker):
        with telling():
            publish(Noted(text="to one"), to=person(1))
            publish(Noted(text="to all"), to=FRIENDS)
        assert told(1) == [(1, "to one")]
        assert (work(), told(10), told(30)) == (1, [(1, "to all")], [(1, "to all")])

    @pytest.mark.parametrize("listening", [False, True])
    def test_a_dead_broker_is_neither_raised_nor_slow(self, tmp_path, monkeypatch, listening):
        """Gone, or there and not answering; beat's sweep makes good for it."""
        from heihei_site.celery import app

        monkeypatch.setitem(app.conf, "task_always_eager", False)
        monkeypatch.setitem(app.conf, "broker_url", f"redis+socket://{tmp_path}/broker")
        with socket.socket(socket.AF_UNIX) as deaf:
            if listening:
                deaf.bind(f"{tmp_path}/broker")
                deaf.listen()
            began = time.monotonic()
            tell(FANS, Noted(text="a"))
        assert time.monotonic() - began < 4
        assert MassMessage.objects.filter(finished_at=None).count() == 1


class TestTelling:
    def test_tells_everyone_once_in_batches(self):
        tell(FANS, Noted(text="a"))
        assert everyone_has("a")
        assert MassMessage.objects.filter(told_until=MANY).exclude(finished_at=None).count() == 1
        assert (work(), Message.objects.count()) == (0, MANY)

    def test_rings_once_a_batch_with_everybodys_number(self, no_worker, monkeypatch):
        note(7, "earlier")
        rung: list[bus.Act] = []
        monkeypatch.setattr(bus, "send", lambda acts, at=None: rung.extend(acts))
        tell(FANS, Noted(text="a"))
        assert rung == []
        work()
        assert [len(act["to"]) for act in rung] == [mass.BATCH] * (MANY // mass.BATCH)
        numbers = {user_id: seq for act in rung for _, user_id, seq in act["to"]}
        assert numbers == {user_id: 2 if user_id == 7 else 1 for user_id in range(1, MANY + 1)}

    def test_a_worker_that_dies_leaves_nobody_out_and_tells_nobody_twice(self, no_worker, monkeypatch):
        """Between the messages and the note of how far it came; the next one goes on."""
        tell(FANS, Noted(text="a"))
        assert mass.tell_next_batch()
        with monkeypatch.context() as dying:
            dying.setattr(mass, "_move_on", lambda message, people: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                mass.tell_next_batch()
        assert Message.objects.count() == mass.BATCH
        work()
        assert everyone_has("a")

    def test_a_worker_that_dies_before_it_rings_has_told_them(self, no_worker, monkeypatch):
        tell(FRIENDS, Noted(text="a"))
        monkeypatch.setattr(bus, "send", lambda acts, at=None: None)
        mass.tell_next_batch()
        assert (told(10), work()) == ([(1, "a")], 0)

    def test_many_workers_and_other_messages_at_once(self, no_worker):
        for text in "abc":
            tell(FANS, Noted(text=text))
        others = [partial(note, user_id, "between") for user_id in range(5, MANY, 50)]
        at_once([work, work, work, *others], together=8)
        assert not MassMessage.objects.filter(finished_at=None).exists()
        for owner in range(1, MANY + 1):
            seqs, texts = zip(*told(owner), strict=True)
            extra = ["between"] if owner % 50 == 5 else []
            assert (list(seqs), sorted(texts)) == (list(range(1, len(seqs) + 1)), sorted([*"abc", *extra])), owner
        last = Stream.objects.filter(kind=StreamKind.PERSON).values_list("owner_id", "last_seq")
        assert dict(last) == {owner: 3 + (owner % 50 == 5) for owner in range(1, MANY + 1)}

    def test_a_small_audience_does_not_wait_for_a_large_one(self, no_worker):
        tell(FANS, Noted(text="large"))
        mass.tell_next_batch()
        tell(FRIENDS, Noted(text="small"))
        mass.tell_next_batch()
        mass.tell_next_batch()
        assert told(30) == [(1, "large"), (2, "small")]
        assert Message.objects.count() < MANY

    def test_what_cannot_be_told_holds_up_nothing_else(self, no_worker, monkeypatch):
        for audience in (FANS, FRIENDS):
            tell(audience, Noted(text="a"))
        find = audiences.people_after
        monkeypatch.setattr(
            audiences, "people_after", lambda name, *given: find(name, *given) if name == "friends" else 1 / 0
        )
        with pytest.raises(ZeroDivisionError):
            mass.tell_next_batch()
        assert mass.tell_next_batch()
        assert (told(10), told(30), MassMessage.objects.filter(finished_at=None).count()) == ([(1, "a")], [(1, "a")], 1)
        with pytest.raises(ZeroDivisionError):
            mass.tell_next_batch()

    def test_who_comes_meanwhile_is_told_and_who_goes_is_not(self, no_worker, crowd):
        tell(FANS, Noted(text="a"))
        mass.tell_next_batch()
        crowd["fans"] += [MANY + 1, 0]  # 0 would have been among the first
        crowd["fans"].remove(MANY)
        work()
        assert (told(MANY + 1), told(MANY), told(0)) == ([(1, "a")], [], [])

    def test_an_empty_audience_is_done_at_once(self, no_worker, crowd):
        crowd["fans"].clear()
        tell(FANS, Noted(text="a"))
        assert (work(), work(), Message.objects.count()) == (1, 0, 0)

    def test_what_a_newer_release_wrote_waits_for_its_workers(self, no_worker):
        tell(Audience("neighbours", 7), Noted(text="new"))
        tell(FRIENDS, Noted(text="old"))
        assert (work(), told(10)) == (1, [(1, "old")])
        audiences.register("neighbours", lambda source, after, limit: [10] if after < 10 else [])
        assert (work(), told(10)) == (1, [(1, "old"), (2, "new")])


class TestDeadlines:
    def test_nobody_is_told_after_it(self, no_worker):
        tell(FANS, Invited(live_id=3))
        mass.tell_next_batch()
        MassMessage.objects.update(expires_at=Now())
        assert (work(), work(), Message.objects.count()) == (1, 0, mass.BATCH)

    def test_what_remains_is_told(self, no_worker):
        tell(FRIENDS, Invited(live_id=3, expire_time=30))
        MassMessage.objects.update(expires_at=Now() + timedelta(seconds=11))
        work()
        [row] = storage.read((StreamKind.PERSON, 10), 0, 1, 1)
        assert storage.orjson.loads(row.element)["msg"]["expireTime"] in (10, 11)
        assert not Message.objects.filter(expires_at__gt=Now() + timedelta(seconds=12)).exists()


class TestJobs:
    def test_one_worker_does_one_at_a_time(self, no_worker):
        tell(FANS, Noted(text="a"))
        with tasks._telling:
            tasks.tell_audiences()
        assert Message.objects.count() == 0
        tasks.tell_audiences()
        assert everyone_has("a")

    def test_it_lets_others_have_a_turn_and_queues_again(self, no_worker, monkeypatch):
        monkeypatch.setattr(tasks, "TURN_SECONDS", 0)
        tell(FANS, Noted(text="a"))
        for turn in range(1, 5):
            tasks.tell_audiences()
            assert (Message.objects.count(), len(no_worker)) == (turn * mass.BATCH, turn + 1)

    def test_beat_finds_what_nobody_was_nudged_for(self, no_worker, settings):
        from heihei_site.celery import app

        for name in ("tell-audiences", "forget-messages"):
            assert settings.CELERY_BEAT_SCHEDULE[name]["task"] in app.tasks
        assert settings.CELERY_BEAT_SCHEDULE["tell-audiences"]["schedule"] <= 5
        tell(FRIENDS, Noted(text="a"))
        app.tasks[settings.CELERY_BEAT_SCHEDULE["tell-audiences"]["task"]].delay()
        assert told(30) == [(1, "a")]


class TestSockets:
    def test_who_is_connected_hears_it_at_once_and_who_is_not_later(self, people, server, no_worker):
        people.sign_in("here", 10)
        people.sign_in("away", 30)
        phone = server.phone("here", since=0)
        note(10, "before")
        assert phone.message()["text"] == "before"
        tell(FRIENDS, Noted(text="a"))
        assert phone.hears_nothing()
        work()
        note(10, "after")
        heard = [phone.element() for _ in range(2)]
        assert [(element["seq"], element["msg"]["text"]) for element in heard] == [(2, "a"), (3, "after")]
        assert server.phone("away", since=0).element()["seq"] == 1
