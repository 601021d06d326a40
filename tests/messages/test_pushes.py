"""A phone whose person is away rings, once, and only when it should (D42, B65; docs/adr/0011-push-outbox.md)."""

import json
from collections import Counter
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import OperationalError, connection
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext

from heihei_site.providers import registry
from heihei_site.providers.push.base import Answer, NotTaken, Result
from heihei_site.realtime import mass, presence, pushing
from heihei_site.realtime.groups import person
from heihei_site.realtime.models import Message
from heihei_site.realtime.publish import publish, telling
from messages import tasks
from messages.models import Notice, Push, PushTally
from messages.services import push_delivery, pushes
from tests import factories
from tests.answers import ok
from tests.messages.push_vendor import Rung, Vendor, outcomes, pass_time, phone, somebody, sweep, tell
from tests.realtime.sample_events import Noted
from users import auth, erasure
from users.models import Block, Device, Follow, Session, User

pytestmark = pytest.mark.django_db
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture(autouse=True)
def vendor(monkeypatch, settings) -> Vendor:
    settings.QUIET_HOURS = (0, 0)  # never; tests run at night as well
    vendor = Vendor()
    monkeypatch.setattr(registry, "push", lambda kind: vendor)
    return vendor


def registered(api):
    """The phone of the only person there is."""
    mine = api(factories.person(), version="2.0.0")
    ok(mine.post("user/push-device-info", apnsType="getui", apnsToken="t"))
    return mine


def here(monkeypatch, *people: User) -> None:
    """They have a socket."""
    ids = {user.pk for user in people}
    monkeypatch.setattr(presence, "present", lambda asked: ids & set(asked))


class TestWriting:
    def test_a_message_that_is_not_pushed_costs_nothing(self):
        user = somebody()
        with CaptureQueriesContext(connection) as captured, telling():
            publish(Noted(text="a"), to=person(user))
        assert not any("inbox_push" in query["sql"] for query in captured)

    def test_it_is_written_with_the_message_or_not_at_all(self):
        user = somebody()
        with pytest.raises(ZeroDivisionError), telling():
            publish(Rung(), to=person(user))
            raise ZeroDivisionError
        with telling():
            try:
                with telling():
                    publish(Rung(text="taken back"), to=person(user))
                    raise ZeroDivisionError
            except ZeroDivisionError:
                publish(Rung(text="told"), to=person(user))
        assert Message.objects.count() == 1
        assert list(Notice.objects.values_list("text", flat=True)) == ["told"]
        assert outcomes() == ["WAITING"]

    def test_it_takes_one_statement_for_all_devices(self):
        user = somebody()
        phone(user, kind="apns", platform="ios")
        with CaptureQueriesContext(connection) as captured:
            tell(user)
        assert sum("inbox_push" in query["sql"] for query in captured) == 1
        assert outcomes() == ["WAITING", "WAITING"]

    def test_nobody_without_a_device_is_written_down(self):
        tell(factories.person())
        assert not Push.objects.exists() and not Notice.objects.exists()

    @pytest.mark.parametrize("change", [{"push_enable": False}, {"is_active": False}, {"deletion_due_at": Now()}])
    def test_nor_who_wants_none_or_is_not_there(self, change):
        user = somebody()
        User.objects.filter(pk=user.pk).update(**change)
        tell(user)
        assert not Push.objects.exists()

    def test_nor_whose_sign_in_has_run_out(self):
        user = somebody()
        Session.objects.update(expires_at=Now())
        tell(user)
        assert not Push.objects.exists()

    def test_nor_a_device_that_no_vendor_here_reaches(self, settings):
        settings.PROVIDERS = {name: path for name, path in settings.PROVIDERS.items() if name != "gcm"}
        user = somebody(kind="gcm")
        tell(user)
        assert not Push.objects.exists()

    def test_nobody_is_pushed_what_they_did_themselves(self):
        user = somebody()
        tell(user, from_user_id=user.pk)
        assert Message.objects.count() == 1
        assert not Push.objects.exists()


