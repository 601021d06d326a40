"""The first page of the console: what it says, to whom, and what it costs to say it."""

import json
import re
from datetime import date, timedelta
from html import unescape

import pytest
import redis
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from chat.models import Seeker
from heihei_site.console import board, counting, dashboard
from heihei_site.console.cards import lasted
from heihei_site.console.figure_models import Day, Hour
from heihei_site.realtime import presence
from heihei_site.realtime.models import Message
from live.models import Live
from messages.announcement_models import Announcement
from messages.models import Notice, Push
from payment.services import credits
from payment.withdrawal_models import Withdrawal
from records.models import Record
from tests import factories
from tests.console import numbers
from users.models import Report, User

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
PAGE, FRAGMENT = "/admin/", "/admin/dashboard/"


def operator(*rights: str) -> User:
    """Somebody of the staff with these permissions: `"live.view_live"`."""
    user = User.objects.create(username=f"op-{len(rights)}", is_staff=True)
    for right in rights:
        app, codename = right.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return user


def console_of(user: User) -> Client:
    console = Client()
    console.force_login(user)
    return console


@pytest.fixture
def boss() -> Client:
    return console_of(User.objects.create(username="boss", is_staff=True, is_superuser=True))


def cards(console: Client, page: str = FRAGMENT) -> dict[str, tuple[str, str]]:
    """Value and note of each card and tile, as they are read."""
    text = console.get(page).content.decode()
    found = re.findall(r'data-part="([^"]+)">.*?<strong>(.*?)</strong>\s*<small>(.*?)</small>', text, re.S)
    return {name: (unescape(re.sub("<.*?>", "", value)).strip(), unescape(note)) for name, value, note in found}


def bars(console: Client, figure: str, span: str) -> dict[str, float | None]:
    text = console.get(FRAGMENT, {"span": span}).content.decode()
    chart = text.split(f'data-chart="{figure}"')[1]
    data = json.loads(unescape(re.search(r'data-value="([^"]*)"', chart)[1]))
    return dict(zip(data["labels"], data["datasets"][0]["data"], strict=True))


# --- This very moment --------------------------------------------------------------------------------------------


def test_it_says_what_happens_now(boss):
    factories.live()
    factories.live(owner_deadline=Now() - HOUR)  # fell silent, and only waits for the sweep
    Seeker.objects.create(user=factories.person(), gender="Male", since=Now(), deadline=Now() + HOUR)
    for seq in range(30):
        Message.objects.create(kind=2, owner_id=1, seq=seq, element="{}")
    Message.objects.create(kind=2, owner_id=1, seq=99, element="{}", created_at=Now() - HOUR)
    said = cards(boss)
    assert said["lives"][0] == "1"
    assert said["seekers"][0] == "1"
    assert said["calls"][0] == "0"
    assert said["messages"] == ("0.5", "最近 1 分钟共 30 条")
    assert said["online"][0] == "0"


def test_people_with_a_socket_are_online(boss, settings):
    here = redis.Redis.from_url(settings.REDIS_URL)
    for hub, people in (("a", [1, 2]), ("b", [3])):
        here.zadd(presence.HUBS, {hub: timezone.now().timestamp() + 60})
        here.sadd(f"heihei:presence:{hub}", *people)
    assert cards(boss)["online"][0] == "3"


def test_a_queue_says_how_many_wait_and_how_long_the_oldest_has(boss):
    assert cards(boss)["records"] == ("0", "没有积压")
    for hours in (5, 3, 1):
        Record.objects.create(
            user=factories.person(), file="f", file_md5=f"{hours}", length=5, created_at=Now() - hours * HOUR
        )
    assert cards(boss)["records"] == ("3", "最早的已等 5 小时")


def test_what_waits_for_a_second_operator_is_a_queue_too(boss):
    first = operator("payment.propose_credit")
    credits.propose(operator=first, owner=factories.person(), kind="event", gold=5, point=0, reason="活动")
    written = Announcement.objects.create(title="题", text="文", author=first)
    assert (cards(boss)["credits"][0], cards(boss)["announcements"][0]) == ("1", "0")
    Announcement.objects.filter(pk=written.pk).update(state=Announcement.State.PROPOSED, proposed_by=first)
    assert cards(boss)["announcements"][0] == "1"


