"""`/html/live.html`, what a share card opens in a browser: D30, contract_notes (e) 62."""

import json
import re
import time
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from heihei_site.realtime.groups import room
from heihei_site.realtime.publish import publish, telling
from live import sharing
from live.events import RoomText, SystemSaid, by
from live.models import Live
from live.services import rooms
from live.tasks import write_archives
from tests import factories
from users.models import User

pytestmark = pytest.mark.django_db


def page(live_id: object, sign: str | None = None, **more: object) -> tuple[int, str]:
    wanted = {"liveid": live_id, "sign": sharing.signature(int(str(live_id))) if sign is None else sign, **more}
    answer = Client().get("/html/live.html", wanted)
    return answer.status_code, answer.content.decode()


def boot(live: Live) -> dict[str, Any]:
    """What the page's script starts with."""
    found = re.search(r'<script id="boot" type="application/json">(.*?)</script>', page(live.pk)[1])
    assert found
    return json.loads(found[1])


def test_the_address_on_a_card_opens_the_page(api):
    live = factories.live(factories.person("阿嘿"), title="来听我直播")
    url = api(factories.person()).post("live/share-live", liveId=live.pk)["share"]["weibo"]["url"]
    answer = Client().get(url.removeprefix("http://testserver"))
    html = answer.content.decode()
    assert answer.status_code == 200
    assert '<h1 id="title">来听我直播</h1>' in html
    assert "阿嘿" in html
    assert "正在直播" in html
    assert f'href="wmlives_heihei://live?id={live.pk}"' in html
    assert ".m3u8" in html


def test_without_our_signature_there_is_no_page():
    live = factories.live()
    right = sharing.signature(live.pk)
    for wrong in (
        "",
        "0" * 32,
        right[:-1],
        right + "0",
        right.upper() + "x",
        "中文",
        "\0",
        sharing.signature(live.pk + 1),
    ):
        status, html = page(live.pk, wrong)
        assert status == 404, wrong
        assert live.title not in html


@pytest.mark.parametrize("live_id", ["", "abc", "-1", "1.5", "1e3", "٣", "²", " 1", "1" + "0" * 20, "9" * 5000, "\0"])
def test_an_odd_number_is_no_page(live_id):
    assert page(live_id, "x")[0] == 404


def test_nothing_at_all_is_no_page():
    assert Client().get("/html/live.html").status_code == 404


def test_a_live_that_never_was_is_no_page():
    assert page(123)[0] == 404


@pytest.mark.parametrize("status", [Live.Status.BANNED, Live.Status.DELETED])
def test_a_banned_or_deleted_live_is_no_page(status):
    live = factories.live(status=status, title="verboten")
    code, html = page(live.pk)
    assert code == 404
    assert "verboten" not in html


@pytest.mark.parametrize("fields", [{"is_active": False}, {"deletion_due_at": Now()}])
def test_of_who_was_banned_or_is_leaving_there_is_no_page(fields):
    live = factories.live(status=Live.Status.STOPPED, lookback_addr="https://replay.example/1.mp4", title="verboten")
    User.objects.filter(pk=live.owner_id).update(**fields)
    code, html = page(live.pk)
    assert code == 404
    assert "verboten" not in html and "replay.example" not in html


def test_an_ended_live_says_so_and_plays_nothing_unless_recorded():
    ended = factories.live(status=Live.Status.STOPPED)
    assert page(ended.pk)[0] == 200
    assert "直播已结束" in page(ended.pk)[1]
    assert boot(ended)["sound"] == ""
    recorded = factories.live(status=Live.Status.STOPPED, lookback_addr="https://replay.example/1.m3u8")
    assert (boot(recorded)["phase"], boot(recorded)["sound"]) == ("replay", "https://replay.example/1.m3u8")
    assert f'href="wmlives_heihei://replay?id={recorded.pk}"' in page(recorded.pk)[1]


def test_a_replay_is_offered_together_with_what_was_said_in_it():
    replay = {"status": Live.Status.STOPPED, "lookback_addr": "https://replay.example/1.m3u8"}
    assert boot(factories.live(**replay, archive_due=timezone.now()))["phase"] == "ended"
    assert boot(factories.live(**replay, archive_due=timezone.now(), archive="1.zip"))["phase"] == "replay"