class TestSending:
    def test_it_goes_out_five_seconds_after_the_message(self, vendor):
        user = somebody()
        tell(user)
        pass_time(seconds=4.5)
        tasks.push()
        assert vendor.handed == []
        pass_time(seconds=1)
        tasks.push()
        assert vendor.texts == ["在吗"]
        assert outcomes() == ["SENT"]

    def test_it_goes_out_once_however_often_one_sweeps(self, vendor):
        tell(somebody())
        for _ in range(3):
            sweep()
        assert vendor.texts == ["在吗"]

    def test_it_says_all_that_the_document_names(self, vendor):
        user = somebody(kind="apns", platform="ios")
        tell(user, from_user_id=10001)
        sweep()
        [[sent]] = vendor.handed
        device, notice = Device.objects.get(), Notice.objects.get()
        assert sent.payload == {
            "title": "标题",
            "text": "在吗",
            "action": "message",
            "link": "wmlives_heihei://message",
            "msgId": notice.msg_id,
            "fromUserName": "",
            "fromUserId": 10001,
            "gender": "",
            "data": {},
            "deviceType": "ios",
            "clientid": device.push_token,
        }
        assert (sent.token, sent.platform, sent.user_id, sent.repeated) == (device.push_token, "ios", user.pk, False)
        assert 10 <= len(sent.request_id) <= 32

    def test_every_device_of_a_person_rings(self, vendor):
        user = somebody()
        other = phone(user, kind="apns")
        tell(user)
        sweep()
        assert sorted(vendor.tokens) == sorted(Device.objects.values_list("push_token", flat=True))
        assert other.push_token in vendor.tokens

    def test_devices_of_each_kind_go_to_their_vendor_in_one_batch(self, monkeypatch):
        vendors = {"getui": Vendor(), "apns": Vendor()}
        monkeypatch.setattr(registry, "push", vendors.get)
        for kind in ("getui", "apns", "getui"):
            tell(somebody(kind=kind))
        sweep()
        assert [len(batch) for batch in vendors["getui"].handed] == [2]
        assert [len(batch) for batch in vendors["apns"].handed] == [1]


class TestNotSending:
    def test_who_has_a_socket_is_not_rung(self, vendor, monkeypatch):
        user, away = somebody(), somebody()
        tell(user, "a")
        tell(away, "b")
        here(monkeypatch, user)
        sweep()
        assert vendor.texts == ["b"]
        assert outcomes() == ["REACHED", "SENT"]

    def test_who_has_connected_since_is_not_rung_though_gone_again(self, vendor, api):
        mine = registered(api)
        tell(User.objects.get())
        assert auth.SocketSessions().connect(mine.token)
        sweep()
        assert (vendor.handed, outcomes()) == ([], ["REACHED"])

    def test_who_only_called_since_has_heard_nothing_and_is_rung(self, vendor, api, settings):
        """That an app refreshes a list in the background does not show anybody the message."""
        settings.TOKEN_REFRESH = timedelta(0)
        mine = registered(api)
        assert auth.SocketSessions().connect(mine.token)
        tell(User.objects.get())
        ok(mine.get("user/get-config"))
        assert Session.objects.get().active_at > Push.objects.get().created_at
        sweep()
        assert (vendor.texts, outcomes()) == (["在吗"], ["SENT"])

    @pytest.mark.parametrize("version", ["1.0", "1.1", "1.1.2"])
    def test_the_shipped_app_is_not_crashed(self, vendor, version):
        """B65: any payload ends it."""
        tell(somebody(version=version))
        sweep()
        assert (vendor.handed, outcomes()) == ([], ["UNFIT"])

    def test_a_link_goes_only_to_clients_that_know_its_scheme(self, vendor):
        """B55: each gets the newest it knows, and older ones none."""
        links = {(1, 5): "wmlivesheihei://topic/1", (2, 0): "wmlivesheihei://topic/1?new"}
        people = {version: somebody(version=version) for version in ("1.2", "1.4.9", "1.5.0", "1.9", "2.0", "")}
        for user in people.values():
            tell(user, links=links)
        sweep()
        found = {one.user_id: one.payload["link"] for batch in vendor.handed for one in batch}
        assert {version: found.get(user.pk) for version, user in people.items()} == {
            "1.2": None, "1.4.9": None, "1.5.0": links[1, 5], "1.9": links[1, 5], "2.0": links[2, 0], "": links[2, 0],
        }  # fmt: skip

    def test_a_message_for_newer_clients_only_is_pushed_to_no_older_one(self):
        kept = pushing.as_json(Rung(links={(0, 0): "a", (1, 5): "b", (2, 1): "c"}).push(), msg_id=1, needs=(2, 0))
        assert kept["links"] == [[[2, 0], "b"], [[2, 1], "c"]]

    def test_who_switches_pushes_off_meanwhile_is_not_rung(self, vendor, api):
        user = factories.person()
        mine = api(user, version="2.0.0")
        ok(mine.post("user/push-device-info", apnsType="getui", apnsToken="t"))
        tell(user)
        ok(mine.post("user/update-config", push_enable="0"))
        sweep()
        assert (vendor.handed, outcomes()) == ([], ["SWITCHED_OFF"])

    def test_who_signs_out_is_not_rung_any_more(self, vendor):
        user = somebody()
        tell(user)
        auth.end_sessions(user)
        sweep()
        assert (vendor.handed, outcomes()) == ([], ["GONE"])

    def test_who_signs_out_on_one_of_two_phones_is_rung_on_the_other(self, vendor, settings, api):
        settings.SINGLE_DEVICE_SIGN_IN = False
        user = factories.person()
        here, there = api(user), api(user)
        for name, one in (("here", here), ("there", there)):
            ok(one.post("user/push-device-info", apnsType="getui", apnsToken=name))
        ok(here.post("user/sign-out"))
        tell(user)
        sweep()
        assert vendor.tokens == ["there"]

    def test_nor_is_whoever_has_the_device_now(self, vendor):
        user, next_owner = somebody(), factories.person()
        tell(user)
        Device.objects.update(user=next_owner)
        sweep()
        assert (vendor.handed, outcomes()) == ([], ["GONE"])

    def test_what_is_pointless_by_now_is_dropped(self, vendor):
        tell(somebody(), lifetime=3)
        Notice.objects.update(expires_at=Now())
        sweep()
        assert (vendor.handed, outcomes()) == ([], ["EXPIRED"])


