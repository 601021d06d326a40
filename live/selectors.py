"""Reads that join lives with people."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil

from django.conf import settings
from django.db.models import BooleanField, DateTimeField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from heihei_site.api.paging import Page
from heihei_site.postgres.compiled import Compiled, Given
from heihei_site.realtime.presence import present
from live.models import Guest, Live, Member, MicLink, ReplayViewer
from users.activity import BROADCASTING, Activity, Button, Place, Scene
from users.models import Follow, User
from users.selectors import here, not_blocked

APP_LINK = "wmlives_heihei://{}?id={}"  # the one scheme that every generation of phones knows
LIVE_LINK = "wmlives_heihei://live?id={}"


def rooms_of(user_id: int) -> list[int]:
    """The rooms whose messages a person's socket gets: asked at every (re)connect."""
    return list(Member.objects.inside().filter(user_id=user_id).values_list("live_id", flat=True))


@Compiled
def _of_owners(people: Given) -> QuerySet[Live]:
    return Live.objects.on_air().filter(owner_id__any_of=people)


def broadcasting(people: list[int]) -> dict[int, Activity]:
    """For `users.activity`: who of them is on air."""
    return {
        live.owner_id: Activity(BROADCASTING, LIVE_LINK.format(live.pk) if live.visible else "", live.pk)
        for live in _of_owners(people)
    }


@Compiled
def _places(user_id: Given) -> QuerySet[Member]:
    inside = Member.objects.inside().filter(user_id=user_id, live__status=Live.Status.PLAYING)
    return inside.filter(live__owner_deadline__gt=Now()).select_related("live").order_by("-joined_at", "-pk")


def place_of(user_id: int) -> Place | None:
    """For `users.activity`: the live on air that they are in, their own before another's."""
    lives = sorted((member.live for member in _places(user_id)), key=lambda live: live.owner_id != user_id)
    return Place(lives[0].pk, hidden=not lives[0].visible, second=_second_of(lives[0])) if lives else None


def _second_of(live: Live) -> int:
    """As its replay counts them (`services/media.py`)."""
    return max(int((timezone.now() - live.created_at).total_seconds()), 0)


def scene_of(live_id: int) -> Scene | None:
    """For `users.activity`: also of lives that are over, banned or deleted."""
    live = Live.objects.filter(pk=live_id).first()
    if live is None:
        return None
    page = reverse("admin:live_live_change", args=[live.pk])
    return Scene(live.title, live.get_status_display(), page, live.lookback_addr)


@Compiled
def _memberships(live_id: Given, user_id: Given) -> QuerySet[Member]:
    return Member.objects.inside().filter(live_id=live_id, user_id=user_id)


def is_inside(live: Live, user_id: int) -> bool:
    return bool(_memberships(live.pk, user_id))


@Compiled
def _guests(live_id: Given, user_id: Given) -> QuerySet[Guest]:
    return Guest.objects.filter(live_id=live_id, user_id=user_id)


def guest(live_id: int, user_id: int) -> Guest | None:
    """What was said about them in this live, if anything."""
    return next(iter(_guests(live_id, user_id)), None)


def is_muted(live_id: int, user_id: int) -> bool:
    said = guest(live_id, user_id)
    return said is not None and said.muted_at is not None


def is_manager(live_id: int, user_id: int) -> bool:
    said = guest(live_id, user_id)
    return said is not None and said.manager_since is not None


def may_moderate(live: Live, user: User) -> bool:
    """The owner, operators, and this live's managers while they are inside: none who was kicked out or blocked."""
    if user.pk == live.owner_id or user.is_staff:
        return True
    return is_manager(live.pk, user.pk) and is_inside(live, user.pk)


@Compiled
def _managers(live_id: Given) -> QuerySet[Guest]:
    appointed = Guest.objects.filter(live_id=live_id, manager_since__isnull=False)
    here = appointed.filter(user__is_active=True, user__deletion_due_at=None)
    return here.select_related("user").order_by("manager_since", "pk")


def managers(live_id: int) -> list[User]:
    """Who was appointed first comes first."""
    return [guest.user for guest in _managers(live_id)]


@Compiled
def _speakers(live_id: Given, user_id: Given) -> QuerySet[Member]:
    muted = Guest.objects.filter(live_id=OuterRef("live_id"), user_id=OuterRef("user_id"), muted_at__isnull=False)
    inside = Member.objects.inside().filter(live_id=live_id, user_id=user_id)
    on_air = inside.filter(live__status=Live.Status.PLAYING, live__owner_deadline__gt=Now())
    return on_air.select_related("live").annotate(muted=Exists(muted))  # type: ignore[no-redef]  # the model says so


