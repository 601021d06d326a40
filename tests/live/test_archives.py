"""What was said in a live, as its replay shows it: D30, B56, B57, android_client.md 5.8."""

import io
import json
import zipfile
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from django.core.files.storage import storages
from django.db.models import F
from django.test import Client

from heihei_site.realtime import retention
from heihei_site.realtime import storage as rows
from heihei_site.realtime.models import Message, StreamKind
from live import personal_data, tasks
from live.models import Live
from live.services import archives, moderation, owners, rooms
from tests import factories
from tests.answers import ok
from tests.live.conftest import Evening
from users.services import bans

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shelf(settings: Any, tmp_path: Any) -> Any:
    """Where archives stand."""
    settings.STORAGES["archives"]["OPTIONS"]["location"] = str(tmp_path)
    settings.STORAGES = {**settings.STORAGES}  # storages notice
    return tmp_path


def files(shelf: Any) -> list[str]:
    return sorted(path.name for path in shelf.rglob("*.zip"))


def say(evening: Evening, user: Any, text: str) -> None:
    phones = {evening.owner.pk: evening.owners, evening.viewer.pk: evening.viewers}
    phone = phones.get(user.pk) or evening.phone(user)
    ok(phone.post("msg/send-msg", liveId=evening.live.pk, roomId=evening.live.pk, text=text))


def end(evening: Evening) -> str:
    """Ends it and writes the archive; its address."""
    rooms.end_live(evening.live.pk)
    assert tasks.write_archives() == 1
    return address(evening)


def address(evening: Evening) -> str:
    """As anybody is told it."""
    onlooker = evening.phone(factories.person())
    return str(ok(onlooker.get("live/get-live", liveId=evening.live.pk))["live"]["messageAddr"])


def fetch(url: str) -> Any:
    return Client().get(urlsplit(url).path)


