from celery import shared_task

from payment.services import bills, credits, order_queries, payouts, refunds, settlement


@shared_task(name="payment.tasks.settle_notification")
def settle_notification(notification_id: int) -> None:
    """As soon as it came. Run twice, the second finds that it is done; run never, the next sweep does it."""
    settlement.settle(notification_id)


@shared_task(name="payment.tasks.settle_orders")
def settle_orders() -> None:
    """What is waiting: notifications whose job got lost, orders that nobody told us about, refunds. Each has a job of
    its own, so that one that hangs or fails holds up none."""
    for notification_id in settlement.waiting():
        settle_notification.delay(notification_id)
    for order_id in order_queries.take_due():
        query_order.delay(order_id)
    for refund_id in refunds.take_due():
        ask_for_refund.delay(refund_id)


@shared_task(name="payment.tasks.query_order")
def query_order(order_id: int) -> None:
    order_queries.query(order_id)


@shared_task(name="payment.tasks.ask_for_refund")
def ask_for_refund(refund_id: int) -> None:
    refunds.ask(refund_id)


@shared_task(name="payment.tasks.fetch_bills")
def fetch_bills() -> None:
    bills.fetch_missing()


@shared_task(name="payment.tasks.forget_forgeries")
def forget_forgeries() -> int:
    return settlement.forget_forgeries()


@shared_task(name="payment.tasks.expire_credits")
def expire_credits() -> int:
    return credits.expire()


@shared_task(name="payment.tasks.pay_withdrawals")
def pay_withdrawals() -> int:
    """Each gets a job of its own: a gateway that hangs keeps nobody else waiting."""
    waiting = payouts.due()
    for withdrawal_id in waiting:
        pay_withdrawal.apply_async((withdrawal_id,), expires=60)
    return len(waiting)


@shared_task(name="payment.tasks.pay_withdrawal")
def pay_withdrawal(withdrawal_id: int) -> None:
    """Run twice, the second finds that it is not its turn."""
    payouts.pay(withdrawal_id)
