"""The gifts a new installation opens with: two full pages of ten, ids 101… (D28, B42, B43)."""

from hashlib import md5
from pathlib import Path
from typing import NamedTuple

from payment.models import Gift, GiftResource

PICTURES = Path(__file__).parent / "static"
Animation = Gift.Animation


class Seed(NamedTuple):
    id: int
    name: str
    gold: int
    background: tuple[int, int, int]
    desc: str
    animation: Animation = Animation.COMBO


SEEDS = [
    Seed(101, "小黄瓜", 1, (223, 240, 204), "清清爽爽,打个招呼"),
    Seed(102, "棒棒糖", 1, (255, 224, 236), "甜你一下"),
    Seed(103, "玫瑰", 2, (255, 214, 220), "送你一朵小红花"),
    Seed(104, "咖啡", 5, (238, 226, 214), "辛苦了,提提神"),
    Seed(105, "啤酒", 6, (255, 238, 196), "我干了,你随意"),
    Seed(106, "西瓜", 8, (220, 242, 214), "吃瓜群众报到"),
    Seed(107, "比心", 10, (255, 226, 210), "满屏手指雨", Animation.FINGER_RAIN),
    Seed(108, "便便", 10, (236, 222, 208), "满屏便便雨", Animation.POOP_RAIN),
    Seed(109, "泡泡", 18, (214, 238, 250), "满屏泡泡雨", Animation.BUBBLE_RAIN),
    Seed(110, "麦克风", 20, (226, 228, 242), "好声音,再来一首"),
    Seed(111, "小熊", 33, (244, 226, 206), "抱抱你"),
    Seed(112, "蛋糕", 52, (255, 230, 230), "祝你天天快乐"),
    Seed(113, "口红", 66, (255, 212, 216), "你的声音有颜色"),
    Seed(114, "吉他", 99, (250, 224, 204), "为你弹唱"),
    Seed(115, "礼花", 128, (255, 236, 206), "全场沸腾"),
    Seed(116, "皇冠", 188, (255, 240, 194), "今晚你最闪亮"),
    Seed(117, "钻石", 299, (212, 240, 252), "全屏大钻石", Animation.DIAMOND),
    Seed(118, "包包", 520, (255, 222, 206), "包治百病", Animation.BAG),
    Seed(119, "跑车", 888, (255, 216, 210), "带你去兜风"),
    Seed(120, "火箭", 1314, (218, 226, 250), "一飞冲天,一生一世"),
]


def seed_gifts() -> None:
    """Add the gifts that are missing; what operators changed since, they keep."""
    known = set(Gift.objects.values_list("pk", flat=True))
    missing = [seed for seed in SEEDS if seed.id not in known]
    Gift.objects.bulk_create([gift_of(seed) for seed in missing], ignore_conflicts=True)
    GiftResource.objects.bulk_create([picture_of(seed) for seed in missing], ignore_conflicts=True)


def gift_of(seed: Seed) -> Gift:
    red, green, blue = seed.background
    return Gift(
        id=seed.id,
        name=seed.name,
        desc=seed.desc,
        gold=seed.gold,
        red=red,
        green=green,
        blue=blue,
        image=f"gifts/{seed.id}.png",
        icon=f"gifts/{seed.id}-icon.png",
        type=seed.animation,
        order=seed.id,
    )


def picture_of(seed: Seed) -> GiftResource:
    file = f"gifts/{seed.id}.png"
    checksum = md5((PICTURES / file).read_bytes(), usedforsecurity=False).hexdigest()
    return GiftResource(gift_id=seed.id, attr_file=file, file_md5=checksum)