class TestNight:
    @pytest.mark.parametrize(
        ("now", "until"),
        [
            ("22:59:59", None),
            ("23:00:00", "+1 08:00:00"),
            ("23:59:59", "+1 08:00:00"),
            ("00:00:00", "+0 08:00:00"),
            ("07:59:59", "+0 08:00:00"),
            ("08:00:00", None),
            ("12:00:00", None),
        ],
    )
    def test_it_is_quiet_from_eleven_to_eight_in_shanghai(self, settings, now, until):
        settings.QUIET_HOURS = (23, 8)
        moment = datetime.fromisoformat(f"2026-11-24T{now}").replace(tzinfo=SHANGHAI)
        ends = push_delivery.end_of_quiet(moment.astimezone(ZoneInfo("UTC")))
        expected = until and f"2026-11-{24 + int(until[1])} {until[3:]}+08:00"
        assert (ends and str(ends)) == expected

    @pytest.fixture
    def night(self, settings) -> None:
        """It is, whenever the test runs."""
        hour = datetime.now(SHANGHAI).hour
        settings.QUIET_HOURS = (hour, (hour + 8) % 24)

    def test_a_message_waits_for_the_morning_when_the_newest_of_its_conversation_rings(self, night, vendor, settings):
        user = somebody()
        for text in "abc":
            tell(user, text, collapse="im:1")
            sweep()
        assert (vendor.handed, outcomes()) == ([], ["WAITING"] * 3)
        settings.QUIET_HOURS = (0, 0)
        Push.objects.filter(outcome=0).update(due_at=Now())
        sweep()
        assert vendor.texts == ["c"]

    def test_a_call_rings(self, night, vendor):
        tell(somebody(), rings=True)
        sweep()
        assert outcomes() == ["SENT"]
        assert vendor.handed[0][0].urgent

    def test_what_is_pointless_in_the_morning_is_dropped_now(self, night, vendor):
        tell(somebody(), lifetime=600)
        sweep()
        assert (vendor.handed, outcomes()) == ([], ["EXPIRED"])


