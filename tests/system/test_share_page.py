"""`/html/live.html`, what a share card opens in a browser."""

import pytest
from django.db.models.functions import Now
from django.test import Client

from live import sharing
from live.models import Live
from tests import factories

pytestmark = pytest.mark.django_db


def page(live_id: object, sign: str | None = None, **more: object) -> tuple[int, str]:
    wanted = {"liveid": live_id, "sign": sharing.signature(int(str(live_id))) if sign is None else sign, **more}
    answer = Client().get("/html/live.html", wanted)
    return answer.status_code, answer.content.decode()


def test_the_address_on_a_card_opens_the_page(api):
    live = factories.live(factories.person("阿嘿"), title="来听我直播")
    url = api(factories.person()).post("live/share-live", liveId=live.pk)["share"]["weibo"]["url"]
    answer = Client().get(url.removeprefix("http://testserver"))
    html = answer.content.decode()
    assert answer.status_code == 200
    assert "<h1>来听我直播</h1>" in html
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


def test_an_ended_live_says_so_and_plays_nothing_unless_recorded():
    ended = factories.live(status=Live.Status.STOPPED)
    assert page(ended.pk)[0] == 200
    assert "直播已结束" in page(ended.pk)[1]
    assert "<audio" not in page(ended.pk)[1]
    recorded = factories.live(status=Live.Status.STOPPED, lookback_addr="https://replay.example/1.m3u8")
    assert 'src="https://replay.example/1.m3u8"' in page(recorded.pk)[1]


def test_one_that_has_not_begun_says_so():
    assert "即将开始" in page(factories.live(status=Live.Status.TO_START).pk)[1]


@pytest.mark.parametrize("status", Live.OPEN)
def test_nobody_is_sent_to_listen_to_an_owner_who_is_gone(status):
    """D21: the deadline counts, not whether a sweep has been by."""
    silent = factories.live(status=status, owner_deadline=Now())
    html = page(silent.pk)[1]
    assert "直播已结束" in html
    assert "<audio" not in html


def test_titles_and_names_are_text_not_html():
    owner = factories.person('"><img src=x onerror=a>')
    live = factories.live(owner, title="<script>alert(1)</script>")
    html = page(live.pk, uid="<b>")[1]
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert "<b>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_the_page_gives_away_no_more_than_it_shows():
    owner = factories.person(gold=5)
    html = page(factories.live(owner).pk)[1]
    assert owner.phone not in html
    assert str(owner.pk) not in html
