"""What a new installation sells: three packages for each channel, ids of their own (contract_notes.md (e) 12)."""

from payment.order_models import Channel, Package

FIRST_IDS = {Channel.ALIPAY: 101, Channel.WECHAT: 201, Channel.IAP: 301}
GOLD_AND_FEN = ((60, 600), (380, 3800), (980, 9800))


def seed_packages() -> None:
    """Add the packages that are missing; what operators changed since, they keep."""
    Package.objects.bulk_create(
        [
            Package(
                pk=first + place,
                channel=channel,
                product_id=f"productId_{gold}",
                desc=f"{gold}钻石",
                gold=gold,
                pay_money=fen,
                origin_money=fen,
                position=place,
            )
            for channel, first in FIRST_IDS.items()
            for place, (gold, fen) in enumerate(GOLD_AND_FEN)
        ],
        ignore_conflicts=True,
    )
