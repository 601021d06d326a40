"""What two people could talk about: a pool that operators edit."""

import secrets

from chat.models import ChatTopic
from heihei_site.postgres.kept import Kept

FIRST_TOPICS = [
    "最近单曲循环的是哪首歌？",
    "如果明天放假，你最想去哪里？",
    "说一件让你笑出声的小事",
    "小时候最拿手的游戏是什么？",
    "你的家乡有什么必须尝一口的味道？",
    "深夜睡不着的时候你在想什么？",
    "最想学会但一直没开始的本领是什么？",
    "分享一个你的冷门爱好",
    "哪部电影你愿意看第三遍？",
    "猜猜对方是早起的人还是熬夜的人",
    "用三个词形容今天的心情",
    "如果能和任何人吃一顿饭，你选谁？",
    "你收到过最特别的礼物是什么？",
    "说说你做过的最勇敢的决定",
    "下雨天最适合做什么？",
    "你养过或者最想养什么小动物？",
    "给十年后的自己留一句话",
    "最近一次旅行里最难忘的画面",
    "你有什么别人看不出来的小习惯？",
    "用一句方言打个招呼吧",
    "你心里完美的周末是什么样的？",
    "唱一句你最会唱的歌",
    "第一次上台或者当众说话是什么感觉？",
    "你觉得一见如故是真的吗？",
]


@Kept
def pool() -> list[ChatTopic]:
    return list(ChatTopic.objects.filter(active=True).order_by("pk"))


def pick(but: int | None = None) -> ChatTopic | None:
    """Any of the pool but the one they have; None where the pool is empty."""
    topics = pool()
    return secrets.choice([topic for topic in topics if topic.pk != but] or topics or [None])


def opening() -> str:
    """For two who begin to write to each other (`messages.openings`)."""
    topic = pick()
    return topic.text if topic else ""


def seed() -> None:
    """Where there is no topic. What operators have changed or taken out stays so."""
    if not ChatTopic.objects.exists():
        ChatTopic.objects.bulk_create(ChatTopic(text=text) for text in FIRST_TOPICS)
        pool.changed()
