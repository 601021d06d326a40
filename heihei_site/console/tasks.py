from celery import shared_task
from django.utils import timezone

from heihei_site.console import counting


@shared_task(name="heihei_site.console.tasks.count_figures")
def count_figures() -> int:
    return counting.count(timezone.now())


@shared_task(name="heihei_site.console.tasks.count_days")
def count_days() -> None:
    counting.count_days(timezone.now())


@shared_task(name="heihei_site.console.tasks.forget_figures")
def forget_figures() -> int:
    return counting.forget(timezone.now())
