from celery import shared_task
from django.conf import settings

from heihei_site.providers.streaming import recordings
from live.services import archives, deadlines, feeds, media, mic_rooms


@shared_task(name="live.tasks.sweep")
def sweep() -> dict[str, int]:
    """Ends what is overdue. Run twice or never, nothing is wrong for longer than until the next reader or sweep."""
    return {
        "lives": deadlines.end_overdue(),
        "viewers": deadlines.count_out_silent(),
        "mic_links": deadlines.end_overdue_mic_links(),
    }


@shared_task(name="live.tasks.rank")
def rank() -> dict[str, int]:
    """Brings the lists of lives up to date. Without it they stay as they were; new lives come in all the same."""
    return {"scores": feeds.rank(), "recommendations": feeds.end_recommendations()}


@shared_task(name="live.tasks.revoke_mic_link")
def revoke_mic_link(link_id: int) -> None:
    """As soon as it is over. What fails is tried again by the next one."""
    mic_rooms.ROOMS.revoke(link_id)


@shared_task(name="live.tasks.revoke_mic_links")
def revoke_mic_links() -> int:
    return mic_rooms.ROOMS.revoke_waiting()


@shared_task(name="live.tasks.settle_media")
def settle_media() -> int:
    """Every live that ended gets a job of its own: making a replay takes its time."""
    waiting = media.due()
    for live_id in waiting:
        settle_media_of.delay(live_id)
    return len(waiting)


@shared_task(name="live.tasks.settle_media_of")
def settle_media_of(live_id: int) -> None:
    media.settle(live_id)


@shared_task(name="live.tasks.write_archives")
def write_archives() -> int:
    """What was said in every live that ended, as its replay shows it."""
    waiting = archives.due()
    for live_id in waiting:
        write_archive_of.delay(live_id)
    return len(waiting)


@shared_task(name="live.tasks.write_archive_of")
def write_archive_of(live_id: int) -> None:
    archives.settle(live_id)


@shared_task(name="live.tasks.forget_recordings")
def forget_recordings() -> int:
    return recordings.forget_old(settings.RECORDINGS_KEPT)