class TestNotTooMany:
    def test_a_burst_of_a_conversation_rings_once_with_its_newest(self, vendor):
        user = somebody()
        for text in "abc":
            tell(user, text, collapse="im:1")
        tell(user, "other", collapse="im:2")
        sweep()
        assert sorted(vendor.texts) == ["c", "other"]
        assert outcomes() == ["COLLAPSED", "COLLAPSED", "SENT", "SENT"]

    def test_what_goes_on_all_the_time_does_not_put_it_off_for_ever(self, vendor):
        """The newest takes the turn of what waits already."""
        user = somebody()
        tell(user, "a", collapse="im:1")
        pass_time(seconds=4)
        tell(user, "b", collapse="im:1")
        pass_time(seconds=1.5)
        tasks.push()
        assert vendor.texts == ["b"]

    def test_the_next_of_a_conversation_waits_a_while(self, vendor, settings):
        user = somebody()
        tell(user, "a", collapse="im:1")
        sweep()
        tell(user, "b", collapse="im:1")
        tell(user, "unrelated")
        sweep()
        assert vendor.texts == ["a", "unrelated"]
        pass_time(seconds=settings.PUSH_PAUSE.total_seconds())
        tasks.push()
        assert vendor.texts == ["a", "unrelated", "b"]

    def test_messages_without_a_name_are_not_collapsed(self, vendor):
        user = somebody()
        for text in "ab":
            tell(user, text)
        sweep()
        assert sorted(vendor.texts) == ["a", "b"]

    def test_nobody_is_rung_more_often_than_so_an_hour_but_by_calls(self, vendor, settings):
        settings.PUSHES_AN_HOUR = 3
        user, other = somebody(), somebody()
        for number in range(5):
            tell(user, str(number))
        tell(other, "other")
        sweep()
        tell(user, "later")
        tell(user, "call", rings=True)
        sweep()
        assert Counter(outcomes()) == {"SENT": 5, "LIMITED": 3}
        assert {"other", "call"} < set(vendor.texts)
        pass_time(hours=1)
        tell(user, "next hour")
        sweep()
        assert vendor.texts[-1] == "next hour"


class TestVendors:
    def test_what_was_not_taken_is_tried_again_ever_later(self, vendor):
        def out_of_order(one):
            raise NotTaken("503")

        vendor.answer = out_of_order
        tell(somebody())
        pauses = []
        for _ in range(8):
            Push.objects.update(due_at=Now())
            tasks.push()
            pauses.append((Push.objects.annotate(now=Now()).get(), Push.objects.get()))
        found = [round((push.due_at - annotated.now).total_seconds()) for annotated, push in pauses]
        assert found == [5, 10, 20, 40, 80, 160, 300, 300]
        assert Push.objects.get().reason == "503"
        vendor.answer = Vendor.answer
        Push.objects.update(due_at=Now())
        tasks.push()
        assert outcomes() == ["SENT"]
        assert [one.repeated for batch in vendor.handed for one in batch] == [False] + [True] * 8
        assert len({one.request_id for batch in vendor.handed for one in batch}) == 1

    def test_a_vendor_that_is_away_for_a_minute_delivers_all_of_it_after(self, vendor):
        def away(one):
            raise ConnectionError

        people = [somebody() for _ in range(5)]
        vendor.answer = away
        for user in people:
            tell(user)
        for _ in range(10):
            sweep()
        assert set(outcomes()) == {"WAITING"}
        vendor.answer, vendor.handed = Vendor.answer, []
        for _ in range(15):
            sweep()
        assert sorted(vendor.tokens) == sorted(Device.objects.values_list("push_token", flat=True))
        assert set(outcomes()) == {"SENT"}

    def test_what_could_not_be_sent_in_time_has_failed(self, vendor):
        vendor.answer = lambda one: Answer(Result.LATER, "busy")
        tell(somebody(), lifetime=600)
        sweep()
        Notice.objects.update(expires_at=Now())
        sweep()
        assert outcomes() == ["FAILED"]

    def test_each_of_a_batch_gets_its_own_answer(self, vendor):
        said = [
            Answer(Result.ACCEPTED),
            Answer(Result.DEAD, "gone"),
            Answer(Result.LATER),
            Answer(Result.REFUSED, "big"),
        ]
        people = [somebody() for _ in said]
        answers = {user.pk: answer for user, answer in zip(people, said, strict=True)}
        vendor.answer = lambda one: answers[one.user_id]
        for user in people:
            tell(user)
        sweep()
        assert outcomes() == ["SENT", "DEAD", "WAITING", "FAILED"]
        assert list(Push.objects.order_by("pk").values_list("reason", flat=True)) == ["", "gone", "", "big"]

    def test_a_dead_device_is_forgotten(self, vendor):
        user = somebody()
        living = phone(user)
        vendor.answer = lambda one: Answer(Result.ACCEPTED if one.token == living.push_token else Result.DEAD)
        tell(user)
        sweep()
        assert Device.objects.get() == living
        tell(user)
        sweep()
        assert Push.objects.count() == 3

    def test_but_not_one_that_has_registered_anew_meanwhile(self, vendor):
        def registers_and_is_dead(one):
            Device.objects.update(seen_at=Now() + timedelta(seconds=1))
            return Answer(Result.DEAD)

        vendor.answer = registers_and_is_dead
        tell(somebody())
        sweep()
        assert Device.objects.exists()

    def test_a_fault_of_ours_costs_only_its_batch_a_while(self, vendor, monkeypatch):
        broken, sound = Vendor(), Vendor()
        broken.answer = lambda one: 1 / 0
        monkeypatch.setattr(registry, "push", {"getui": broken, "apns": sound}.get)
        tell(somebody(kind="getui"))
        tell(somebody(kind="apns"))
        sweep()
        assert outcomes() == ["WAITING", "SENT"]
        assert Push.objects.get(outcome=0).reason == "ZeroDivisionError"


