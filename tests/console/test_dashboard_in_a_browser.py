"""The first page of the console as an operator's browser draws it. HEIHEI_PICTURES=1 puts it into docs/pictures."""

import math
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from django.core.cache import cache
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from chat.models import Chat, Seeker, Side
from heihei_site.console import board, counting
from heihei_site.console.figure_models import Day, Hour
from heihei_site.realtime import presence
from heihei_site.realtime.models import Message
from payment.withdrawal_models import Withdrawal
from records.models import Record
from tests import factories
from tests.console import numbers
from tests.processes import ROOT
from tests.site import browser
from tests.site.web import serving
from users.models import Report, User

DESK = {"width": 1440, "height": 1480, "deviceScaleFactor": 1, "mobile": False}
PICTURE = ROOT / "docs" / "pictures" / "console-dashboard.png"
SOON = 10  # seconds
BUSY = {  # a good hour of each figure
    "users.active": 3_400, "users.new": 120, "live.opened": 260, "chat.called": 610, "messages.written": 18_500,
    "payment.gifts": 2_900, "payment.gold_in_gifts": 41_000, "payment.gold_spent": 46_000,
    "payment.gold_bought": 52_000, "payment.fen_taken": 520_000, "payment.fen_paid_out": 96_000,
}  # fmt: skip
LOOK = "document.dispatchEvent(new Event('visibilitychange'))"  # as if the tab had come to the front
LIVES = "document.querySelector('[data-part=lives] strong').textContent"
CHART = "Chart.getChart(document.querySelector('[data-chart=\"live.opened\"] canvas'))"

