from celery import shared_task

from live.services import rooms


@shared_task(name="live.tasks.sweep")
def sweep() -> dict[str, int]:
    """Ends what is overdue. Run twice or never, nothing is wrong for longer than until the next reader or sweep."""
    return {"lives": rooms.end_overdue(), "viewers": rooms.count_out_silent()}