def speaker(live_id: int, user_id: int) -> Member | None:
    """Somebody's place in a live that is on air, with `live` and `muted`; None for who is not inside."""
    return next(iter(_speakers(live_id, user_id)), None)


@Compiled
def _place(member_id: Given) -> QuerySet[Member]:
    return Member.objects.inside().filter(pk=member_id).select_for_update(no_key=True)


def hold_place(member: Member) -> bool:
    """Holds the row until the transaction ends, if they are still inside: nobody mutes or kicks them out meanwhile."""
    return bool(_place(member.pk))


def seats_taken(live: Live) -> int:
    """How many are inside, without those who fell silent where the room would look full with them (D23)."""
    if live.free_seats > 0 or not live.is_open:
        return live.occupied
    return live.occupied - Member.objects.lapsed().filter(live=live).exclude(user_id=live.owner_id).count()


@Compiled
def _knockers(live_id: Given, owner_id: Given) -> QuerySet[Guest]:
    came = Member.objects.filter(
        Q(left_at=None, lease_until__gt=Now()) | Q(joined_at__gt=OuterRef("knocked_at")),
        live_id=OuterRef("live_id"),
        user_id=OuterRef("user_id"),
    )
    knocked = Guest.objects.filter(live_id=live_id, knocked_at__isnull=False, kicked_at=None)
    unanswered = knocked.filter(Q(invited_at=None) | Q(invited_at__lt=F("knocked_at")))
    waiting = unanswered.filter(~Exists(came), here("user__"), not_blocked(owner_id, "user"))
    return waiting.select_related("user").order_by("-knocked_at", "-pk")


@Compiled
def _followers_outside(live_id: Given, owner_id: Given) -> QuerySet[Follow]:
    inside = Member.objects.inside().filter(live_id=live_id, user_id=OuterRef("follower_id"))
    kicked = Guest.objects.filter(live_id=live_id, user_id=OuterRef("follower_id"), kicked_at__isnull=False)
    following = Follow.objects.filter(here("follower__"), not_blocked(owner_id, "follower"), followee_id=owner_id)
    return following.filter(~Exists(inside), ~Exists(kicked)).order_by("-created_at", "-pk")


def invitable(live: Live, page: Page) -> tuple[list[User], set[int]]:
    """Whom the owner may want to invite: who knocked, the latest first, then the newest of those followers who are
    connected. And which of them knocked."""
    knocked = {said.user_id: said.user for said in _knockers(live.pk, live.owner_id, stop=settings.INVITE_LIST)}
    follows = _followers_outside(live.pk, live.owner_id, stop=settings.INVITE_LIST_FOLLOWERS)
    followers = [follow.follower_id for follow in follows if follow.follower_id not in knocked]
    connected = present(followers)
    listed = [*knocked, *(follower for follower in followers if follower in connected)]
    shown = listed[: settings.INVITE_LIST][page.start : page.stop]
    others = User.objects.in_bulk([user_id for user_id in shown if user_id not in knocked])
    people = knocked | others
    return [people[user_id] for user_id in shown if user_id in people], set(knocked)


@Compiled
def _replay_viewers(live_id: Given, viewer_id: Given) -> QuerySet[ReplayViewer]:
    seen = ReplayViewer.objects.filter(here("user__"), not_blocked(viewer_id, "user"), live_id=live_id)
    return seen.select_related("user").order_by("-seen_at", "-pk")


def replay_viewers(live: Live, viewer_id: int, page: Page) -> list[User]:
    """Who opened its replay, the latest first, as far as the viewer may meet them."""
    if live.status != Live.Status.STOPPED:
        return []
    return [seen.user for seen in _replay_viewers(live.pk, viewer_id, start=page.start, stop=page.stop)]


def _with_mic_links(members: QuerySet[Member]) -> QuerySet[Member]:
    """Each row with `mic_state` and `mic_left` of what is under way between that person and the owner."""
    current = MicLink.objects.current().exclude(deadline__lte=Now())
    theirs = current.filter(live_id=OuterRef("live_id"), user_id=OuterRef("user_id"))
    until = Subquery(theirs.values("deadline"), output_field=DateTimeField())
    return members.annotate(mic_state=Subquery(theirs.values("state")), mic_left=until - Now())  # type: ignore[no-redef]


@Compiled
def _audience(live_id: Given) -> QuerySet[Member]:
    inside = _with_mic_links(Member.objects.inside().filter(live_id=live_id))
    return inside.select_related("user").order_by("-joined_at", "-pk")


@Compiled
def _audience_before(live_id: Given, moment: Given) -> QuerySet[Member]:
    came_earlier = _with_mic_links(Member.objects.inside().filter(live_id=live_id, joined_at__lt=moment))
    return came_earlier.select_related("user").order_by("-joined_at", "-pk")


