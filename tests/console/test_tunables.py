"""What operators change while everything runs: who may, to what, when it counts, and that somebody goes by it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.utils import timezone

from chat.models import Chat, Seeker
from heihei_site.console import tuning
from heihei_site.console.models import NEW, OLD, Act
from heihei_site.console.tunable_models import TunedValue
from heihei_site.console.tunables import Tunables, changed, tunables
from heihei_site.realtime.models import Message
from live.models import Live
from live.services import feeds
from messages.models import Push
from messages.services import push_delivery
from payment.services import orders
from payment.withdrawal_models import Withdrawal, asked_lately
from tests import factories
from tests.answers import ok
from tests.conftest import Api
from tests.messages.push_vendor import somebody, sweep, tell
from tests.payment.cash import ACCOUNT, earner
from tests.processes import ROOT
from tests.races.crowd import at_once
from users.models import Report, Suspect, User

pytestmark = pytest.mark.django_db(transaction=True)
TABLE = "/admin/console/tunedvalue/"
EVERY = Tunables.every()


@pytest.fixture
def chef() -> User:
    return factories.person("Chef", username="chef", is_staff=True, is_superuser=True)


@pytest.fixture
def tune(chef: User) -> Callable[[str, Any], None]:
    return lambda name, kept: tuning.tune(EVERY[name], kept, operator=chef, reason="试一试")


@pytest.fixture
def console(chef: User) -> Client:
    return signed_in(chef)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def helper(*codenames: str) -> Client:
    user = factories.person(username="helper", is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    return signed_in(user)


def say(console: Client, name: str, **said: Any) -> Any:
    return console.post(f"{TABLE}{name}/change/", {"reason": "活动", **said})


# --- Somebody goes by each of them -----------------------------------------------------------------------------------
# A line says what a setting becomes, and a function that shows how the server behaves: differently before and after.


def bullet() -> int:
    live, viewer = factories.live(), factories.person(gold=100)
    factories.inside(live, viewer)
    return int(ok(Api(viewer).get("live/buy-bullet", liveId=live.pk, message="飞"))["gold"])


def seats(version: str) -> Callable[[], int]:
    def opened() -> int:
        ok(Api(factories.person(), version=version).post("live/create-live", title="t"))
        return Live.objects.latest("created_at").seats

    return opened


def texts_of_one() -> int:
    live, viewer = factories.live(), factories.person()
    factories.inside(live, viewer)
    phone = Api(viewer)
    said = [phone.post("msg/send-msg", liveId=live.pk, roomId=live.pk, text=f"{n}") for n in range(4)]
    return sum(answer["errorcode"] == 0 for answer in said)


def texts_of_all() -> int:
    live, viewers = factories.live(), [factories.person() for _ in range(12)]
    factories.inside(live, *viewers)
    said = [Api(each).post("msg/send-msg", liveId=live.pk, roomId=live.pk, text="好") for each in viewers]
    return sum(answer["errorcode"] == 0 for answer in said)


def likes_shown() -> int:
    live, viewer = factories.live(), factories.person()
    factories.inside(live, viewer)
    for _ in range(3):
        ok(Api(viewer).post("live/live-like", liveId=live.pk, type=1))
    return Message.objects.filter(owner_id=live.pk, element__contains='"like"').count()


def ranked(*, minutes: int = 60, tickets: int = 0, before: int = 0) -> Callable[[], int]:
    """The score of a live this old that was given so many tickets, then waited."""

    def score() -> int:
        live = factories.live(started_at=timezone.now() - timedelta(minutes=minutes), total_tickets=tickets)
        feeds.rank()
        if before:
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE live_recenttickets SET counted_at = counted_at - %s", [timedelta(minutes=before)]
                )
            Live.objects.update(score=0)
            feeds.rank()
        return Live.objects.get(pk=live.pk).score

    return score


def search_lasts() -> tuple[int, int]:
    Seeker.objects.all().delete()
    user = factories.person()
    answer = ok(Api(user).post("chat/match-chat"))
    lasts = Seeker.objects.get(user=user)
    return answer["expireTime"], round((lasts.deadline - lasts.since).total_seconds())


def meet_again() -> int:
    """Two who talked half an hour ago look again."""
    Seeker.objects.all().delete()
    two = [factories.person(), factories.person()]
    Chat.objects.all().delete()
    for _ in range(2):
        for user in two:
            ok(Api(user).post("chat/match-chat"))
        for chat in Chat.objects.filter(state=Chat.State.RUNNING):
            ok(Api(chat.caller).post("chat/stop-chat", chatId=chat.pk))
        long_ago = timezone.now() - timedelta(minutes=30)
        Chat.objects.update(created_at=long_ago, ended_at=long_ago)
    return Chat.objects.count()


def minor_opens() -> int:
    return int(Api(factories.person(birthday=None)).post("live/create-live", title="t")["errorcode"])


def suspected() -> bool:
    target = factories.person()
    for _ in range(2):
        Report.objects.create(reporter=factories.person(), target=target, kind=Report.Kind.values[0])
    return Suspect.objects.filter(pk=target.pk).exists()


def renaming() -> tuple[int, int]:
    user = factories.person(gold=100, rename_count=1)
    ok(Api(user).post("user/update", displayName="新名字", gender="Female", birthDay="1990-01-01"))
    left = ok(Api(user).get("user/user-gold"))["user"]["gold"]
    return left, ok(Api(user).get("user/get-config"))["configuration"]["sys"]["renameGold"]


def quiet_at_noon() -> bool:
    noon = datetime(2026, 5, 5, 12, tzinfo=ZoneInfo("Asia/Shanghai"))
    return push_delivery.end_of_quiet(noon) is not None


def push_waits() -> int:
    user = somebody()
    tell(user)
    push = Push.objects.get(user=user)
    return round((push.due_at - push.created_at).total_seconds())


def pushed() -> int:
    TunedValue.objects.update_or_create(name="QUIET_HOURS", defaults={"value": [0, 0]})
    changed.forget()
    user = somebody()
    for number in range(3):
        tell(user, str(number))
    sweep()
    return Push.objects.filter(user=user, outcome=Push.Outcome.SENT).count()


def cap(**person: Any) -> Callable[[], int]:
    def of() -> int:
        tuned = {"value": False}
        TunedValue.objects.update_or_create(name="MINOR_PROTECTION", defaults=tuned)
        changed.forget()
        now = timezone.now()
        age = person.get("days", 30)
        born = {"birthday": None} if person.get("minor") else {}
        return orders.cap_of(factories.person(date_joined=now - timedelta(days=age), **born), now)

    return of


def withdrawn(fen: int, **person: Any) -> Callable[[], int]:
    def code() -> int:
        user = earner(points=200_000, **person)
        return int(Api(user).post("payment/pay-req", alipaycode=ACCOUNT, payamount=fen)["errorcode"])

    return code


def cash_rule() -> str:
    return str(ok(Api(factories.person()).get("payment/cash-info"))["rule"])


def decisions_needed() -> int:
    assert withdrawn(8_000)() == 0
    return Withdrawal.objects.annotate(lately=asked_lately()).latest("created_at").approvals_needed


BEHAVIOUR: dict[str, tuple[Any, Callable[[], Any]]] = {
    "BULLET_GOLD": (7, bullet),
    "AUDIENCE_SEATS": (500, seats("1.1.2")),
    "TEAM_SEATS": (12, seats("2.0.0")),
    "ROOM_TEXTS": (2, texts_of_one),
    "ROOM_TEXTS_OF_ALL": (10, texts_of_all),
    "ROOM_LIKES_SHOWN": (1, likes_shown),
    "NEW_LIVE_FOR": (120, ranked()),
    "NEW_LIVE_WORTH": (500, ranked(minutes=1)),
    "TICKETS_A_LISTENER": (1, ranked(tickets=40)),
    "TICKETS_HALF_LIFE": (1_440, ranked(tickets=5_000, before=30)),
    "MATCH_WAIT": (30, search_lasts),
    "MATCH_AGAIN": (60, meet_again),
    "MINOR_PROTECTION": (False, minor_opens),
    "REPORTS_FOR_QUEUE": (2, suspected),
    "RENAME_GOLD": (25, renaming),
    "QUIET_HOURS": ([11, 13], quiet_at_noon),
    "PUSH_DELAY": (60, push_waits),
    "PUSHES_AN_HOUR": (1, pushed),
    "RECHARGE_CAP": (50_000, cap()),
    "RECHARGE_CAP_NEW": (60_000, cap(days=0)),
    "RECHARGE_NEW_FOR": (60, lambda: (Tunables.RECHARGE_NEW_FOR.default, cap(days=30)())),
    "RECHARGE_CAP_MINOR": (20_000, cap(minor=True)),
    "WITHDRAWAL_LEAST": (2_000, withdrawn(1_500)),
    "WITHDRAWAL_DAY": (1_200, withdrawn(1_500)),
    "WITHDRAWAL_FOUR_EYES": (5_000, decisions_needed),
    "WITHDRAWAL_ACCOUNT_AGE": (60, withdrawn(1_500)),
}


def test_each_has_a_behaviour_below():
    assert BEHAVIOUR.keys() == EVERY.keys()


@pytest.mark.parametrize("name", BEHAVIOUR)
def test_somebody_goes_by_it(name, tune, settings):
    """Nothing is stored for nobody: the server does something else from the change on, and again from the reset on."""
    settings.RECHARGE_CAP_NEW, settings.ROOM_TEXTS = 400_000, "5/10 seconds"
    kept, behave = BEHAVIOUR[name]
    before = behave()
    tune(name, kept)
    assert behave() != before
    tuning.reset(EVERY[name], operator=factories.person(), reason="够了")
    assert behave() == before


def test_the_rule_of_withdrawals_says_what_counts(tune):
    tune("WITHDRAWAL_LEAST", 2_000)
    tune("WITHDRAWAL_DAY", 30_000)
    tune("WITHDRAWAL_ACCOUNT_AGE", 3)
    assert "每次最少20元，每天最多300元；注册满3天" in cash_rule()
    tune("WITHDRAWAL_LEAST", 1_050)
    assert "每次最少10.50元" in cash_rule()


def test_a_bullet_sent_again_after_the_price_changed_is_the_same_bullet(tune):
    live, viewer = factories.live(), factories.person(gold=100)
    factories.inside(live, viewer)
    phone = Api(viewer)
    assert ok(phone.get("live/buy-bullet", liveId=live.pk, message="飞"))["gold"] == 99
    tune("BULLET_GOLD", 7)
    assert ok(phone.get("live/buy-bullet", liveId=live.pk, message="飞"))["gold"] == 99


# --- When it counts --------------------------------------------------------------------------------------------------

READER = """
import sys, time
import django
django.setup()
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
from heihei_site.console.tunables import tunables
print(tunables.BULLET_GOLD, flush=True)
sys.stdin.readline()
began = time.monotonic()
while tunables.BULLET_GOLD == 1 and time.monotonic() < began + 30:
    time.sleep(0.01)
