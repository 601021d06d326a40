"""Places where a test lets a process die, to prove that money survives it. In production nothing happens here.

An instance that runs with HEIHEI_CRASH_POINTS=1 in development is killed once, as by `kill -9`, at each label that a
file of its name under `$HEIHEI_VAR/crash/` arms: whoever removes the file dies.
"""

import os
import signal

from django.conf import settings

LABELS = (
    "gift.posted",
    "gift.committed",
    "order.create.committed",
    "order.notified",
    "order.notification.committed",
    "order.settle.posted",
    "order.settle.committed",
    "order.refund.committed",
    "order.refund.called",
    "exchange.posted",
    "exchange.committed",
    "withdrawal.frozen",
    "withdrawal.committed",
    "withdrawal.approval.committed",
    "withdrawal.return.posted",
    "withdrawal.return.committed",
    "payout.intended",
    "payout.asked",
    "payout.posted",
    "payout.committed",
    "credit.posted",
    "credit.committed",
)


def passing(label: str) -> None:
    """Say where we are: `passing("order.settle.posted")`. Every label stands in LABELS, and the tests kill at each."""
    if settings.CRASH_POINTS is None:
        return
    if label not in LABELS:
        raise ValueError(f"{label} is not in LABELS")
    try:
        (settings.CRASH_POINTS / label).unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
