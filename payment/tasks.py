from celery import shared_task

from payment.services import payouts


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
