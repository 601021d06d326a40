"""Reports (D17): what a person tells operators, what is kept with it, and the operators' queue."""

import html
import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from heihei_site.console.models import Act
from live.models import Live
from tests import factories
from tests.answers import BANNED, ok, refused
from users.models import Ban, Report, User
from users.services import bans, reports
from users.tasks import erase_accounts

pytestmark = pytest.mark.django_db
PATHS = ("user/report-user", "usr/report-user")


@pytest.fixture
def me():
    return factories.person("我")


@pytest.fixture
def her():
    return factories.person("她", description="加我微信", cover_url="https://cdn.example.com/her.jpg")


@pytest.fixture
def console():
    client = Client()
    client.force_login(User.objects.create_superuser("chef", "chef@example.com", "geheim"))
    return client


def reported_by(count, target, kind=3):
    for _ in range(count):
        reports.report(user=factories.person(), target=target, kind=kind)


class TestReporting:
    @pytest.mark.parametrize("path", PATHS)
    def test_works_under_both_addresses(self, api, me, her, path):
        answer = ok(api(me).post(path, userId=her.pk, reportType=2))
        assert answer["reportmsg"] == "举报成功!"
        report = Report.objects.get()
        assert (report.reporter_id, report.target_id, report.kind, report.handled) == (me.pk, her.pk, 2, False)

    def test_the_same_again_is_the_same_report(self, api, me, her):
        phone = api(me)
        for path in PATHS * 2:
            ok(phone.post(path, userId=her.pk, reportType=2))
        ok(api(me, version="1.1.2").post("user/unblock-user", userId=her.pk, reportType=2))
        assert Report.objects.count() == 1

    def test_are_counted_together_whatever_the_app_calls_it(self, api, me):
        """Each is 600 messages looked through; unblocking people is not counted."""
        phone = api(me)
        for number in range(30):
            said = {"userId": factories.person().pk, "reportType": 1}
            ok(phone.post(("user/unblock-user", *PATHS)[number % 3], **said))
        said = {"userId": factories.person().pk, "reportType": 1}
        for path in ("user/unblock-user", *PATHS):
            refused(phone.post(path, **said), 429, "操作太频繁")
        ok(phone.post("user/unblock-user", targetId=said["userId"]))
        assert Report.objects.count() == 30

    @pytest.mark.parametrize("path", PATHS)
    @pytest.mark.parametrize("wrong", [{"reportType": 0}, {"reportType": 5}, {"reportType": ""}, {"userId": ""}])
    def test_without_a_person_or_a_reason_it_is_refused(self, api, me, her, path, wrong):
        refused(api(me).post(path, **({"userId": her.pk, "reportType": 1} | wrong)), 700, "参数错误")
        assert Report.objects.count() == 0

    def test_nobody_and_oneself_cannot_be_reported(self, api, me):
        refused(api(me).post("user/report-user", userId=1, reportType=1), 710, "用户不存在")
        refused(api(me).post("user/report-user", userId=me.pk, reportType=1), 700, "参数错误")
        assert Report.objects.count() == 0

    def test_who_is_blocked_can_be_reported(self, api, me, her):
        phone = api(me)
        ok(phone.post("user/block-user", userId=her.pk))
        ok(phone.post("user/report-user", userId=her.pk, reportType=3))

    def test_a_flood_is_stopped(self, api, me):
        phone = api(me)
        people = [factories.person() for _ in range(35)]
        codes = [phone.post("user/report-user", userId=person.pk, reportType=1)["errorcode"] for person in people]
        assert (codes.count(0), codes.count(429)) == (30, 5)
        assert Report.objects.count() == 30


