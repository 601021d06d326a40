"""Lives: `live/*`, and what is written in their rooms."""

from datetime import timedelta
from typing import Any

from django.db.models.functions import Now

from live.models import Guest, Live, MicLink, ReplayViewer
from payment.models import Gift, GiftResource
from payment.services import purchases
from tests import factories
from tests.scenarios.registry import Params, scenario
from users.models import Follow, User
from users.services import words


def in_a_room() -> tuple[User, Live]:
    """Where the viewer has given before: their purses and the house's exist. The process knows the blocked words."""
    words.blocked_in("")
    live, viewer = factories.live(), factories.person(gold=100)
    factories.inside(live, viewer)
    for reason in ("gift", "bullet"):
        who = {"user_id": viewer.pk, "receiver_id": live.owner_id}
        purchases.pay_for(**who, gold=1, reason=reason, key=f"earlier {reason}:{viewer.pk}")
    return viewer, live


@scenario("live/create-live")
def create_live() -> tuple[User | None, Params]:
    """By a process that knows the blocked words."""
    words.blocked_in("")
    return factories.person(), {"title": "x"}


@scenario("live/unclosed-live")
def unclosed_live() -> tuple[User | None, Params]:
    return factories.live().owner, {}


@scenario("live/start-live")
def start_live() -> tuple[User | None, Params]:
    live = factories.live(status=Live.Status.TO_START)
    return live.owner, {"liveId": live.pk}


@scenario("live/join-live")
def join_live() -> tuple[User | None, Params]:
    return factories.person(), {"liveId": factories.live().pk}


for path, params in {
    "live/get-live": {},
    "live/heart-beat": {"isCreator": 0},
    "live/list-live-users": {},
    "live/quit-live": {},
    "live/live-like": {"type": 1},
    "live/buy-gift": {"giftId": 101, "gift_uuid": "u", "amount": 1},
    "live/buy-bullet": {"message": "x"},
    "live/share-live": {},
    "msg/send-msg": {"text": "x"},
}.items():

    @scenario(path)
    def by_a_viewer(params: Params = params) -> tuple[User | None, Params]:
        viewer, live = in_a_room()
        return viewer, {"liveId": live.pk, "roomId": live.pk} | params


for path in ("live/stop-live", "live/change-live", "live/pause-live", "live/continue-live"):

    @scenario(path)
    def by_the_owner() -> tuple[User | None, Params]:
        _, live = in_a_room()
        return live.owner, {"liveId": live.pk, "title": "x"}


for path, params in {
    "live/shutupuser": {},
    "live/isshutup": {},
    "live/livemgr": {"type": 1},
    "live/getmgruser": {},
    "live/getuser": {},
}.items():

    @scenario(path)
    def by_the_owner_about_a_viewer(params: Params = params) -> tuple[User | None, Params]:
        viewer, live = in_a_room()
        return live.owner, {"liveId": live.pk, "userId": viewer.pk} | params


@scenario("live/shutupopen")
def shutup_open() -> tuple[User | None, Params]:
    viewer, live = in_a_room()
    Guest.objects.create(live=live, user=viewer, muted_at=Now())
    return live.owner, {"liveId": live.pk, "userId": viewer.pk}


@scenario("live/systemnotify")
def systemnotify() -> tuple[User | None, Params]:
    return factories.person(is_staff=True), {"liveId": factories.live().pk, "text": "x"}


def at_the_microphone(state: MicLink.State, **fields: Any) -> tuple[User, Live]:
    """A viewer in a room, with something under way between them and its owner."""
    viewer, live = in_a_room()
    fields = {"deadline": Now() + timedelta(minutes=1)} | fields
    MicLink.objects.create(live=live, user=viewer, state=state, **fields)
    return viewer, live


def full_team() -> tuple[User, Live]:
    """A room without a free seat, and somebody outside who knocked some time ago."""
    guest, live = factories.person(), factories.live(seats=3, locked=1)
    factories.inside(live, factories.person())
    Guest.objects.create(live=live, user=guest, knocked_at=Now() - timedelta(hours=1))
    return guest, live


for path in ("live/knock-status", "live/knock-live-room"):

    @scenario(path)
    def by_somebody_outside() -> tuple[User | None, Params]:
        guest, live = full_team()
        return guest, {"liveId": live.pk}


for path, params in {"live/lock-live-seat": {"unlock": 1}, "live/invite-user": {}, "live/invite-user-list": {}}.items():

    @scenario(path)
    def by_the_owner_of_a_team(params: Params = params) -> tuple[User | None, Params]:
        guest, live = full_team()
        return live.owner, {"liveId": live.pk, "userId": guest.pk} | params