class TestMany:
    FANS = 1200

    @pytest.fixture
    def owner(self) -> User:
        """With followers of all sorts: every third can be pushed to."""
        owner = factories.person("阿嘿", gender="Male")
        people = User.objects.bulk_create(User(display_name=str(number)) for number in range(self.FANS))
        Follow.objects.bulk_create(Follow(follower=user, followee=owner) for user in people)
        Session.objects.bulk_create(
            Session(user=user, digest=str(user.pk).encode(), expires_at=Now() + timedelta(days=1), client_version="1.2")
            for user in people[::3]
        )  # fmt: skip
        Device.objects.bulk_create(
            Device(user=session.user, session=session, push_kind="getui", push_token=session.user_id, platform="ios")
            for session in Session.objects.select_related("user")
        )  # fmt: skip
        return owner

    @pytest.fixture
    def worker_by_hand(self, monkeypatch) -> None:
        monkeypatch.setattr("heihei_site.realtime.tasks.nudge", lambda: None)

    def go_on_air(self, api, owner) -> int:
        live = factories.live(owner, status=0)
        ok(api(owner, version="2.0.0").post("live/start-live", liveId=live.pk))
        return live.pk

    def test_followers_who_are_away_are_pushed_that_somebody_is_on_air(self, api, owner, vendor, worker_by_hand):
        live_id = self.go_on_air(api, owner)
        while mass.tell_next_batch():
            pass
        sweep()
        assert sorted(vendor.tokens, key=int) == [str(user_id) for user_id in sorted(
            Session.objects.exclude(user=owner).values_list("user_id", flat=True))]  # fmt: skip
        payload = vendor.handed[0][0].payload
        assert (payload["title"], payload["text"]) == ("阿嘿", "您关注的阿嘿开播了")
        assert (payload["action"], payload["link"]) == ("live", f"wmlives_heihei://live?id={live_id}")
        assert (payload["fromUserId"], payload["fromUserName"], payload["gender"]) == (owner.pk, "阿嘿", "Male")
        assert json.loads(Message.objects.filter(kind=1).first().element)["msg"]["msgId"] == payload["msgId"]
        assert all(len(batch) <= push_delivery.BATCH for batch in vendor.handed)

    def test_they_are_written_batch_by_batch_with_the_messages(self, api, owner, worker_by_hand, monkeypatch):
        self.go_on_air(api, owner)
        assert not Push.objects.exists()
        mass.tell_next_batch()
        assert (Message.objects.filter(kind=1).count(), Push.objects.count()) == (mass.BATCH, mass.BATCH // 3 + 1)
        with monkeypatch.context() as dying:
            dying.setattr(mass, "_move_on", lambda message, people: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                mass.tell_next_batch()
        while mass.tell_next_batch():
            pass
        assert Push.objects.count() == self.FANS / 3
        assert Push.objects.values("user").distinct().count() == self.FANS / 3
        assert Notice.objects.count() == 1

    def test_it_costs_the_owner_no_more_queries_than_before(self, api, owner, worker_by_hand):
        owner_phone = api(owner, version="2.0.0")
        live = factories.live(owner, status=0)
        with CaptureQueriesContext(connection) as captured:
            ok(owner_phone.post("live/start-live", liveId=live.pk))
        assert not any("inbox_" in query["sql"] for query in captured)

    def test_who_has_fallen_out_with_the_owner_is_not_pushed(self, api, owner, vendor, worker_by_hand):
        fan = User.objects.get(pk=Session.objects.first().user_id)
        Block.objects.create(user=fan, target=owner)
        self.go_on_air(api, owner)
        while mass.tell_next_batch():
            pass
        sweep()
        assert len(vendor.tokens) == self.FANS / 3 - 1 and str(fan.pk) not in vendor.tokens

    def test_a_single_push_does_not_wait_behind_them(self, api, owner, vendor, worker_by_hand):
        """While a vendor takes its time with one batch of theirs, and hundreds wait."""
        self.go_on_air(api, owner)
        while mass.tell_next_batch():
            pass
        guest = somebody()
        pass_time(seconds=6)
        order, texts = [], []

        def answer(one):
            if not order:
                order.append("batch")
                tell(guest, "invited")
                Push.objects.filter(user=guest).update(due_at=Now())
                tasks.push()
            texts.append(one.text)
            return Answer(Result.ACCEPTED)

        vendor.answer = answer
        tasks.push_to_many()
        assert texts[0] == "invited"
        assert len(texts) == self.FANS / 3 + 1

    def test_nor_behind_what_waited_through_the_night(self, settings):
        """Which is many at once as well."""
        hour = datetime.now(SHANGHAI).hour
        settings.QUIET_HOURS = (hour, (hour + 8) % 24)
        tell(somebody())
        sweep()
        assert Push.objects.get().lane == Push.Lane.MANY


class TestInvitations:
    def test_who_is_invited_and_away_gets_the_documented_push(self, vendor):
        from live.events import LiveInvited, by

        owner, guest = factories.person("队长", gender="Male"), somebody(version="1.5.0")
        link = "wmlivesheihei://live?id=7&liveKey=k"
        text = '队长"队长"想邀请你加入队伍，是否加入？'
        with telling():
            event = LiveInvited(
                live_id=7, live_key="k", link=link, text=text, **by(owner), birth_day="1990-01-01", honours=[]
            )
            publish(event, to=person(guest))
        sweep()
        [[sent]] = vendor.handed
        assert sent.payload == {
            "fromUserId": owner.pk, "text": text, "clientid": sent.token, "link": link, "data": {},
            "fromUserName": "队长", "title": text, "gender": "Male", "deviceType": "android",
            "msgId": event.msg_id, "action": "live-invite",
        }  # fmt: skip

    def test_clients_before_teams_get_none(self, vendor):
        from live.events import LiveInvited, by

        owner = factories.person()
        event = LiveInvited(
            live_id=7, live_key="k", link="wmlivesheihei://live", text="", **by(owner), birth_day="", honours=[]
        )
        with telling():
            publish(event, to=person(somebody(version="1.4")))
        sweep()
        assert (vendor.handed, outcomes()) == ([], ["UNFIT"])


class TestExport:
    def test_the_address_of_ones_data_is_in_no_push(self, vendor):
        from users.events import DataExported

        user = somebody()
        with telling():
            publish(DataExported(expire_time=3600, url="https://secret"), to=person(user))
        sweep()
        [[sent]] = vendor.handed
        assert "secret" not in json.dumps(sent.payload)
        assert sent.payload["link"] == "wmlives_heihei://homepage"


class TestNumbers:
    def read(self) -> dict[str, float]:
        from prometheus_client.parser import text_string_to_metric_families

        answer = Client().get("/metrics", headers={"host": "127.0.0.1"})
        families = text_string_to_metric_families(answer.content.decode())
        samples = [sample for family in families for sample in family.samples if "heihei_pushes" in sample.name]
        return {" ".join([sample.name, *sample.labels.values()]): sample.value for sample in samples}

    def test_what_waits_what_was_sent_and_what_failed_can_be_watched(self, vendor):
        assert set(self.read().values()) == {0}
        tell(somebody())
        Push.objects.update(created_at=Now() - timedelta(seconds=30))
        found = self.read()
        assert (found["heihei_pushes_waiting one"], found["heihei_pushes_waiting many"]) == (1, 0)
        assert 30 <= found["heihei_pushes_oldest_seconds one"] < 40
        vendor.answer = lambda one: Answer(Result.REFUSED if one.text == "b" else Result.ACCEPTED)
        tell(somebody(), "b")
        sweep()
        found = self.read()
        assert (found["heihei_pushes_total sent"], found["heihei_pushes_total failed"]) == (1, 1)
        assert found["heihei_pushes_waiting one"] == found["heihei_pushes_oldest_seconds one"] == 0

    def test_without_the_database_the_other_numbers_are_there(self, monkeypatch):
        class Gone:
            def cursor(self):
                raise OperationalError

        monkeypatch.setattr("messages.metrics.connection", Gone())
        answer = Client().get("/metrics", headers={"host": "127.0.0.1"})
        assert answer.status_code == 200 and b"heihei_sockets " in answer.content
        assert b"heihei_pushes" not in answer.content

    def test_they_go_on_when_the_rows_are_forgotten(self, vendor):
        for _ in range(3):
            tell(somebody())
            sweep()
        Notice.objects.update(created_at=Now() - timedelta(days=4))
        tasks.forget_pushes()
        assert not Push.objects.exists()
        assert self.read()["heihei_pushes_total sent"] == 3
        assert PushTally.objects.count() == 1


class TestForgetting:
    def test_rows_go_after_some_days(self, monkeypatch, settings):
        monkeypatch.setattr(pushes, "NOTICES", 2)
        monkeypatch.setattr(pushes, "FORGOTTEN", 1)
        for number in range(5):
            tell(somebody(), str(number))
        Notice.objects.exclude(text="4").update(created_at=Now() - settings.PUSHES_AGE)
        Notice.objects.filter(text="3").update(created_at=Now() - settings.PUSHES_AGE + timedelta(minutes=1))
        tasks.forget_pushes()
        assert sorted(Notice.objects.values_list("text", flat=True)) == ["3", "4"]
        assert Push.objects.count() == 2

    def test_an_erased_person_is_in_none(self):
        user, other = somebody(), somebody()
        tell(user)
        tell(other)
        for holding in erasure.holdings():
            holding.erase(user.pk)
        assert Push.objects.get().user == other

    def test_they_are_part_of_the_copy_of_ones_data(self, vendor):
        user = somebody()
        tell(user)
        sweep()
        [section] = [holding.export(user.pk)["pushes"] for holding in erasure.holdings() if holding.name == "messages"]
        [row] = list(section)
        assert (row["title"], row["text"], row["outcome"]) == ("标题", "在吗", Push.Outcome.SENT)


class TestConsole:
    def test_operators_see_why_a_phone_did_not_ring_and_change_nothing(self, vendor):
        user = somebody(version="1.1")
        tell(user)
        sweep()
        console = Client()
        console.force_login(User.objects.create_superuser("chef", "chef@example.com", "geheim"))
        page = console.get("/admin/inbox/push/", {"q": user.pk})
        assert page.status_code == 200 and "版本不支持" in page.content.decode()
        assert console.get("/admin/inbox/push/", {"q": user.pk + 1}).context["cl"].result_count == 0
        row = f"/admin/inbox/push/{Push.objects.get().pk}"
        assert console.get(f"{row}/change/").status_code == 200
        assert console.post(f"{row}/change/", {"tries": 5}).status_code == 403
        assert console.post(f"{row}/delete/", {"post": "yes"}).status_code == 403
        assert console.get("/admin/inbox/push/add/").status_code == 403


def test_beat_sweeps_every_second_and_forgets_hourly(settings):
    from heihei_site.celery import app

    schedule = settings.CELERY_BEAT_SCHEDULE
    for name in ("push", "push-to-many", "forget-pushes"):
        assert schedule[name]["task"] in app.tasks
    assert schedule["push"]["schedule"] <= 1
