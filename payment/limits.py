"""The caps on money as operators read them: they stand in the settings, and the console shows them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings


def _yuan(fen: int) -> str:
    return f"{fen / 100:,.2f} 元"


def _days(age: timedelta) -> str:
    return f"{age.days} 天"


def _switch(on: bool) -> str:
    return "开" if on else "关"


SHOWN: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("未成年人保护：未满年龄或没有生日的用户不能开播、充值、送礼、提现", "MINOR_PROTECTION", _switch),
    ("成年年龄", "ADULT_AGE", lambda age: f"{age} 岁"),
    ("每人每天充值最多", "RECHARGE_CAP", _yuan),
    ("未成年人每天充值最多（关闭保护时）", "RECHARGE_CAP_MINOR", _yuan),
    ("新账号每天充值最多", "RECHARGE_CAP_NEW", _yuan),
    ("多久以内算新账号", "RECHARGE_NEW_FOR", _days),
    ("每次提现最少", "WITHDRAWAL_LEAST", _yuan),
    ("每人每天提现最多", "WITHDRAWAL_DAY", _yuan),
    ("24 小时内累计超过此金额的提现需要两人审核", "WITHDRAWAL_FOUR_EYES", _yuan),
    ("注册满多久才能提现", "WITHDRAWAL_ACCOUNT_AGE", _days),
    ("每个运营人员每天申请、审批补发与扣回的钻石最多", "CREDIT_GOLD_DAY", str),
    ("每个运营人员每天申请、审批补发与扣回的黑票最多", "CREDIT_POINT_DAY", str),
    ("补发与扣回多久内须审批", "CREDIT_LIFETIME", _days),
    ("多少黑票提现一分钱", "POINTS_PER_FEN", str),
    ("每人实名验证次数", "ALIPAY_VERIFICATIONS", str),
)


def shown() -> list[tuple[str, str, str]]:
    """What it is, how much, and the setting's name."""
    return [(name, show(getattr(settings, setting)), setting) for name, setting, show in SHOWN]
