"""`chat/*match-chat`: somebody to talk to, whoever it is (D34)."""

from typing import TypedDict

from django.conf import settings

from chat.services import matching, tips
from heihei_site.api.callers import Caller
from heihei_site.api.endpoints import Endpoints
from heihei_site.api.envelope import Nothing
from heihei_site.api.throttles import Limit

api = Endpoints("chat")


class Looking(TypedDict):
    """Never without `tips`, which may be empty."""

    expire_time: int
    tips: list[str]


@api.post(limits=[Limit(settings.MATCH_CALLS)])
def match_chat(caller: Caller) -> Looking:
    """Looks for somebody to talk to: wait `expireTime` seconds for `join-chat`, which may come before this answer, then
    call stop-match-chat.

    The opposite gender first, then anyone; who has waited longest first; nobody who blocks or is blocked, is on air or
    in a call, or was given to the same person within ten minutes. `tips` are lines to read meanwhile. Sent again it is
    the same search.
    """
    matching.seek(caller.person)
    return {"expire_time": matching.seconds(), "tips": tips.some()}


@api.post()
def stop_match_chat(caller: Caller) -> Nothing:
    """Looks no more. Who has been given somebody a moment ago and has not called join-chat yet hangs up. Again, and for
    who is not looking: 0 (D24)."""
    matching.stop(caller.person)
    return {}
