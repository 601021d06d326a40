"""The gateways' own books, a day at a time: `payment/promises/orders.py` compares our orders with them (D36)."""

from datetime import date, timedelta

import structlog
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from heihei_site.providers import registry
from heihei_site.providers.gateways.base import GatewayFault
from payment.order_models import Bill, BillLine, Channel, Order

CHANNELS = (Channel.ALIPAY, Channel.WECHAT)  # Apple gives no book of a day
DAYS = 7  # that are asked for again until they are there

log = structlog.get_logger(__name__)


def fetch_missing() -> list[Bill]:
    today = timezone.localdate()
    days = [today - timedelta(days=back) for back in range(1, DAYS + 1)]
    known = set(Bill.objects.filter(day__in=days).values_list("channel", "day"))
    wanted = [(channel, day) for day in days for channel in CHANNELS if (channel.value, day) not in known]
    return [bill for channel, day in wanted if (bill := fetch(channel, day)) is not None]


def fetch(channel: Channel, day: date) -> Bill | None:
    """The book of a day that is over; fetched again, it replaces the first. What it says was paid and we do not know of
    is asked for at once."""
    try:
        lines = registry.gateway(channel).bill(day)
    except GatewayFault as fault:
        log.warning("bill_not_fetched", channel=channel.value, day=f"{day}", reason=str(fault))
        return None
    with transaction.atomic():
        Bill.objects.filter(channel=channel, day=day).delete()
        bill = Bill.objects.create(channel=channel, day=day)
        BillLine.objects.bulk_create(
            [
                BillLine(bill=bill, order_number=line.order[:64], gateway_number=line.gateway_number[:64], fen=line.fen)
                for line in lines
            ],
            batch_size=1000,
        )
    paid = [line.order for line in lines if line.fen > 0]
    Order.objects.filter(number__in=paid, channel=channel, state__in=Order.UNPAID).update(next_query_at=Now())
    log.info("bill_fetched", channel=channel.value, day=f"{day}", lines=len(lines))
    return bill