@Compiled
def _rest_of_a_second(live_id: Given, second: Given, joined_at: Given, pk: Given) -> QuerySet[Member]:
    """Who came in that second, before the given row of `audience`."""
    same = Member.objects.inside().filter(live_id=live_id, joined_at__gte=second, joined_at__lte=joined_at)
    earlier = _with_mic_links(same.filter(Q(joined_at__lt=joined_at) | Q(pk__lt=pk)))
    return earlier.select_related("user").order_by("-joined_at", "-pk")


@Compiled
def _at_the_microphone(live_id: Given) -> QuerySet[Member]:
    asked = MicLink.objects.current().exclude(deadline__lte=Now()).filter(live_id=live_id).values("user_id")
    inside = _with_mic_links(Member.objects.inside().filter(live_id=live_id, user_id__in=asked))
    return inside.select_related("user").order_by("-joined_at", "-pk")


def audience(live: Live, *, before: datetime | None = None, microphone_first: bool = False) -> Sequence[Member]:
    """Who is inside, newest first, `ROOM_LIST_PAGE` at a time; `before` asks for those who came earlier.

    `joinTime` is whole seconds, so a page takes in everybody of its last second: the next page misses nobody. With
    `microphone_first` the first page begins with who is at the microphone, asks for it or is asked, wherever they are.
    """
    size = settings.ROOM_LIST_PAGE
    page = _audience(live.pk, stop=size) if before is None else _audience_before(live.pk, before, stop=size)
    if len(page) == size:
        last = page[-1]
        page += _rest_of_a_second(live.pk, last.joined_at.replace(microsecond=0), last.joined_at, last.pk)
    if not microphone_first or before is not None or len(page) < size:
        return page
    first = _at_the_microphone(live.pk, stop=size)
    return first + [member for member in page if member not in first]


def owner_of_open(user_id: int) -> Live | None:
    """The caller's live that was not closed, its owner loaded."""
    return Live.objects.open().filter(owner_id=user_id).select_related("owner").first()


@Compiled
def _mic_links(live_id: Given, user_id: Given) -> QuerySet[MicLink]:
    sits_there = Member.objects.inside().filter(live_id=OuterRef("live_id"), user_id=OuterRef("user_id"))
    over = ExpressionWrapper(Q(deadline__lte=Now()) | ~Exists(sits_there), output_field=BooleanField())
    of_either = Q(state__in=MicLink.LINKED) | Q(user_id=user_id)
    found = MicLink.objects.current().filter(of_either, live_id=live_id).select_related("user")
    return found.annotate(over=over, left=F("deadline") - Now()).order_by("pk")  # type: ignore[no-redef]


def mic_links(live_id: int, user_id: int) -> list[MicLink]:
    """The link that was agreed on in this live and this person's own, which may be the same one.

    `over` says whose time has passed, or whose person is not inside any more; `left` is what remains of it.
    """
    return _mic_links(live_id, user_id)


def whole_seconds(left: timedelta | None) -> int:
    """Rounded up; 0 where there is no end to wait for."""
    return max(ceil(left / timedelta(seconds=1)), 0) if left else 0


def conf_status(live: Live, viewer: User, user: User) -> Button | None:
    """The microphone button on somebody's card, for who looks at it in this live: one of the two owns it, the other is
    inside. None for anybody else."""
    return _button(live, viewer.pk, user.pk) if live.status == Live.Status.PLAYING else None


def mic_button(live_id: int, viewer_id: int, user_id: int) -> Button | None:
    """For `users.activity`: the same by ids."""
    live = Live.objects.on_air().filter(pk=live_id).first()
    return _button(live, viewer_id, user_id) if live else None


def _button(live: Live, viewer_id: int, user_id: int) -> Button | None:
    if live.owner_id not in (viewer_id, user_id) or viewer_id == user_id:
        return None
    guest_id = user_id if viewer_id == live.owner_id else viewer_id
    if not is_inside(live, guest_id):
        return None
    links = [link for link in mic_links(live.pk, guest_id) if not link.over]
    running = next((link for link in links if link.is_linked), None)
    asked = next((link for link in links if not link.is_linked), None)
    if running is not None:
        theirs = running.user_id == guest_id
        return Button(Button.HANG_UP) if theirs else Button(Button.WAIT, whole_seconds(running.left))
    if asked is None:
        return Button(Button.ASK)
    own = (asked.state == MicLink.State.INVITED) == (viewer_id == live.owner_id)
    return Button(Button.WAIT if own else Button.ANSWER, whole_seconds(asked.left))
