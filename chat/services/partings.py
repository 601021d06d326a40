"""People who cannot go on talking: banned, gone, blocked, or on air now. What they are in is over for both."""

from collections.abc import Iterable

from django.db.models import Q

from chat.models import Chat
from chat.services.calls import closing_what_is_over, give_up, hold
from heihei_site.realtime.publish import telling
from users.models import User


def clear_out(sender: object, *, user: User, **_: object) -> None:
    """Listens to `users.signals.banned` and `left`: they are in no call, and nobody calls them back."""
    _end(_open_calls(Q(caller=user) | Q(callee=user)), user)


def part(sender: object, *, user: User, target: User, **_: object) -> None:
    """Listens to `users.signals.blocked`: the two neither talk nor ring each other (D18)."""
    _end(_open_calls(Q(caller=user, callee=target) | Q(caller=target, callee=user)), user)


def go_on_air(sender: object, *, user: User, **_: object) -> None:
    """Listens to `users.signals.went_on_air`: who broadcasts hangs up and refuses (D32)."""
    _end(Chat.objects.filter(sides__user=user, sides__busy=True).order_by("pk").values_list("pk", flat=True), user)


def _open_calls(which: Q) -> Iterable[int]:
    return Chat.objects.exclude(state=Chat.State.ENDED).filter(which).order_by("pk").values_list("pk", flat=True)


def _end(chat_ids: Iterable[int], user: User) -> None:
    for chat_id in list(chat_ids):
        _give_up(chat_id, user)


@closing_what_is_over
@telling()
def _give_up(chat_id: int, user: User) -> None:
    if chat := hold(chat_id):
        give_up(chat, user)