print(tunables.BULLET_GOLD, time.monotonic() - began, flush=True)
"""


@contextmanager
def another_process(environment: dict[str, str]) -> Any:
    command = [sys.executable, "-c", READER, str(connection.settings_dict["NAME"])]
    process = subprocess.Popen(
        command, env=environment, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_another_process_goes_by_it_within_its_time(tune, settings, tmp_path):
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "heihei_site.settings", "HEIHEI_VAR": str(tmp_path)}
    with another_process(environment) as process:
        assert process.stdout.readline() == "1\n"
        tune("BULLET_GOLD", 7)
        process.stdin.write("\n")
        process.stdin.flush()
        gold, seconds = process.stdout.readline().split()
    assert gold == "7"
    assert float(seconds) < settings.KEPT_SECONDS + 1, "the time it is kept, and a slow machine's"


def test_reading_asks_nothing_while_it_is_kept(tune, django_assert_num_queries, monkeypatch, settings):
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with django_assert_num_queries(1):
        assert (1, timedelta(seconds=5), True) == (tunables.BULLET_GOLD, tunables.PUSH_DELAY, tunables.MINOR_PROTECTION)
    now[0] += settings.KEPT_SECONDS + 0.1
    with django_assert_num_queries(1):
        assert tunables.BULLET_GOLD == 1


def test_what_a_release_does_not_take_counts_for_nothing(tune):
    for name, kept in (("BULLET_GOLD", 10**6), ("QUIET_HOURS", [1, 99]), ("MINOR_PROTECTION", 0), ("FORMER", 1)):
        TunedValue.objects.create(name=name, value=kept)
    assert (
        1,
        Tunables.QUIET_HOURS.default,
        True,
    ) == (tunables.BULLET_GOLD, tunables.QUIET_HOURS, tunables.MINOR_PROTECTION)


# --- What it may be --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kept"),
    [("BULLET_GOLD", 0), ("BULLET_GOLD", "7"), ("BULLET_GOLD", True), ("WITHDRAWAL_FOUR_EYES", 10_001),
     ("QUIET_HOURS", [1]), ("MINOR_PROTECTION", 1)],
)  # fmt: skip
def test_out_of_bounds_nothing_is_changed(tune, name, kept):
    with pytest.raises(ValidationError, match="超出可填范围"):
        tune(name, kept)
    assert not TunedValue.objects.exists() and not Act.objects.exists()


@pytest.mark.parametrize(
    ("first", "second"),
    [(("WITHDRAWAL_DAY", 5_000), ("WITHDRAWAL_LEAST", 5_001)), (("WITHDRAWAL_LEAST", 9_000), ("WITHDRAWAL_DAY", 8_999)),
     (("AUDIENCE_SEATS", 100), ("TEAM_SEATS", 101)), (("ROOM_TEXTS", 400), ("ROOM_TEXTS_OF_ALL", 399)),
     (("RECHARGE_CAP", 10_000), ("RECHARGE_CAP_MINOR", 10_001))],
)  # fmt: skip
def test_what_does_not_fit_together_is_refused(tune, first, second):
    tune(*first)
    with pytest.raises(ValidationError, match="不能大于"):
        tune(*second)
    assert set(TunedValue.objects.values_list("name", flat=True)) == {first[0]}
    assert Act.objects.count() == 1


def test_a_default_that_does_not_fit_is_not_gone_back_to(tune, chef):
    tune("WITHDRAWAL_LEAST", 500)
    tune("WITHDRAWAL_DAY", 900)
    with pytest.raises(ValidationError, match="不能大于"):
        tuning.reset(Tunables.WITHDRAWAL_LEAST, operator=chef, reason="够了")
    assert tunables.WITHDRAWAL_LEAST == 500


def test_two_at_once_never_leave_what_does_not_fit(chef):
    def change(tunable: Any, kept: int) -> bool:
        try:
            tuning.tune(tunable, kept, operator=chef, reason="试一试")
        except ValidationError:
            return False
        return True

    for _ in range(5):
        TunedValue.objects.all().delete()
        done = at_once(
            [lambda: change(Tunables.WITHDRAWAL_LEAST, 9_000), lambda: change(Tunables.WITHDRAWAL_DAY, 8_000)]
        )
        assert sorted(done) == [False, True]


# --- The console -----------------------------------------------------------------------------------------------------


class TestTheConsole:
    def test_shows_each_with_its_default_and_who_changed_it(self, console, tune):
        tune("WITHDRAWAL_DAY", 123_400)
        page = console.get(TABLE).content.decode()
        for tunable in EVERY.values():
            assert tunable.label in page
        assert "1,234.00 元" in page and "500.00 元" in page and "chef · " in page

    def test_changes_it_with_a_reason_that_is_kept(self, console, chef):
        page = console.get(f"{TABLE}RECHARGE_CAP/change/").content.decode()
        assert 'value="5000.00"' in page
        answer = say(console, "RECHARGE_CAP", value="3000.5")
        assert (answer.status_code, answer["Location"]) == (302, TABLE)
        assert tunables.RECHARGE_CAP == 300_050
        act = Act.objects.get()
        assert (act.operator, act.verb, act.object_id, act.reason) == (chef, "修改运营参数", "RECHARGE_CAP", "活动")
        assert act.details == {"每人每天充值上限": {OLD: "5,000.00 元", NEW: "3,000.50 元"}}

    def test_goes_back_to_the_default(self, console, chef):
        say(console, "QUIET_HOURS", value="1-5")
        assert tunables.QUIET_HOURS == (1, 5)
        say(console, "QUIET_HOURS", reset="")
        assert Tunables.QUIET_HOURS.default == tunables.QUIET_HOURS
        assert list(Act.objects.order_by("pk").values_list("verb", flat=True)) == ["修改运营参数", "恢复默认参数"]
        say(console, "QUIET_HOURS", reset="")
        assert Act.objects.count() == 2

    @pytest.mark.parametrize(
        ("name", "said", "words"),
        [
            ("BULLET_GOLD", {"value": "7", "reason": ""}, "该字段是必填项"),
            ("BULLET_GOLD", {"value": "0"}, "大于或等于"),
            ("QUIET_HOURS", {"value": "23-24"}, "0–23 的整点"),
            ("QUIET_HOURS", {"value": "1-" + "5" * 5_000}, "0–23 的整点"),
            ("WITHDRAWAL_LEAST", {"value": "600"}, "不能大于"),
            ("WITHDRAWAL_LEAST", {"value": "10.005"}, "小数"),
            ("MINOR_PROTECTION", {"reset": "", "reason": ""}, "该字段是必填项"),
        ],
    )
    def test_says_what_is_wrong_and_changes_nothing(self, console, name, said, words):
        answer = say(console, name, **said)
        assert answer.status_code == 200
        assert words in answer.content.decode()
        assert not TunedValue.objects.exists() and not Act.objects.exists()

    def test_a_switch_that_is_not_ticked_is_off(self, console):
        say(console, "MINOR_PROTECTION")
        assert tunables.MINOR_PROTECTION is False

    def test_who_may_only_look_changes_nothing(self):
        console = helper("view_tunedvalue")
        page = console.get(TABLE)
        assert page.status_code == 200
        assert "BULLET_GOLD/change" not in page.content.decode()
        assert say(console, "BULLET_GOLD", value="7").status_code == 403
        assert console.post(f"{TABLE}BULLET_GOLD/delete/", {"post": "yes"}).status_code == 403
        assert console.post(f"{TABLE}add/", {"name": "BULLET_GOLD", "value": 7}).status_code == 403
        assert not TunedValue.objects.exists()

    @pytest.mark.parametrize(
        ("right", "theirs", "others"),
        [("tune_money", "WITHDRAWAL_DAY", "TEAM_SEATS"), ("change_tunedvalue", "TEAM_SEATS", "WITHDRAWAL_DAY")],
    )
    def test_limits_on_money_are_changed_by_finance_alone(self, right, theirs, others):
        console = helper("view_tunedvalue", right)
        page = console.get(TABLE).content.decode()
        assert f"{theirs}/change" in page and f"{others}/change" not in page
        assert say(console, others, value="30").status_code == 403
        assert say(console, theirs, value="30").status_code == 302
        assert list(TunedValue.objects.values_list("name", flat=True)) == [theirs]

    def test_others_see_nothing_and_what_is_not_there_is_404(self, console):
        assert helper("view_user").get(TABLE).status_code == 403
        assert console.get(f"{TABLE}SECRET_KEY/change/").status_code == 404
