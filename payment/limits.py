"""The caps on money as operators read them: those they change themselves, and those that stand in the settings."""

from collections.abc import Callable
from typing import Any

from django.conf import settings

from heihei_site.console.tunable_kinds import Tunable
from heihei_site.console.tunables import Tunables, changed

TUNED: tuple[Tunable[Any], ...] = (
    Tunables.MINOR_PROTECTION,
    Tunables.RECHARGE_CAP,
    Tunables.RECHARGE_CAP_MINOR,
    Tunables.RECHARGE_CAP_NEW,
    Tunables.RECHARGE_NEW_FOR,
    Tunables.WITHDRAWAL_LEAST,
    Tunables.WITHDRAWAL_DAY,
    Tunables.WITHDRAWAL_FOUR_EYES,
    Tunables.WITHDRAWAL_ACCOUNT_AGE,
)
FIXED: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("成年年龄", "ADULT_AGE", lambda age: f"{age} 岁"),
    ("每个运营人员每天申请、审批补发与扣回的钻石最多", "CREDIT_GOLD_DAY", str),
    ("每个运营人员每天申请、审批补发与扣回的黑票最多", "CREDIT_POINT_DAY", str),
    ("补发与扣回多久内须审批", "CREDIT_LIFETIME", lambda age: f"{age.days} 天"),
    ("多少黑票提现一分钱", "POINTS_PER_FEN", str),
    ("每人实名验证次数", "ALIPAY_VERIFICATIONS", str),
)


def shown() -> list[tuple[str, str, str]]:
    """What it is, how much, and the setting's name."""
    tuned = [(each.label, each.words(each.among(changed())), each.name) for each in TUNED]
    return tuned + [(name, show(getattr(settings, setting)), setting) for name, setting, show in FIXED]
