"""Lives that operators take off the air, and owners who may not broadcast for a while."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client
from django.utils import timezone

from heihei_site.api.wire import clock
from live import personal_data
from live.models import Live, LiveBan
from live.services import rooms
from tests import factories
from tests.answers import ok, refused
from users.models import User

pytestmark = pytest.mark.django_db
LIVES = "/admin/live/live/"


@pytest.fixture
def staff():
    browser = Client()
    browser.force_login(User.objects.create_superuser("chef", "chef@example.com", "geheim"))
    return browser


def act(browser, where, action, row, **said):
    chosen = {"action": action, "_selected_action": [row.pk], "answered": "yes"} | said
    answer = browser.post(where, chosen, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def listed(browser, **query):
    return [row.pk for row in browser.get(LIVES, query).context["cl"].result_list]


class TestWhatIsShown:
    def test_is_what_operators_say_and_nothing_of_their_reasons(self, evening, committed):
        with committed():
            rooms.ban_live(evening.live, reason="线人", shown="直播间有人抽烟，已关闭")
        assert [said["text"] for said in evening.shown("system")] == ["直播间有人抽烟，已关闭"]
        assert "线人" not in str(evening.told)

    def test_is_what_the_kind_says_else(self, evening, committed):
        with committed():
            rooms.ban_live(evening.live, kind=3)
        assert [said["text"] for said in evening.shown("system")] == ["该直播因传播色情低俗内容已被关闭"]


class TestBarring:
    def test_keeps_the_owner_off_the_air_until_then(self, api):
        live = factories.live()
        phone, until = api(live.owner), timezone.now() + timedelta(days=7)
        assert rooms.ban_live(live, kind=2, barred=True, until=until)
        refused(phone.post("live/create-live", title="t"), 721, f"您因骚扰他人被禁止开播。解封时间：{clock(until)}")
        assert Live.objects.count() == 1
        ok(phone.get("user/info"))  # everything else they may
        LiveBan.objects.update(until=F("until") - timedelta(days=7))
        ok(phone.post("live/create-live", title="t"))

    def test_is_no_part_of_a_ban_without_it(self, api):
        live = factories.live()
        rooms.ban_live(live)
        ok(api(live.owner).post("live/create-live", title="t"))
        refused(api(live.owner).post("live/start-live", liveId=live.pk), 731, "直播无效")

    def test_holds_where_the_live_was_over_and_ends_the_next(self, api):
        over = factories.live(status=Live.Status.STOPPED)
        waiting = factories.live(over.owner, status=Live.Status.TO_START)
        assert rooms.ban_live(over, barred=True)
        over.refresh_from_db()
        waiting.refresh_from_db()
        assert (over.status, waiting.status) == (Live.Status.STOPPED, Live.Status.BANNED)
        assert api(over.owner).post("live/create-live", title="t")["errorcode"] == 721
        refused(api(over.owner).post("live/start-live", liveId=waiting.pk), 731, "直播无效")

    def test_lasts_as_long_as_the_longest(self, api):
        live = factories.live()
        rooms.ban_live(live, barred=True)
        rooms.ban_live(live, kind=1, barred=True, until=timezone.now() + timedelta(days=1))
        refused(api(live.owner).post("live/create-live", title="t"), 721,
                "您因违反社区规定被禁止开播。解封时间：永久封禁")  # fmt: skip

    def test_of_who_is_erased_nothing_is_left_but_when_it_was(self):
        live = factories.live()
        rooms.ban_live(live, reason="内部", shown="公开", barred=True)
        assert [row["shown"] for row in personal_data.own_data(live.owner_id)["live_bans"]] == ["公开"]
        personal_data.erase(live.owner_id)
        assert LiveBan.objects.values_list("reason", "shown", "barred").get() == ("", "", True)


class TestInTheConsole:
    def test_a_live_is_banned_and_its_owner_barred_for_three_days(self, staff, api):
        live = factories.live()
        page = act(staff, LIVES, "ban_for", live, kind="1", reason="卖药", shown="", bar="3")
        assert "已封禁 1 场直播" in page
        ban = LiveBan.objects.get()
        assert (ban.live, ban.owner, ban.by.username, ban.kind, ban.reason, ban.barred) == (
            live, live.owner, "chef", 1, "卖药", True)  # fmt: skip
        assert timedelta(days=2, hours=23) < ban.until - ban.since < timedelta(days=3, hours=1)
        assert staff.get(f"/admin/live/liveban/{ban.pk}/change/").status_code == 200
        assert "已解除 1 位主播的禁播" in act(staff, "/admin/live/liveban/", "lift_bar", ban)
        ok(api(live.owner).post("live/create-live", title="t"))
        ban.refresh_from_db()
        assert ban.lifted_by.username == "chef"

    @pytest.mark.parametrize(("bar", "barred"), [("", False), ("ever", True)])
    def test_without_an_end_and_without_a_bar(self, staff, bar, barred):
        act(staff, LIVES, "ban_for", factories.live(), bar=bar)
        assert LiveBan.objects.values_list("barred", "until").get() == (barred, None)

    def test_the_list_begins_with_what_is_on_air(self, staff):
        on_air, over = factories.live(), factories.live(status=Live.Status.STOPPED)
        waiting = factories.live(status=Live.Status.TO_START)
        assert listed(staff) == [on_air.pk]
        assert set(listed(staff, state="open")) == {on_air.pk, waiting.pk}
        assert set(listed(staff, state="all")) == {on_air.pk, waiting.pk, over.pk}
        assert listed(staff, q=over.pk) == listed(staff, state="stopped") == [over.pk]
        assert listed(staff, owner__id__exact=over.owner_id) == [over.pk]
