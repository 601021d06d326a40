from celery import shared_task
from django.conf import settings

from heihei_site.providers import registry


@shared_task(name="users.tasks.send_sms_code", autoretry_for=(OSError,), retry_backoff=True, max_retries=3)
def send_sms_code(phone: str, code: str) -> None:
    """Run twice, the person gets the same code twice."""
    registry.sms().send_code(phone, code)


@shared_task(name="users.tasks.forget_repeats")
def forget_repeats() -> int:
    from users.services import repeats

    return repeats.forget(settings.REPEAT_LIMIT * 6)
