"""What points can be exchanged for on the first day: seven gold for ten points, as in the document's example."""

from payment.exchange_models import P2gPackage

SEEDS = ((100, 70), (500, 350), (1_000, 700), (5_000, 3_500), (10_000, 7_000))  # points, gold


def seed_p2g_packages() -> None:
    """Only where there is none: what operators made of them, they keep."""
    if P2gPackage.objects.exists():
        return
    P2gPackage.objects.bulk_create(
        P2gPackage(pk=number, desc=f"{point}黑票兑换{gold}钻石", point=point, gold=gold, order=number)
        for number, (point, gold) in enumerate(SEEDS, start=1)
    )