def test_one_that_has_not_begun_says_so():
    assert "即将开始" in page(factories.live(status=Live.Status.TO_START).pk)[1]


@pytest.mark.parametrize("status", Live.OPEN)
def test_nobody_is_sent_to_listen_to_an_owner_who_is_gone(status):
    """D21: the deadline counts, not whether a sweep has been by."""
    silent = factories.live(status=status, owner_deadline=Now())
    html = page(silent.pk)[1]
    assert "直播已结束" in html
    assert boot(silent)["sound"] == ""


def test_titles_and_names_are_text_not_html():
    owner = factories.person('"><img src=x onerror=a>')
    live = factories.live(owner, title="<script>alert(1)</script>")
    html = page(live.pk, uid="<u>")[1]
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert "<u>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_the_page_gives_away_no_more_than_it_shows(gifts):
    owner = factories.person(gold=5)
    live = factories.live(owner)
    html = page(live.pk)[1].replace(str(live.pk), "").replace(live.stream, "")
    assert owner.phone not in html
    assert str(owner.pk) not in html


class TestTheLink:
    def test_is_good_for_a_month_and_the_same_all_day(self, settings):
        noon = 1_800_000_000 - 1_800_000_000 % 86_400 + 43_200
        morning, night, next_day = (sharing.signature(5, now=noon + hours * 3600) for hours in (-12, 11.9, 12))
        assert morning == night != next_day
        assert len(morning) == 32 and int(morning[:8], 16) - noon == 86_400 * 30.5

    def test_of_a_month_ago_has_expired_and_says_so(self):
        live = factories.live(title="geheim")
        code, html = page(live.pk, sharing.signature(live.pk, now=time.time() - 31 * 86_400 - 1))
        assert code == 410
        assert "链接已过期" in html and "geheim" not in html
        assert 'href="wmlives_heihei://homepage"' in html
        assert page(live.pk, sharing.signature(live.pk, now=time.time() - 29 * 86_400))[0] == 200

    def test_with_a_later_date_written_into_it_is_forged(self):
        live = factories.live()
        old = sharing.signature(live.pk, now=time.time() - 40 * 86_400)
        code, html = page(live.pk, sharing.signature(live.pk)[:8] + old[8:])
        assert code == 404 and "链接打不开" in html

    @pytest.mark.parametrize("path", ["html/live-state.json", "html/live-lines.json"])
    def test_opens_what_the_script_asks_for_too_and_nothing_else_does(self, path):
        live = factories.live()
        ask = Client().get
        assert ask(f"/{path}", {"liveid": live.pk, "sign": sharing.signature(live.pk)}).status_code == 200
        assert ask(f"/{path}", {"liveid": live.pk, "sign": "0" * 32}).status_code == 404
        old = sharing.signature(live.pk, now=0)
        answer = ask(f"/{path}", {"liveid": live.pk, "sign": old})
        assert (answer.status_code, answer.json()) == (410, {"phase": "expired"})

    @pytest.mark.parametrize("path", ["/static/share", "/s/"])
    def test_of_earlier_years_leads_here(self, path):
        live = factories.live()
        named = {"userid": live.owner_id, "liveid": live.pk, "ctime": int(live.created_at.timestamp())}
        answer = Client().get(path, named)
        assert answer.status_code == 302
        assert answer["Location"] == sharing.address(live, "http://testserver")
        assert Client().get(answer["Location"].removeprefix("http://testserver")).status_code == 200
        for name in named:
            for wrong in (named[name] + 1, "", "x", "٣", 10**30):
                assert Client().get(path, {**named, name: wrong}).status_code == 404


