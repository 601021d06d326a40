import time

from celery import shared_task
from django.core.cache import cache

from heihei_site.system import client_logs

CANARY = "canary"
CANARY_LIFETIME = 60  # seconds


@shared_task(name="heihei_site.system.tasks.canary")
def canary() -> None:
    """Beat sends it, the broker carries it, a worker runs it: its last time says that all three live."""
    cache.set(CANARY, time.time(), CANARY_LIFETIME)


@shared_task(name="heihei_site.system.tasks.forget_client_logs")
def forget_client_logs() -> int:
    return client_logs.forget_old()