class TestEvidence:
    def test_is_the_card_as_it_was(self, api, me, her):
        ok(api(me).post("user/report-user", userId=her.pk, reportType=2))
        ok(api(her).post("user/update", displayName="好人", gender="Female", birthDay="1990-01-01", description="你好"))
        kept = Report.objects.get().evidence
        assert (kept["displayName"], kept["description"], kept["coverUrl"]) == (
            "她", "加我微信", "https://cdn.example.com/her.jpg")  # fmt: skip
        assert (kept["gender"], kept["birthDay"], kept["liveId"], kept["roomTexts"], kept["messages"]) == (
            "Female", "1990-01-01", 0, [], [])  # fmt: skip
        assert kept["second"] == 0

    def test_is_what_they_said_in_the_live_they_are_in(self, api, me, her):
        live = factories.live()
        factories.inside(live, me, her)
        hers = api(her)
        for text in ("第一句", "第二句"):
            ok(hers.post("msg/send-msg", liveId=live.pk, roomId=live.pk, text=text))
        ok(api(me).post("msg/send-msg", liveId=live.pk, roomId=live.pk, text="我说的"))
        ok(api(me).post("user/report-user", userId=her.pk, reportType=3))
        kept = Report.objects.get().evidence
        assert kept["liveId"] == live.pk
        assert [line["said"] for line in kept["roomTexts"]] == ["第二句", "第一句"]
        assert kept["roomTexts"][0]["at"] > 1_500_000_000

    def test_says_where_in_the_replay_it_will_be(self, api, me, her):
        live = factories.live(her)
        Live.objects.update(created_at=timezone.now() - timedelta(seconds=125))
        ok(api(me).post("user/report-user", userId=her.pk, reportType=4))
        kept = Report.objects.get().evidence
        assert kept["liveId"] == live.pk and 125 <= kept["second"] < 140

    def test_knows_a_hidden_live_too(self, api, me, her):
        live = factories.live(her, visible=False)
        ok(api(me).post("user/report-user", userId=her.pk, reportType=4))
        assert Report.objects.get().evidence["liveId"] == live.pk

    def test_is_what_they_wrote_to_who_reports_them_and_to_nobody_else(self, api, me, her):
        other, hers = factories.person(), api(her)
        for to, text in ((me, "给我钱"), (other, "别的"), (me, "快点")):
            said = {"toUserId": to.pk, "msgType": "text", "content": json.dumps({"text": text})}
            ok(hers.post("msg/send-msg", **said))
        mine = {"toUserId": her.pk, "msgType": "text", "content": json.dumps({"text": "不"})}
        ok(api(me).post("msg/send-msg", **mine))
        ok(api(me).post("user/report-user", userId=her.pk, reportType=2))
        assert [line["said"]["text"] for line in Report.objects.get().evidence["messages"]] == ["快点", "给我钱"]

    def test_is_that_of_the_first_time(self, api, me, her):
        phone = api(me)
        ok(phone.post("user/report-user", userId=her.pk, reportType=2))
        User.objects.filter(pk=her.pk).update(description="好人")
        ok(phone.post("user/report-user", userId=her.pk, reportType=2))
        assert Report.objects.get().evidence["description"] == "加我微信"


class TestQueue:
    def queue(self, console):
        answer = console.get("/admin/users/suspect/")
        assert answer.status_code == 200
        return [person.pk for person in answer.context["cl"].result_list]

    def act(self, console, action, person):
        chosen = {"action": action, "_selected_action": [person.pk], "answered": "yes"}
        answer = console.post("/admin/users/suspect/", chosen, follow=True)
        assert answer.status_code == 200
        return html.unescape(answer.content.decode())

    def test_three_distinct_people_put_somebody_on_it(self, console, me, her):
        for kind in (1, 2, 3, 4):
            reports.report(user=me, target=her, kind=kind)
        reported_by(1, her)
        assert self.queue(console) == []
        reported_by(1, her)
        assert self.queue(console) == [her.pk]

    def test_shows_the_evidence_as_text(self, console, her):
        User.objects.filter(pk=her.pk).update(description="<script>alert(1)</script>")
        her.refresh_from_db()
        reported_by(3, her)
        page = console.get(f"/admin/users/suspect/{her.pk}/change/").content.decode()
        assert page.count("&lt;script&gt;alert(1)") >= 3
        assert "<script>alert(1)" not in page
        report = Report.objects.first()
        assert "&lt;script&gt;alert(1)" in console.get(f"/admin/users/report/{report.pk}/change/").content.decode()

    def test_banning_ends_it_and_keeps_the_reports(self, console, her, api):
        phone = api(her)
        reported_by(3, her)
        self.act(console, "ban", her)
        assert self.queue(console) == []
        refused(phone.get("user/info"), 720, BANNED)
        assert Report.objects.filter(handled=True).count() == 3

    def test_dismissing_ends_it_until_three_others_come(self, console, her, api):
        phone = api(her)
        reported_by(3, her)
        assert "已驳回 3 条举报" in self.act(console, "dismiss", her)
        assert self.queue(console) == []
        ok(phone.get("user/info"))
        reported_by(2, her)
        assert self.queue(console) == []
        reported_by(1, her)
        assert self.queue(console) == [her.pk]

    def test_is_newest_first_and_takes_as_many_queries_for_many_as_for_few(
        self, console, django_assert_max_num_queries
    ):
        people = [factories.person() for _ in range(6)]
        for person in people:
            reported_by(3, person)
        with django_assert_max_num_queries(8):
            assert self.queue(console) == [person.pk for person in reversed(people)]

    def test_neither_adds_nor_deletes_people(self, console, her):
        reported_by(3, her)
        assert console.get("/admin/users/suspect/add/").status_code == 403
        assert console.post(f"/admin/users/suspect/{her.pk}/delete/", {"post": "yes"}).status_code == 403
        assert User.objects.filter(pk=her.pk).exists()


