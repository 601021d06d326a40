"""The settings that operators change while everything runs (D42), read like settings: `tunables.BULLET_GOLD`.

Each has its default in settings.py, under the same name, and a row only where an operator has said otherwise. A process
keeps the rows for KEPT_SECONDS, so reading one asks nothing, and a change is everywhere within that time. Whoever
needs one value twice in a deed reads it once.

Here stands what may change from one moment to the next without a promise being broken. Not here: what a machine decides
(the environment), what shipped clients have built in (leases, lengths of texts), what is part of stored numbers
(HEAT_HALF_LIFE), and what points and gold are worth (POINT_WORTH, POINTS_PER_FEN, POINTS_PER_GOLD): people earned what
they hold under the worth they were shown, a change would move everybody's money at one stroke and by one operator's
hand, and phones, rules and statements name it. It takes a release, its review, and a notice to everybody before.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from heihei_site.console.tunable_kinds import Declared, Fen, Hours, Rate, Span, Switch, Tunable, Whole
from heihei_site.console.tunable_models import TunedValue
from heihei_site.postgres.kept import Kept

SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)


class Tunables(Declared):
    """In the order of the console's page."""

    BULLET_GOLD = Whole("弹幕价格", group="直播间", unit="钻石", least=1, most=1_000)
    AUDIENCE_SEATS = Whole(
        "旧版客户端直播间的座位数", group="直播间", unit="个", least=100, most=1_000_000, hint="1.5 以前的版本；"
    )
    TEAM_SEATS = Whole(
        "新版客户端直播间的座位数", group="直播间", unit="个", least=2, most=1_000, hint="含队长，只影响新开的直播；"
    )
    ROOM_TEXTS = Rate("每人公屏发言上限", group="直播间", unit="条 / 10 秒", least=1, most=1_000)
    ROOM_TEXTS_OF_ALL = Rate(
        "每个直播间公屏发言上限", group="直播间", unit="条 / 10 秒", least=10, most=10_000, hint="主播和管理员不受限；"
    )
    ROOM_LIKES_SHOWN = Rate("每个直播间显示的点亮", group="直播间", unit="次 / 秒", least=1, most=50)

    NEW_LIVE_FOR = Span("新开播扶持时长", group="直播排序", unit="分钟", of=MINUTE, least=0, most=120)
    NEW_LIVE_WORTH = Whole(
        "新开播扶持力度", group="直播排序", unit="名听众", least=0, most=1_000, hint="视同多出这些听众；"
    )
    TICKETS_A_LISTENER = Whole("多少黑票抵一名听众", group="直播排序", unit="黑票", least=1, most=100_000)
    TICKETS_HALF_LIFE = Span("黑票热度减半时间", group="直播排序", unit="分钟", of=MINUTE, least=1, most=1_440)

    MATCH_WAIT = Span("匹配等待时长", group="匹配", unit="秒", of=SECOND, least=5, most=60)
    MATCH_AGAIN = Span("同两人再次匹配的间隔", group="匹配", unit="分钟", of=MINUTE, least=0, most=1_440)

    MINOR_PROTECTION = Switch(
        "未成年人保护", group="用户", hint="开启后，未满年龄或没有生日的用户不能开播、充值、送礼、提现。"
    )
    REPORTS_FOR_QUEUE = Whole("多少人举报后进入待处理", group="用户", unit="人", least=1, most=100)
    RENAME_GOLD = Whole("改名价格", group="用户", unit="钻石", least=1, most=10_000, hint="首次免费；")

    QUIET_HOURS = Hours("推送免打扰时段", group="推送", hint="来电不受限。")
    PUSH_DELAY = Span("消息多久未送达再推送", group="推送", unit="秒", of=SECOND, least=1, most=300)
    PUSHES_AN_HOUR = Whole("每人每小时推送上限", group="推送", unit="条", least=1, most=1_000, hint="来电不受限；")

    RECHARGE_CAP = Fen("每人每天充值上限", group="充值", least=100, most=10_000_000)
    RECHARGE_CAP_NEW = Fen("新账号每天充值上限", group="充值", least=100, most=10_000_000)
    RECHARGE_NEW_FOR = Span("注册多久以内算新账号", group="充值", unit="天", of=DAY, least=0, most=365)
    RECHARGE_CAP_MINOR = Fen(
        "未成年人每天充值上限", group="充值", least=100, most=1_000_000, hint="仅在关闭未成年人保护时有效；"
    )

    WITHDRAWAL_LEAST = Fen("每次提现最少", group="提现", least=100, most=1_000_000)
    WITHDRAWAL_DAY = Fen("每人每天提现上限", group="提现", least=100, most=10_000_000)
    # Never above what D37 allows one operator to decide alone.
    WITHDRAWAL_FOUR_EYES = Fen(
        "24 小时内累计超过此金额的提现须两人审核", group="提现", least=0, most=10_000, hint="只能收紧；"
    )
    WITHDRAWAL_ACCOUNT_AGE = Span("注册满多久才能提现", group="提现", unit="天", of=DAY, least=0, most=365)


MONEY = ("充值", "提现")  # groups that finance alone changes

# The first of each pair is never more than the second.
AT_MOST: tuple[tuple[Tunable[Any], Tunable[Any]], ...] = (
    (Tunables.TEAM_SEATS, Tunables.AUDIENCE_SEATS),
    (Tunables.ROOM_TEXTS, Tunables.ROOM_TEXTS_OF_ALL),
    (Tunables.RECHARGE_CAP_MINOR, Tunables.RECHARGE_CAP),
    (Tunables.WITHDRAWAL_LEAST, Tunables.WITHDRAWAL_DAY),
)


@Kept
def changed() -> Mapping[str, Any]:
    """What operators have changed, by name."""
    return dict(TunedValue.objects.values_list("name", "value"))


tunables = Tunables(changed)
