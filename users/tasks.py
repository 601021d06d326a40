from typing import Any

import structlog
from celery import shared_task
from django.conf import settings
from django.utils import timezone

from heihei_site.providers import registry
from heihei_site.providers.sms.base import NeverSent, NotSent

SMS_RETRIES = 3
SMS_EXPIRES = settings.SMS_CODE_LIFETIME.total_seconds()

log = structlog.get_logger(__name__)


@shared_task(name="users.tasks.send_sms_code", bind=True, max_retries=SMS_RETRIES, expires=SMS_EXPIRES)
def send_sms_code(task: Any, phone: str, code: str) -> None:
    """Tries again 1, 2 and 4 seconds later, then gives up: the person asks for another. Run twice, they get the same
    code twice. What goes wrong is logged without number and code."""
    try:
        registry.sms().send_code(phone, code)
    except (NotSent, OSError) as error:
        tries = task.request.retries
        final = isinstance(error, NeverSent) or tries >= SMS_RETRIES
        reason = str(error) if isinstance(error, NotSent) else type(error).__name__
        (log.error if final else log.warning)("sms_not_sent", reason=reason, tries=tries + 1, final=final)
        if not final:
            raise task.retry(countdown=2**tries, exc=NotSent(reason)) from None


@shared_task(name="users.tasks.forget_repeats")
def forget_repeats() -> int:
    from heihei_site.api import repeats

    return repeats.forget(settings.REPEAT_LIMIT * 6)


@shared_task(name="users.tasks.recount_relations")
def recount_relations() -> int:
    """Sets right what should never be wrong, and says so."""
    from users.services import kinds, relations

    if people := relations.recount():
        log.error("relations_recounted", people=people[:100], many=len(people))
    if kinds.recount():
        log.error("kinds_recounted")
    return len(people)


@shared_task(name="users.tasks.fold_kinds")
def fold_kinds() -> None:
    from users.services import kinds

    kinds.fold()


@shared_task(name="users.tasks.forget_sessions")
def forget_sessions() -> int:
    from users import auth
    from users.services import bans

    bans.forget_tokens()
    return auth.forget_expired_sessions()


@shared_task(name="users.tasks.end_bans")
def end_bans() -> int:
    from users.services import bans

    return bans.end_over()


@shared_task(name="users.tasks.forget_codes")
def forget_codes() -> int:
    from users.services import sms_codes

    return sms_codes.forget(timezone.now())


@shared_task(name="users.tasks.erase_accounts")
def erase_accounts() -> int:
    """Whoever left and did not come back in time."""
    from users.services import deletion

    return deletion.erase_due(timezone.now())


@shared_task(name="users.tasks.export_data")
def export_data() -> int:
    """Writes the copies people asked for, and deletes those whose time is over."""
    from users.services import export

    export.forget_expired(timezone.now())
    return export.write_waiting()