class TestTheReportsPage:
    """What there was to see, as one reads it."""

    @pytest.fixture
    def report(self, me, her):
        live = factories.live(her, title="深夜<电台>", lookback_addr="https://cdn.example.com/1.mp4")
        said = {
            "displayName": "她", "description": "加我微信", "coverUrl": "https://cdn.example.com/her.jpg",
            "gender": "Female", "birthDay": "1990-01-01", "liveId": live.pk, "second": 125,
            "roomTexts": [{"at": 1_800_000_060, "said": "第二句"}, {"at": 1_800_000_000, "said": "第一句"}],
            "messages": [
                {"at": 1_800_000_090, "said": {"audio": "https://cdn.example.com/a.mp3", "length": 3}},
                {"at": 1_800_000_080, "said": {"img": "https://cdn.example.com/a.jpg"}},
                {"at": 1_800_000_070, "said": {"text": "给我钱"}},
            ],
        }  # fmt: skip
        return Report.objects.create(reporter=me, target=her, kind=2, evidence=said)

    def page(self, console, report):
        answer = console.get(f"/admin/users/report/{report.pk}/change/")
        assert answer.status_code == 200
        return answer.content.decode()

    def do(self, console, report, deed, **said):
        answer = console.post(f"/admin/users/report/{report.pk}/{deed}/", said, follow=True)
        assert answer.status_code == 200
        return html.unescape(answer.content.decode())

    def test_is_a_conversation_the_newest_last_with_its_times(self, console, report):
        page = self.page(console, report)
        places = [page.index(words) for words in ("第一句", "第二句", "给我钱", "a.jpg", "a.mp3")]
        assert places == sorted(places)
        assert "01-15 16:00:00" in page  # in Shanghai
        assert "{" not in page[page.index("直播间发言") : page.index("封禁记录")]

    def test_plays_voices_and_hides_pictures_behind_a_click(self, console, report):
        page = self.page(console, report)
        assert '<audio controls preload="none" src="https://cdn.example.com/a.mp3">' in page
        shown = page[: page.index("https://cdn.example.com/a.jpg")]
        assert shown.rindex("<details>") > shown.rindex("</details>")

    def test_leads_to_the_live_and_into_its_replay(self, console, report):
        page = self.page(console, report)
        assert f'href="/admin/live/live/{report.evidence["liveId"]}/change/"' in page
        assert "深夜&lt;电台&gt;" in page
        assert 'href="https://cdn.example.com/1.mp4#t=125"' in page and "02:05" in page

    def test_says_what_others_said_and_when_they_were_banned(self, console, report, her, me):
        reports.report(user=factories.person("小红"), target=her, kind=4)
        bans.ban(her, reason="群发广告", until=timezone.now() + timedelta(days=1))
        page = self.page(console, report)
        assert "小红" in page and "色情" in page and "群发广告" in page

    def test_shows_what_was_kept_before_and_what_is_left_of_somebody_erased(self, console, report):
        for kept in ({}, {"liveId": 12345, "roomTexts": [{"at": 1_800_000_000, "said": "旧"}]}):
            Report.objects.update(evidence=kept)
            page = self.page(console, report)
            assert ("旧" in page, "证据已按规定清除" in page) == (bool(kept), not kept)

    def test_runs_nothing_that_somebody_wrote(self, console, report):
        evil = {"img": "javascript:alert(1)", "audio": "data:text/html,x", "text": "<script>alert(1)</script>"}
        Report.objects.update(evidence={"messages": [{"at": 1_800_000_000, "said": evil}], "coverUrl": evil["img"]})
        page = self.page(console, report)
        assert "&lt;script&gt;alert(1)" in page and "<script>alert(1)" not in page
        assert "javascript:alert" not in page and "data:text/html,x" not in page

    def test_bans_there_and_then(self, console, report, her, api):
        phone = api(her)
        assert "期限" in self.do(console, report, "ban")
        assert not Ban.objects.exists()
        said = {"answered": "yes", "length": "7", "kind": 1, "reason": "", "shown": ""}
        assert "已封禁 1 人" in self.do(console, report, "ban", **said)
        ban = Ban.objects.get()
        assert (ban.user, ban.by.username, ban.kind, ban.reason) == (her, "chef", 1, "发布欺诈或广告信息")
        assert timedelta(days=6, hours=23) < ban.until - ban.since < timedelta(days=7, hours=1)
        assert Report.objects.get().handled
        assert phone.get("user/info")["errorcode"] == 720
        assert Act.objects.get(verb="封禁用户").reason == "发布欺诈或广告信息"

    def test_dismisses_this_one_alone(self, console, report, her):
        reports.report(user=factories.person(), target=her, kind=4)
        self.do(console, report, "dismiss", answered="yes")
        assert list(Report.objects.order_by("pk").values_list("handled", flat=True)) == [True, False]

    def test_bans_no_staff(self, console, report, her):
        User.objects.filter(pk=her.pk).update(is_staff=True)
        assert "已封禁 0 人" in self.do(console, report, "ban", answered="yes")
        assert not Ban.objects.exists()