def test_what_waits_too_long_stands_out(boss):
    numbers.withdrawn(1500, None, Withdrawal.State.REQUESTED)
    assert 'class="board-card board-waiting" data-part="withdrawals"' in boss.get(FRAGMENT).content.decode()
    Withdrawal.objects.update(created_at=Now() - timedelta(days=2))
    assert 'class="board-card board-late" data-part="withdrawals"' in boss.get(FRAGMENT).content.decode()


def test_who_was_reported_often_waits_among_the_suspects_too(boss):
    target = factories.person()
    for _ in range(3):
        Report.objects.create(reporter=factories.person(), target=target, kind=3)
    assert cards(boss)["reports"][0] == "3"
    assert cards(boss)["suspects"][0] == "1"


def test_a_push_that_is_due_lags_and_one_for_the_morning_does_not(boss):
    notice = Notice.objects.create(
        msg_id=1, title="t", text="t", action="", links=[], from_user_id=0, rings=False, expires_at=Now() + HOUR
    )
    for device, due in ((1, Now() - timedelta(seconds=90)), (2, Now() + HOUR)):
        Push.objects.create(
            notice=notice, user_id=1, device_id=device, lane=1, collapse="", due_at=due, created_at=Now() - HOUR
        )
    assert cards(boss)["pushes"] == ("1", "最早的已等 1 分钟")


def test_workers_that_fell_silent_are_shown_so(boss):
    assert cards(boss)["workers"][0] == "停滞"
    cache.set("canary", timezone.now().timestamp(), 60)
    assert cards(boss)["workers"][0] == "正常"


def test_the_ledgers_last_audit_is_shown_and_none_is_begun(boss, monkeypatch):
    monkeypatch.setattr("payment.audit.look", lambda: pytest.fail("a page must not read the ledger"))
    assert cards(boss)["audit"] == ("—", "还没有核对")
    cache.set("audit", {"ok": False, "promises": 9, "broken": {"legs sum to zero": 1}})
    assert cards(boss)["audit"] == ("异常", "legs sum to zero")


def test_without_redis_the_other_cards_are_there(boss, monkeypatch):
    def away() -> int:
        raise redis.ConnectionError

    monkeypatch.setattr(presence, "how_many", away)
    factories.live()
    said = cards(boss)
    assert said["online"] == ("—", "Redis 没有应答")
    assert said["lives"][0] == "1"


@pytest.mark.parametrize("name", [card.name for card in board.cards() if card.page])
def test_each_card_leads_to_its_list(boss, name):
    address = next(card.address for card in board.cards() if card.name == name)
    assert f'href="{address}"' in boss.get(FRAGMENT).content.decode()
    assert boss.get(address).status_code == 200, "and not redirected for a filter that is not there"


@pytest.mark.parametrize(
    ("seconds", "said"), [(-1, "0 秒"), (59, "59 秒"), (60, "1 分钟"), (7199, "1 小时"), (172_800, "2 天")]
)
def test_a_span_is_said_in_its_largest_unit(seconds, said):
    assert lasted(timedelta(seconds=seconds)) == said


# --- Figures -----------------------------------------------------------------------------------------------------


def test_today_stands_beside_yesterday(boss):
    today = counting.day_of(timezone.now())
    for days, fen in ((0, 123_450), (1, 600), (2, 1)):
        Day.objects.create(figure="payment.fen_taken", day=today - timedelta(days=days), value=fen)
    assert cards(boss)["today-payment.fen_taken"] == ("1,234.50元", "昨日 6.00")
    assert cards(boss)["today-users.new"] == ("—人", "昨日 —"), "what nobody has counted is not 0"


def test_a_job_brings_what_happened_onto_the_page(boss):
    now = timezone.now()
    numbers.newcomer(now)
    numbers.paid("gift", 30, now)
    counting.count(now + timedelta(seconds=1))
    said = cards(boss)
    assert said["today-payment.gold_in_gifts"][0] == "30钻石"
    assert said["today-users.new"][0] == f"{User.objects.filter(username=None).count()}人"
    assert bars(boss, "payment.gold_in_gifts", "hours")[f"{counting.hour_of(now):%H:%M}"] == 30


