"""Reads about calls."""

from django.db.models import QuerySet

from chat.models import Chat, Side
from heihei_site.postgres.compiled import Compiled, Given
from users.activity import IN_CALL, Activity


@Compiled
def _running(people: Given) -> QuerySet[Side]:
    return Side.objects.filter(user_id__any_of=people, busy=True, chat__state=Chat.State.RUNNING)


def in_call(people: list[int]) -> dict[int, Activity]:
    """For `users.activity`: who of them is in a call. With whom is nobody's business."""
    return {side.user_id: Activity(IN_CALL) for side in _running(people)}


def rooms_of(user_id: int) -> list[int]:
    """The calls whose messages a person's socket gets: asked at every (re)connect."""
    return [side.chat_id for side in _running([user_id])]


def is_in(chat_id: int, user_id: int) -> bool:
    """Whether they are in this call and it runs, as far as anybody has noticed."""
    return chat_id in rooms_of(user_id)


def partner_of(chat_id: int, user_id: int) -> int | None:
    """Whom they talk with in this call; None if they do not."""
    for chat in Chat.objects.filter(pk=chat_id, state=Chat.State.RUNNING):
        if user_id in chat.people:
            return chat.other(user_id)
    return None


def own_call(chat_id: int, user_id: int) -> Chat | None:
    """Any call that was ever theirs, with its topic."""
    chat = Chat.objects.with_overdue().select_related("topic").filter(pk=chat_id).first()
    return chat if chat is not None and user_id in chat.people else None