@scenario("live/kick-out-user")
def kick_out_user() -> tuple[User | None, Params]:
    viewer, live = in_a_room()
    return live.owner, {"liveId": live.pk, "userId": viewer.pk}


@scenario("live/call-request")
def call_request() -> tuple[User | None, Params]:
    viewer, live = in_a_room()
    return viewer, {"liveId": live.pk}


for path in ("live/accept-conference", "live/refuse-conference"):

    @scenario(path)
    def answering() -> tuple[User | None, Params]:
        """The owner, a viewer's request."""
        viewer, live = at_the_microphone(MicLink.State.REQUESTED)
        return live.owner, {"liveId": live.pk, "userId": viewer.pk}


@scenario("live/join-conference")
def join_conference() -> tuple[User | None, Params]:
    """The second of the two."""
    viewer, live = at_the_microphone(MicLink.State.JOINING, owner_joined=True)
    return viewer, {"liveId": live.pk}


@scenario("live/conference-success")
def conference_success() -> tuple[User | None, Params]:
    """The second of the two."""
    done = {"owner_joined": True, "user_joined": True, "owner_succeeded": True}
    viewer, live = at_the_microphone(MicLink.State.WAITING, **done)
    return viewer, {"liveId": live.pk}


@scenario("live/quit-conference")
def quit_conference() -> tuple[User | None, Params]:
    viewer, live = at_the_microphone(MicLink.State.CONNECTED, deadline=None, owner_joined=True, user_joined=True)
    return viewer, {"liveId": live.pk}


@scenario("live/list-live-by-recommend")
def list_live_by_recommend() -> tuple[User | None, Params]:
    factories.live()
    return factories.person(), {}


@scenario("live/list-live-by-follow")
def list_live_by_follow() -> tuple[User | None, Params]:
    return recommended(1)


for path, params in {"live/set-live-visible": {"visible": 0}, "live/delete-live": {}}.items():

    @scenario(path)
    def of_a_live_that_is_over(params: Params = params) -> tuple[User | None, Params]:
        replays(1)
        live = Live.objects.select_related("owner").get()
        return live.owner, {"liveId": live.pk} | params


@scenario("live/list-live-by-user")
def list_live_by_user() -> tuple[User | None, Params]:
    return factories.person(), {"userId": factories.live().owner_id}


@scenario("live/list-replay-users")
def list_replay_users() -> tuple[User | None, Params]:
    return seen(1)


def seen(count: int) -> tuple[User, Params]:
    replays(1)
    live = Live.objects.get()
    for _ in range(count):
        ReplayViewer.objects.create(live=live, user=factories.person())
    return factories.person(), {"liveId": live.pk}


def lives_on_air(count: int) -> list[Live]:
    return [factories.live() for _ in range(count)]


def replays(count: int, owner: User | None = None) -> None:
    for _ in range(count):
        factories.live(owner, status=Live.Status.STOPPED, lookback_addr="x", started_at=Now(), ended_at=Now())


def audience(count: int) -> tuple[User, Params]:
    viewer, live = in_a_room()
    factories.inside(live, *(factories.person() for _ in range(count - 2)))
    return viewer, {"liveId": live.pk}


def knocked(count: int) -> tuple[User, Params]:
    live = factories.live()
    for _ in range(count):
        Guest.objects.create(live=live, user=factories.person(), knocked_at=Now())
        Follow.objects.create(follower=factories.person(), followee=live.owner)
    return live.owner, {"liveId": live.pk}


def managed(count: int) -> tuple[User, Params]:
    """A live has five managers at most; the numbers are those of the other lists."""
    live = factories.live()
    for _ in range(count):
        Guest.objects.create(live=live, user=factories.person(), manager_since=Now())
    return live.owner, {"liveId": live.pk}


def recommended(count: int) -> tuple[User, Params]:
    viewer = factories.person()
    for live in lives_on_air(count):
        Follow.objects.create(follower=viewer, followee=live.owner)
    replays(count)
    return viewer, {}


def recorded(count: int) -> tuple[User, Params]:
    viewer = factories.person()
    for owner in (factories.person() for _ in range(count)):
        Follow.objects.create(follower=viewer, followee=owner)
        replays(1, owner)
    return viewer, {}


def of_a_person(count: int) -> tuple[User, Params]:
    owner = factories.person()
    replays(count, owner)
    return factories.person(), {"userId": owner.pk, "limit": 50}


def catalogue(count: int) -> tuple[User, Params]:
    GiftResource.objects.all().delete()
    for gift in Gift.objects.order_by("pk")[count:]:
        gift.delete()
    for gift in Gift.objects.all():
        GiftResource.objects.create(gift=gift, attr_file="x", file_md5=f"{gift.pk:032}")
    return factories.person(), {}