def test_a_chart_of_hours_ends_with_the_running_one_and_leaves_out_what_is_unknown(boss):
    running = counting.hour_of(timezone.now())
    for hours, fen in ((0, 250), (23, 100), (24, 9900)):
        Hour.objects.create(figure="payment.fen_taken", hour=running - hours * HOUR, value=fen)
    shown = list(bars(boss, "payment.fen_taken", "hours").items())
    assert len(shown) == 24
    assert shown[0] == (f"{running - 23 * HOUR:%H:%M}", 1.0)
    assert shown[-1] == (f"{running:%H:%M}", 2.5)
    assert {value for _, value in shown[1:-1]} == {None}
    assert "合计 3.50 元" in boss.get(FRAGMENT).content.decode()


def test_a_chart_of_days_has_thirty(boss):
    today = counting.day_of(timezone.now())
    for days, many in ((0, 7), (29, 5), (30, 99)):
        Day.objects.create(figure="live.opened", day=today - timedelta(days=days), value=many)
    shown = list(bars(boss, "live.opened", "days").items())
    oldest: date = today - timedelta(days=29)
    assert len(shown) == 30
    assert shown[0] == (f"{oldest.month}-{oldest.day}", 5)
    assert shown[-1][1] == 7


def test_people_of_several_hours_are_not_added_up(boss):
    running = counting.hour_of(timezone.now())
    for hours in (0, 1):
        Hour.objects.create(figure="users.active", hour=running - hours * HOUR, value=10)
    chart = boss.get(FRAGMENT).content.decode().split('data-chart="users.active"')[1].split("</h3>")[0]
    assert "合计" not in chart


def test_it_says_when_nothing_has_been_counted_for_a_while(boss):
    assert "还没有统计过" in boss.get(FRAGMENT).content.decode()
    counting.count(timezone.now())
    assert "之后没有再统计" not in boss.get(FRAGMENT).content.decode()
    Hour.objects.update(counted_at=Now() - timedelta(minutes=10))
    assert "之后没有再统计" in boss.get(FRAGMENT).content.decode()


# --- To whom -----------------------------------------------------------------------------------------------------


def test_without_rights_there_is_only_what_everybody_of_the_staff_may_see():
    console = console_of(operator())
    assert set(cards(console)) == {"messages", "workers", "jobs"}
    assert "data-chart" not in console.get(PAGE).content.decode()


def test_who_may_see_a_list_sees_its_numbers_and_no_money():
    rights = ["live.view_live", "users.view_report", "records.view_record", "payment.view_withdrawal"]
    console = console_of(operator(*rights))
    everybody = {"messages", "workers", "jobs"}
    assert set(cards(console)) == everybody | {"lives", "reports", "records", "withdrawals", "today-live.opened"}
    assert re.findall('data-chart="(.*?)"', console.get(PAGE).content.decode()) == ["live.opened"]


def test_money_is_for_those_who_may_see_it():
    console = console_of(operator("console.view_money"))
    seen = {name for name in cards(console) if name.startswith("today-")}
    assert seen == {f"today-{figure.name}" for figure in board.figures() if figure.name.startswith("payment.")}
    assert "audit" in cards(console)


def test_nobody_but_staff_gets_the_fragment():
    person = factories.person()
    for console in (Client(), console_of(person)):
        answer = console.get(FRAGMENT)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/admin/login/")


# --- What it costs -----------------------------------------------------------------------------------------------


def test_many_rows_cost_as_many_queries_as_none(boss, django_assert_num_queries):
    boss.get(FRAGMENT)
    own = 2  # session and person
    asked = len([card for card in board.cards() if card.name not in ("online", "workers", "jobs", "audit")])
    counted = 3  # days, hours, when they were counted
    with django_assert_num_queries(own + asked + counted):
        boss.get(FRAGMENT)
    for _ in range(5):
        factories.live()
        numbers.called(timezone.now())
        numbers.withdrawn(100, None, Withdrawal.State.REQUESTED)
        Report.objects.create(reporter=factories.person(), target=factories.person(), kind=3)
    counting.count(timezone.now())
    assert Live.objects.count() == 5
    with django_assert_num_queries(own + asked + counted):
        boss.get(FRAGMENT)


def test_the_page_and_what_it_fetches_later_are_the_same(boss):
    factories.live()
    assert cards(boss, PAGE) == cards(boss, FRAGMENT)
    text = boss.get(PAGE, {"span": "days"}).content.decode()
    assert 'data-address="/admin/dashboard/?span=days"' in text
    assert f'data-seconds="{dashboard.REFRESH_SECONDS}"' in text
    assert boss.get(PAGE, {"span": "nonsense"}).status_code == 200