def entries(url: str) -> list[list[str]]:
    answer = fetch(url)
    assert answer.status_code == 200 and answer["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(b"".join(answer))) as archive:
        return [json.loads(archive.read(name)) for name in archive.namelist()]


def lines(url: str) -> list[dict[str, Any]]:
    """As the 1.1 app reads them: each string an object, its `msg` the text of another."""
    return [json.loads(json.loads(each)["msg"]) for entry in entries(url) for each in entry]


def texts(url: str) -> list[str]:
    return [line["text"] for line in lines(url) if line["msgType"] == "text"]


class TestWhatIsInIt:
    def test_b57_a_zip_of_json_arrays_of_strings(self, evening: Evening) -> None:
        say(evening, evening.viewer, "你好")
        [[only]] = entries(end(evening))
        assert isinstance(only, str)
        element = json.loads(only)
        assert set(element) == {"msg", "timeStamp"} and isinstance(element["msg"], str)
        message = json.loads(element["msg"])
        assert (message["msgType"], message["text"]) == ("text", "你好")
        assert (message["roomId"], message["fromUserId"]) == (evening.live.pk, evening.viewer.pk)

    def test_b56_each_line_is_at_its_second_since_create_time(self, evening: Evening) -> None:
        """The phone reads createTime in China's zone and waits for the second at which a line was said."""
        say(evening, evening.viewer, "你好")
        said_at = Message.objects.get(kind=StreamKind.ROOM, owner_id=evening.live.pk).created_at
        [[line]] = entries(end(evening))
        card = ok(evening.viewers.get("live/get-live", liveId=evening.live.pk))["live"]
        began = datetime.strptime(card["createTime"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=ZoneInfo("Asia/Shanghai"))
        waits = json.loads(line)["timeStamp"] - int(began.timestamp())
        assert abs(waits - (said_at - evening.live.created_at).total_seconds()) <= 1.5

    def test_everything_that_people_saw_in_its_order_and_nothing_that_was_of_its_moment(
        self, evening: Evening, gifts: None
    ) -> None:
        factories.give_gold(evening.viewer, 100)
        room = {"liveId": evening.live.pk}
        say(evening, evening.viewer, "一")
        ok(evening.viewers.post("live/buy-gift", **room, giftId=101, gift_uuid="u", amount=1))
        ok(evening.viewers.post("live/buy-bullet", **room, message="二"))
        ok(evening.viewers.post("live/live-like", **room, type=1))
        ok(evening.owners.post("live/pause-live", **room))
        moderation.say_as_system(operator=factories.person(is_staff=True), live=evening.live, text="三")
        kinds = [line["msgType"] for line in lines(end(evening))]
        assert kinds == ["text", "gift", "text", "barrage", "like", "system"]

    def test_a_long_evening_is_many_entries(self, evening: Evening, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rows, "HISTORY", 3)
        for number in range(7):
            say(evening, evening.viewer, str(number))
        found = entries(end(evening))
        assert [len(entry) for entry in found] == [3, 3, 1]
        assert texts(address(evening)) == [str(number) for number in range(7)]

    def test_where_nothing_was_said_there_is_none(self, evening: Evening, shelf: Any) -> None:
        """The 1.1 app opens what it is given, and cannot open an empty one."""
        assert end(evening) == "" and files(shelf) == []


class TestWhen:
    def test_not_before_the_end(self, evening: Evening) -> None:
        say(evening, evening.viewer, "你好")
        assert tasks.write_archives() == 0
        tasks.write_archive_of(evening.live.pk)
        assert evening.row().archive == ""

    def test_once(self, evening: Evening, shelf: Any) -> None:
        say(evening, evening.viewer, "你好")
        found = end(evening)
        assert tasks.write_archives() == 0
        tasks.write_archive_of(evening.live.pk)
        assert address(evening) == found and len(files(shelf)) == 1

    def test_a_job_that_died_only_delays_it_and_leaves_nothing_behind(
        self, evening: Evening, shelf: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        say(evening, evening.viewer, "你好")
        rooms.end_live(evening.live.pk)
        with monkeypatch.context() as patch:
            patch.setattr(archives, "_delete", lambda name: None)
            patch.setattr(tasks.write_archive_of, "delay", lambda live_id: archives._write(evening.row()))
            assert tasks.write_archives() == 1  # and dies before it could say so
        assert address(evening) == "" and len(files(shelf)) == 1
        assert tasks.write_archives() == 0, "somebody is at it"
        Live.objects.update(archive_due=F("archive_due") - timedelta(minutes=16))
        assert tasks.write_archives() == 1
        assert texts(address(evening)) == ["你好"] and len(files(shelf)) == 1

    def test_two_at_once_leave_one(self, evening: Evening, shelf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        say(evening, evening.viewer, "你好")
        rooms.end_live(evening.live.pk)
        once = archives._write

        def meanwhile(live: Live) -> str:
            monkeypatch.setattr(archives, "_write", once)
            archives.settle(live.pk)
            return once(live)

        monkeypatch.setattr(archives, "_write", meanwhile)
        tasks.write_archives()
        assert texts(address(evening)) == ["你好"] and len(files(shelf)) == 1

    def test_totals_stay_what_they_were_at_the_end(self, evening: Evening, gifts: None) -> None:
        factories.give_gold(evening.viewer, 100)
        room = {"liveId": evening.live.pk}
        ok(evening.viewers.post("live/buy-gift", **room, giftId=101, gift_uuid="u", amount=1))
        rooms.end_live(evening.live.pk)
        frozen = ("total_users", "total_tickets", "likes", "occupied", "ended_at", "status")
        before = Live.objects.filter(pk=evening.live.pk).values(*frozen).get()
        tasks.write_archives()
        for path, more in (
            ("live/buy-gift", {"giftId": 101, "gift_uuid": "v", "amount": 1}),
            ("live/live-like", {"type": 1}),
            ("live/join-live", {}),
            ("live/heart-beat", {"isCreator": 0}),
        ):
            assert evening.viewers.post(path, **room, **more)["errorcode"] != 0
        ok(evening.owners.post("live/stop-live", **room))
        assert Live.objects.filter(pk=evening.live.pk).values(*frozen).get() == before


class TestWhoIsTakenOut:
    @pytest.fixture
    def spoken(self, evening: Evening) -> str:
        say(evening, evening.viewer, "坏话"), say(evening, evening.owner, "好话")
        return end(evening)

    def test_what_a_banned_person_said_disappears_afterwards(self, evening: Evening, spoken: str, shelf: Any) -> None:
        assert texts(spoken) == ["坏话", "好话"]
        bans.ban(evening.viewer)
        assert tasks.write_archives() == 1
        now = address(evening)
        assert texts(now) == ["好话"]
        assert now != spoken and fetch(spoken).status_code == 404
        assert len(files(shelf)) == 1

    def test_also_when_the_rows_are_forgotten(self, evening: Evening, spoken: str, settings: Any) -> None:
        settings.ROOM_MESSAGES_AGE = timedelta(hours=-1)
        retention.forget_after((StreamKind.ROOM.value, 0))
        assert not Message.objects.filter(kind=StreamKind.ROOM).exists()
        bans.ban(evening.viewer)
        tasks.write_archives()
        assert texts(address(evening)) == ["好话"]

    def test_somebody_banned_before_the_end_or_while_it_is_written(
        self, evening: Evening, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = factories.person()
        factories.inside(evening.live, other)
        say(evening, evening.viewer, "坏话"), say(evening, other, "怪话"), say(evening, evening.owner, "好话")
        bans.ban(evening.viewer)
        rooms.end_live(evening.live.pk)
        once = archives._write

        def meanwhile(live: Live) -> str:
            name = once(live)
            bans.ban(other)
            return name

        monkeypatch.setattr(archives, "_write", meanwhile)
        tasks.write_archives()
        assert evening.row().archive == "", "there is news"
        monkeypatch.setattr(archives, "_write", once)
        assert tasks.write_archives() == 1
        assert texts(address(evening)) == ["好话"]

    def test_where_they_were_the_only_one_to_speak_nothing_is_left(self, evening: Evening, shelf: Any) -> None:
        say(evening, evening.viewer, "坏话")
        end(evening)
        bans.ban(evening.viewer)
        tasks.write_archives()
        assert evening.row().archive == "" and files(shelf) == []

    def test_lives_they_never_were_in_are_left_alone(self, evening: Evening, spoken: str) -> None:
        bans.ban(factories.person())
        assert tasks.write_archives() == 0 and address(evening) == spoken

    def test_what_an_erased_person_said_disappears_too(self, evening: Evening, spoken: str) -> None:
        type(evening.viewer).objects.filter(pk=evening.viewer.pk).update(is_active=False)
        personal_data.erase(evening.viewer.pk)
        assert tasks.write_archives() == 1
        assert texts(address(evening)) == ["好话"]

    def test_of_an_erased_owner_s_live_nothing_is_left(self, evening: Evening, spoken: str, shelf: Any) -> None:
        personal_data.erase(evening.owner.pk)
        assert (files(shelf), evening.row().archive, evening.row().archive_due) == ([], "", None)
        assert fetch(spoken).status_code == 404


class TestFetching:
    def test_of_a_deleted_live_there_is_nothing_at_once_and_no_file_soon(self, evening: Evening, shelf: Any) -> None:
        say(evening, evening.viewer, "你好")
        found = end(evening)
        owners.delete(owner=evening.owner, live=evening.row())
        assert fetch(found).status_code == 404
        tasks.write_archives()
        assert files(shelf) == []

    def test_a_banned_live_has_none(self, evening: Evening, shelf: Any) -> None:
        say(evening, evening.viewer, "你好")
        rooms.ban_live(evening.live)
        assert tasks.write_archives() == 1
        assert files(shelf) == [] and evening.row().archive == ""

    @pytest.mark.parametrize("name", ["", "x", "5/message_x.txt.zip", "../settings.py", "٣/x", "9" * 40 + "/x", "%00"])
    def test_no_other_file_is_given_out(self, evening: Evening, name: str) -> None:
        say(evening, evening.viewer, "你好")
        end(evening)
        assert Client().get(f"/message/{name}").status_code == 404

    def test_a_file_that_is_gone_is_404(self, evening: Evening) -> None:
        say(evening, evening.viewer, "你好")
        found = end(evening)
        storages["archives"].delete(evening.row().archive)
        assert fetch(found).status_code == 404

    def test_its_address_is_public_and_may_be_kept_for_ten_minutes(self, evening: Evening, settings: Any) -> None:
        say(evening, evening.viewer, "你好")
        found = end(evening)
        assert found.startswith(f"http://127.0.0.1:{settings.PORT}/message/{evening.live.pk}/message_")
        assert found.endswith(".txt.zip") and fetch(found)["Cache-Control"] == "public, max-age=600"