class TestPreviews:
    """What a messenger shows of the link before anybody opens it."""

    def meta(self, live: Live) -> dict[str, str]:
        return dict(re.findall(r'<meta property="og:(\w+)" content="([^"]*)">', page(live.pk)[1]))

    def test_say_who_broadcasts_what(self):
        owner = factories.person("阿嘿", cover_url="https://cdn.example.com/a.jpg")
        shown = self.meta(factories.live(owner, title="雨夜电台"))
        assert (shown["title"], shown["image"]) == ("雨夜电台", "https://cdn.example.com/a.jpg")
        assert shown["description"] == "阿嘿 正在直播，点开就能听"
        assert shown["url"].startswith("http://testserver/html/live.html?liveid=")

    def test_have_a_picture_where_the_owner_has_none(self):
        picture = self.meta(factories.live())["image"]
        assert picture == "http://testserver/static/live/card.png"
        assert Client().get(urlsplit(picture).path)["Content-Type"] == "image/png"

    def test_say_what_became_of_it(self):
        recorded = factories.live(factories.person("阿嘿"), status=2, lookback_addr="https://cdn.example.com/1.mp4")
        assert self.meta(recorded)["description"] == "阿嘿 的直播回放，点开就能听"


def test_nothing_runs_but_our_scripts_and_nothing_sounds_but_this_live(settings):
    settings.REPLAY_BASE_URL = "https://replays.example.com/replays"
    live = factories.live()
    answer = Client().get(f"/html/live.html?liveid={live.pk}&sign={sharing.signature(live.pk)}")
    policy = dict(part.split(" ", 1) for part in answer["Content-Security-Policy"].split("; "))
    assert (policy["default-src"], policy["script-src"], policy["style-src"]) == ("'none'", "'self'", "'self'")
    hls = "{0.scheme}://{0.netloc}".format(urlsplit(settings.HLS_BASE_URL))
    assert policy["media-src"] == f"'self' blob: {hls} https://replays.example.com"
    assert policy["connect-src"] == f"'self' ws://testserver {hls} https://replays.example.com"
    assert " style=" not in answer.content.decode() and "onclick" not in answer.content.decode()


class TestWhatTheScriptAsks:
    def state(self, live: Live) -> dict[str, Any]:
        answer = Client().get("/html/live-state.json", {"liveid": live.pk, "sign": sharing.signature(live.pk)})
        return {"status": answer.status_code} | answer.json()

    def lines(self, live: Live, **more: object) -> Any:
        asked = {"liveid": live.pk, "sign": sharing.signature(live.pk), **more}
        return Client().get("/html/live-lines.json", asked).json()

    def test_what_the_live_is_now(self):
        live = factories.live(title="雨夜", total_users=7)
        factories.inside(live, factories.person())
        now = self.state(live)
        assert (now["phase"], now["title"], now["online"], now["total"], now["paused"]) == ("live", "雨夜", 2, 7, False)
        assert now["sound"].endswith(f"/{live.stream}.m3u8")
        Live.objects.update(status=2, occupied=0)
        now = self.state(live)
        assert (now["phase"], now["sound"], now["spoken"]) == ("ended", "", False)
        Live.objects.update(status=4)
        assert self.state(live) == {"status": 404, "phase": "gone"}

    def test_what_was_said_at_which_second(self, settings, tmp_path, gifts):
        settings.STORAGES["archives"]["OPTIONS"]["location"] = str(tmp_path)
        settings.STORAGES = {**settings.STORAGES}
        live = factories.live()
        viewer = factories.person("小白", cover_url="http://cdn/b.jpg")
        factories.inside(live, viewer)
        with telling():
            publish(RoomText(room_id=live.pk, **by(viewer), text="你好"), to=room(live))
            publish(SystemSaid(room_id=live.pk, text="只给房间里的人"), to=room(live))
        rooms.end_live(live.pk)
        Live.objects.update(created_at=Now() - timedelta(seconds=100), lookback_addr="https://cdn.example.com/1.mp4")
        write_archives()
        answer = self.lines(live)
        [line] = answer["lines"]
        assert line["msg"] == {"kind": "text", "fromUserName": "小白", "coverUrl": "http://cdn/b.jpg", "text": "你好"}
        assert 95 <= line["at"] <= 101 and answer["more"] is True
        assert self.lines(live, part=1) == {"lines": [], "more": False}
        assert self.state(live)["spoken"] is True

    @pytest.mark.parametrize("part", ["-1", "x", "", "٣", "9" * 20])
    def test_an_odd_part_is_none(self, part):
        assert self.lines(factories.live(status=2, archive="x"), part=part) == {"lines": [], "more": False}
