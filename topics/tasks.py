import structlog
from celery import shared_task

from topics.services import authors, folding, recounting

log = structlog.get_logger(__name__)


@shared_task(name="topics.tasks.fold")
def fold() -> int:
    """Run twice, or never, counts are right; without it reading them takes longer and nothing gets warmer."""
    return folding.fold()


@shared_task(name="topics.tasks.tell_authors")
def tell_authors() -> int:
    """What was noted is told once, whenever this runs."""
    return authors.tell_waiting()


@shared_task(name="topics.tasks.recount")
def recount() -> int:
    """Sets right what should never be wrong, and says so."""
    wrong = recounting.recount()
    if wrong:
        log.error("topics_recounted", many=wrong)
    return wrong
