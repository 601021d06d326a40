"""What this app keeps about a person."""

from django.db.models import Q

from chat.models import Chat
from users.erasure import Holding, Sections


def _calls(user_id: int) -> Q:
    return Q(caller=user_id) | Q(callee=user_id)


def erase(user_id: int) -> None:
    """Forgets with whom and when they talked, for the other ones, too. Whom a vendor did not throw out of a call in all
    the days since is not thrown out any more."""
    Chat.objects.filter(_calls(user_id), state=Chat.State.ENDED).delete()


def own_data(user_id: int) -> Sections:
    calls = Chat.objects.filter(_calls(user_id)).order_by("created_at")
    return {
        "calls": calls.values(
            "id", "caller_id", "callee_id", "kind", "outcome", "created_at", "answered_at", "started_at", "ended_at",
        ).iterator(),
    }  # fmt: skip


holding = Holding("chat", erase=erase, export=own_data)