class TestTickingOff:
    """Operators close and open reports in the list."""

    def tick(self, console, *handled):
        rows = list(Report.objects.order_by("-pk"))
        form = {"form-TOTAL_FORMS": len(rows), "form-INITIAL_FORMS": len(rows), "_save": "1"}
        for number, (row, tick) in enumerate(zip(rows, handled, strict=True)):
            form[f"form-{number}-id"] = row.pk
            form |= {f"form-{number}-handled": "on"} if tick else {}
        answer = console.post("/admin/users/report/", form)
        assert answer.status_code in (200, 302)
        return html.unescape(answer.content.decode())

    def states(self):
        return list(Report.objects.order_by("-pk").values_list("handled", flat=True))

    def test_closes_and_opens(self, console, me, her):
        reports.report(user=me, target=her, kind=1)
        self.tick(console, True)
        assert self.states() == [True]
        self.tick(console, False)
        assert self.states() == [False]

    def test_an_old_one_stays_closed_where_the_same_was_made_anew(self, console, me, her):
        reports.report(user=me, target=her, kind=1)
        Report.objects.update(handled=True)
        reports.report(user=me, target=her, kind=1)
        assert "请处理最新的一条" in self.tick(console, False, False)
        assert self.states() == [False, True]

    def test_both_at_once_open_neither(self, console, me, her):
        for _ in range(2):
            reports.report(user=me, target=her, kind=1)
            Report.objects.update(handled=True)
        assert "请处理最新的一条" in self.tick(console, False, False)
        assert self.states() == [True, True]

    def test_another_reason_is_another_report(self, console, me, her):
        for kind in (1, 2):
            reports.report(user=me, target=her, kind=kind)
        Report.objects.update(handled=True)
        self.tick(console, False, False)
        assert self.states() == [False, False]


class TestAgainstSomebodyWhoIsErased:
    @pytest.fixture
    def erased(self, me, her):
        reports.report(user=me, target=her, kind=3)
        User.objects.filter(pk=her.pk).update(deletion_due_at=timezone.now() - timedelta(days=1))
        assert erase_accounts() == 1
        assert Report.objects.get().evidence["displayName"] == "她"  # somebody has yet to look at it
        return her

    def test_the_evidence_goes_when_it_is_handled_in_the_list(self, console, erased):
        report = Report.objects.get()
        row = {"form-0-id": report.pk, "form-0-handled": "on"}
        form = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "_save": "1"}
        assert console.post("/admin/users/report/", row | form).status_code == 302
        report.refresh_from_db()
        assert (report.handled, report.evidence) == (True, {})

    def test_the_evidence_goes_when_all_are_handled(self, erased):
        assert reports.handle([erased]) == 1
        assert Report.objects.get().evidence == {}

    def test_others_keep_theirs(self, me, her):
        reports.report(user=me, target=her, kind=3)
        reports.handle([her])
        assert Report.objects.get().evidence["displayName"] == "她"
