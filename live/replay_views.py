"""`live/*`: what is left of a live."""

from heihei_site.api.callers import Caller
from heihei_site.api.endpoints import Endpoints
from heihei_site.api.paging import MOST, Page
from heihei_site.api.params import Limit, Offset
from live import params, selectors
from users.serializers import Found, cards

api = Endpoints("live")


@api.get()
def list_replay_users(caller: Caller, *, live: params.LiveParam, offset: Offset = 0, limit: Limit = MOST) -> Found:
    """Who opened the replay of a live (get-live, once there is a recording), the latest first; not its owner.

    Nobody who left, and nobody with whom there is a block. At most 50; nobody where there is no replay.
    """
    people = selectors.replay_viewers(live, caller.person.pk, Page.of(offset, limit))
    return {"users": cards(people, caller.person)}
