"""What is read while a phone looks for somebody: lines that operators edit."""

import random

from django.conf import settings

from chat.models import MatchTip
from heihei_site.postgres.kept import Kept

FIRST_TIPS = [
    "先笑一笑，声音会变好听",
    "正在帮你找一个刚好有空的人",
    "一句“今天过得怎么样”胜过十句“在吗”",
    "不知道聊什么？通话里可以换话题",
    "戴上耳机，对方会听得更清楚",
    "认真听的人，总是最受欢迎",
    "遇到不礼貌的人，可以拉黑并举报",
    "别把手机号和住址告诉刚认识的人",
    "聊得投缘，记得关注对方",
    "送个小礼物，也是一种打招呼",
    "沉默也没关系，等等就有话说了",
    "喜欢的歌，是最好的开场白",
]


@Kept
def lines() -> list[str]:
    return list(MatchTip.objects.filter(active=True).order_by("pk").values_list("text", flat=True))


def some() -> list[str]:
    """A few of them in any order; none where there are none."""
    known = lines()
    return random.sample(known, min(len(known), settings.MATCH_TIPS))


def seed() -> None:
    """Where there is no line. What operators have changed or taken out stays so."""
    if not MatchTip.objects.exists():
        MatchTip.objects.bulk_create(MatchTip(text=text) for text in FIRST_TIPS)
        lines.changed()
