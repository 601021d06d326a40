from celery import shared_task

from chat.services import audio, deadlines, matching


@shared_task(name="chat.tasks.sweep")
def sweep() -> dict[str, int]:
    """Ends what is overdue. Run twice or never, nothing is wrong for longer than until the next reader or sweep."""
    return {
        "unanswered": deadlines.end_unanswered(),
        "abandoned": deadlines.end_abandoned(),
        "silent": deadlines.note_silent(),
    }


@shared_task(name="chat.tasks.revoke_chat")
def revoke_chat(chat_id: int) -> None:
    """As soon as it is over. What fails is tried again by the next one."""
    audio.ROOMS.revoke(chat_id)


@shared_task(name="chat.tasks.revoke_chats")
def revoke_chats() -> int:
    return audio.ROOMS.revoke_waiting()


@shared_task(name="chat.tasks.match")
def match() -> dict[str, int]:
    """Who looks for somebody finds them without this; it only makes good for what came at the wrong moment."""
    return matching.sweep()