pytestmark = [browser.needs_browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def address() -> Iterator[str]:
    with serving("uvicorn") as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def desk(tmp_path: Path, address: str) -> Iterator[browser.Phone]:
    """Somebody of the staff, signed in."""
    console = Client()
    console.force_login(User.objects.create(username="值班长", is_staff=True, is_superuser=True))
    with browser.tabs(tmp_path, DESK) as [page]:
        page.say("Network.enable")
        cookie = console.cookies["sessionid"]
        page.say("Network.setCookie", name=cookie.key, value=cookie.value, url=address)
        yield page
        assert page.complaints == []


def an_evening() -> None:
    """People who do what they do, and what has been counted of the last weeks: most in the evenings and at weekends."""
    for title in ("雨夜电台", "深夜树洞", "一起唱歌"):
        factories.live(title=title)
    for _ in range(2):
        chat = numbers.called(timezone.now())
        Chat.objects.filter(pk=chat.pk).update(state=Chat.State.RUNNING)
        for user_id in chat.people:
            Side.objects.create(chat=chat, user_id=user_id)
    Seeker.objects.create(user=factories.person(), gender="Male", since=Now(), deadline=Now() + timedelta(hours=1))
    rows = [Message(kind=2, owner_id=1, seq=seq, element="{}") for seq in range(2_532)]
    Message.objects.bulk_create(rows)
    here = redis.Redis.from_url(os.environ["REDIS_URL"])
    here.zadd(presence.HUBS, {"hub": timezone.now().timestamp() + 600})
    here.sadd("heihei:presence:hub", *range(1_284))
    cache.set("canary", timezone.now().timestamp(), 60)
    cache.set("audit", {"ok": True, "promises": 14, "broken": {}})
    for hours in (3, 2, 1):
        Record.objects.create(
            user=factories.person(), file="f", file_md5=f"{hours}", length=9, created_at=Now() - timedelta(hours=hours)
        )
    target = factories.person()
    for minutes in (50, 20, 5):
        at = Now() - timedelta(minutes=minutes)
        Report.objects.create(reporter=factories.person(), target=target, kind=3, created_at=at)
    for hours in (31, 4):
        asked = numbers.withdrawn(5_000, None, Withdrawal.State.REQUESTED)
        Withdrawal.objects.filter(pk=asked.pk).update(created_at=Now() - timedelta(hours=hours))
    count_weeks()


def count_weeks() -> None:
    now = timezone.now()
    running = counting.hour_of(now)
    hours = [running - many * counting.HOUR for many in range(24 * 31)]
    weight = {
        hour: 0.12 + 0.5 * (1 + math.cos((hour.hour - 21) * math.pi / 12)) * _of_week(hour.weekday()) for hour in hours
    }
    Hour.objects.bulk_create(
        Hour(
            figure=name,
            hour=hour,
            value=int(busy * weight[hour] * _of_figure(name, hour.day, hour.hour)),
            settled=hour < running,
        )
        for name, busy in BUSY.items()
        for hour in hours
    )
    counting._sum_days(list(BUSY), now)
    for days in range(30):
        day = counting.day_of(now) - days * counting.DAY
        Day.objects.filter(figure="users.active", day=day).update(value=14_000 + 900 * math.sin(days))


def _of_week(day: int) -> float:
    return 1.15 if day >= 5 else 0.85


def _of_figure(name: str, day: int, hour: int) -> float:
    """No two are quite the same."""
    return 0.9 + 0.1 * math.sin(len(name) * 3 + day * 1.7 + hour * 0.9)


def test_an_operator_sees_it_all_at_one_glance(address: str, desk: browser.Phone) -> None:
    an_evening()
    desk.open(f"{address}/admin/")
    desk.sees("!!window.Chart && !!Chart.getChart(document.querySelector('.board-canvas canvas'))", SOON, "charts")
    assert desk.ask("document.title").strip().startswith("总览")
    assert desk.ask("document.querySelectorAll('.board-card').length") == len(board.cards()) + len(board.figures())
    drawn = "[...document.querySelectorAll('.board-canvas canvas')].filter(each => Chart.getChart(each)).length"
    assert desk.ask(drawn) == len([figure for figure in board.figures() if figure.charted])
    loaded = desk.ask("performance.getEntriesByType('resource').map(each => each.name)")
    assert [each for each in loaded if not each.startswith(address)] == [], "nothing comes from elsewhere"
    for width in (390, 1024, 1440):
        desk.screen(**DESK | {"width": width})
        fits = f"innerWidth === {width} && document.documentElement.scrollWidth <= {width}"
        desk.sees(fits, SOON, f"nothing sticks out of {width} pixels")
    if os.environ.get("HEIHEI_PICTURES") == "1":
        desk.picture(PICTURE)


def test_it_changes_in_place_while_somebody_looks(address: str, desk: browser.Phone) -> None:
    hour = counting.hour_of(timezone.now())
    row = Hour.objects.create(figure="live.opened", hour=hour, value=1)
    desk.open(f"{address}/admin/")
    desk.sees(f"!!window.Chart && !!{CHART}", SOON, "the chart")
    desk.ask(
        "window.still = [document.querySelector('[data-part=calls]'), document.querySelector('.board-canvas canvas')]"
    )
    assert desk.ask(LIVES) == "0"
    factories.live()
    Hour.objects.filter(pk=row.pk).update(value=5)
    desk.ask(LOOK)
    desk.sees(f"{LIVES} === '1'", SOON, "the live")
    desk.sees(f"{CHART}.data.datasets[0].data.at(-1) === 5", SOON, "the bar")
    assert desk.ask("still.every(each => each.isConnected)"), "what has not changed was left alone"


def test_a_chart_without_anything_says_so(address: str, desk: browser.Phone) -> None:
    desk.open(f"{address}/admin/?span=days")
    shown = "getComputedStyle(document.querySelector('.board-empty')).display"
    assert desk.ask(shown) == "grid"
    Day.objects.create(figure="users.active", day=counting.day_of(timezone.now()), value=3)
    desk.ask(LOOK)
    desk.sees(f"{shown} === 'none'", SOON, "it is not empty any more")


def test_who_is_signed_out_meanwhile_is_led_to_the_door(address: str, desk: browser.Phone) -> None:
    desk.open(f"{address}/admin/")
    User.objects.update(is_staff=False)
    desk.ask(LOOK)
    desk.sees("location.pathname === '/admin/login/'", SOON, "the door")
