import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connections

from payment import ledger
from payment.catalogue import seed_gifts
from payment.models import Currency, Gift
from payment.packages import seed_packages


def give_gold(user_id: int, amount: int, key: str = "start") -> None:
    purse, till = ledger.gold(user_id), ledger.house("grants", Currency.GOLD)
    legs = [ledger.Leg(purse, amount), ledger.Leg(till, -amount)]
    ledger.post(key=f"grant:{user_id}:{key}", reason="grant", legs=legs)


@pytest.fixture
def person(db: None) -> Callable[..., int]:
    """Makes a person and answers their id: `person(gold=50)`."""

    def make(gold: int = 0) -> int:
        user = get_user_model()._default_manager.create()
        if gold:
            give_gold(user.pk, gold)
        return user.pk

    return make


@pytest.fixture
def lollipop(db: None) -> Gift:
    """Costs one gold."""
    seed_gifts()
    return Gift.objects.get(pk=102)


@pytest.fixture
def packages(db: None) -> None:
    seed_packages()


@pytest.fixture
def dies(settings: Any, tmp_path: Path) -> Callable[[str, Callable[[], object]], None]:
    """Does a deed in a process of its own that dies at the label."""
    settings.VAR_DIR = tmp_path
    settings.CRASH_POINTS = tmp_path / "crash"
    settings.CRASH_POINTS.mkdir()

    def run(label: str, deed: Callable[[], object]) -> None:
        (settings.CRASH_POINTS / label).touch()
        connections.close_all()
        child = os.fork()
        if not child:
            try:
                deed()
            finally:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), f"it never came to {label}"
        assert os.WTERMSIG(status) == signal.SIGKILL

    return run
