"""`live/*`: the lists lives are found in, and what their owners put in there or take out."""

from collections.abc import Iterable

from heihei_site.api.callers import Caller
from heihei_site.api.endpoints import Endpoints
from heihei_site.api.errors import NotPermitted, UserUnknown
from heihei_site.api.paging import Page
from heihei_site.api.params import Flag, Limit, Offset
from live import lists, params, serializers
from live.models import Live
from live.services import owners
from users.params import Person
from users.selectors import relation

api = Endpoints("live")

LISTS_EXPIRE = 60  # seconds a phone may keep a list
LIVES_OF_USER_EXPIRE = 120
MOST_LIVES = 50
MOST_OF_USER = 20


@api.get()
def list_live_by_recommend(caller: Caller, *, offset: Offset = 0, limit: Limit = MOST_LIVES) -> serializers.Feed:
    """What is on air in `lives`, and replays, the newest first. Nobody's who blocks the caller or is blocked.

    On air: first what operators recommend (`isrecomm` 1), in their order; then whom the caller follows; then the
    others. Among these more listeners and more gifts of the last minutes come first, lives of the first ten minutes
    have a start, and of what is alike the newest is first. `offset` and `limit` page through both lists, each of which
    ends after a thousand. A live that moves up meanwhile may be seen on two pages: go by `liveId`.
    """
    return _feed(caller, lists.recommended(caller.person.pk, Page.of(offset, limit, most=MOST_LIVES)))


@api.get()
def list_live_by_follow(caller: Caller, *, offset: Offset = 0, limit: Limit = MOST_LIVES) -> serializers.Feed:
    """The lives of those whom the caller follows: on air in `lives`, those with more listeners and gifts first;
    replays, the newest first, under `lookbacks` and `liveskback` alike."""
    return _feed(caller, lists.followed(caller.person.pk, Page.of(offset, limit, most=MOST_LIVES)))


def _feed(caller: Caller, lives: lists.Lives) -> serializers.Feed:
    return {
        "lives": _cards(caller, lives.on_air),
        "replays": _cards(caller, lives.replays),
        "expire_time": LISTS_EXPIRE,
    }


@api.get()
def list_live_by_user(
    caller: Caller, *, user: Person | None = None, offset: Offset = 0, limit: Limit = 10
) -> serializers.LivesOfUser:
    """A person's lives, the newest first: the one on air, and those with a recording.

    Without `userId` the caller's own, hidden ones (`visible` 0) included. 710 where either blocks the other.
    """
    me = caller.person
    person = user or me
    stands = relation(me.pk, person.pk)
    if stands.blocked:
        raise UserUnknown
    page = Page.of(offset, limit, most=MOST_OF_USER)
    found = lists.of_person(person, me.pk, page)
    lives = found[: page.stop - page.start]
    for live in lives:
        live.is_followed = stands.follows
    return {
        "lives": _cards(caller, lives),
        "total_count": page.total(len(found), person.live_count),
        "is_followed": stands.follows,
        "expire_time": LIVES_OF_USER_EXPIRE,
    }


def _cards(caller: Caller, lives: Iterable[Live]) -> list[serializers.LiveCard]:
    cards = []
    for live in lives:
        card = serializers.live_card(live, base_url=caller.base_url)
        card["is_followed"], card["recommended"] = live.is_followed, int(live.is_recommended)
        cards.append(card)
    return cards


@api.post(raises=[NotPermitted])
def set_live_visible(caller: Caller, *, live: params.LiveParam, visible: Flag) -> serializers.LiveAnswer:
    """The owner hides a live (0) or shows it again (1), whether it is on air or over.

    A hidden one is in nobody's lists but its owner's, and nobody is led there from a person's card; who is inside
    stays, and who has the liveId may come. 711 for others.
    """
    changed = owners.set_visible(owner=caller.person, live=live, visible=visible)
    return {"live": serializers.live_card(changed, base_url=caller.base_url)}


@api.post(raises=[NotPermitted])
def delete_live(caller: Caller, *, live: params.AnyLiveParam) -> serializers.LiveAnswer:
    """The owner deletes a live: nobody finds it again, and it does not count as one of theirs any more.

    One that is still running ends first, as by stop-live. The second time it already is deleted. 711 for others, 731
    for what operators have banned.
    """
    deleted = owners.delete(owner=caller.person, live=live)
    return {"live": serializers.live_card(deleted, base_url=caller.base_url)}
