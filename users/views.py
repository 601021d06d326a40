"""`user/*`: one's profile, other people. Who somebody is: `account_views.py`."""

from django.conf import settings

from heihei_site.api.callers import Caller
from heihei_site.api.endpoints import Endpoints
from heihei_site.api.envelope import Nothing
from heihei_site.api.errors import (
    AccountAbnormal,
    FileRefused,
    InvalidParameter,
    MinorRefused,
    NameIllegal,
    NameTooLong,
    NotEnoughGold,
    ProfileHidden,
    TooManyRequests,
    UserUnknown,
)
from heihei_site.api.paging import Page
from heihei_site.api.params import Id, Offset
from heihei_site.api.params import Limit as PageSize
from heihei_site.api.throttles import Limit, allowed
from heihei_site.console.tunables import tunables
from users import activity, countings, params, selectors, serializers
from users.models import User
from users.selectors import blocked_between, relation
from users.services import avatars, devices, profile, relations, reports

api = Endpoints("user")

MOST_RELATIONS = 20
EVERYONE_FOUND = 50  # search has no pages for older phones
SEARCHES = Limit(settings.SEARCHES)
REPORTING = "reports"  # the deed that both calls for it count


@api.post(
    path="update",
    raises=[FileRefused, NameIllegal, NameTooLong, MinorRefused, AccountAbnormal, NotEnoughGold],
)
def update_user(
    caller: Caller,
    *,
    display_name: params.DisplayName,
    gender: params.Gender,
    birth_day: params.Birthday,
    address: params.Address | None = None,
    latlng: params.Address | None = None,
    description: params.Description | None = None,
    sign: params.Sign = "",
) -> serializers.Updated:
    """Stores the profile, all of it or nothing. Renaming is free once, then costs gold (10, unless operators say
    otherwise) whenever the name really changes (D16); the name given at registration is not the free one.

    A name has at most 16 bytes, a Chinese character counting two (447), and neither control characters nor a blocked
    word, however it is written (445). Any birthday of a living person is stored (else 501), but a minor's is never
    moved to an adult's, though the answer is 0 (D19). An empty `description` clears it, except from the 1.1 app, which
    sends one at every start without knowing it. `sign` is that of an uploaded picture
    (`sys/oss-token`), which becomes the avatar (102).
    """
    if description == "" and caller.client.empty_description_means_keep:
        description = None
    picture = avatars.find(user=caller.person, sign=sign) if sign else None
    updated = profile.update_profile(
        user=caller.person,
        profile=profile.Profile(display_name, gender, birth_day, description, address, latlng, picture),
    )
    return {"user_id": updated.pk}


@api.get(path="info", raises=[ProfileHidden])
def user_info(
    caller: Caller, *, uid: params.Uid | None = None, cuid: Id | None = None, live_id: Id | None = None
) -> serializers.UserInfo:
    """One's own card (no `uid`), with purse, switches (`attribute`) and what the next renaming costs (`modifyText`); or
    another's, with `isFollowed` and `isBlocked` as the caller stands to them, whether or not `cuid` is sent.

    `userStatus` is there only while that person is broadcasting (`type` and `confStatus` 5, with a `jump` where the
    live is public) or in a call (6); not where the card is looked at in that very live, which `liveId` says. There, if
    the caller or that person owns the live and both are inside, `confStatus` is the microphone button instead: 1 ask
    (`live/call-request`), 2 not now, 3 hang up, 4 answer; `expireTime` is the seconds left of 2 and 4. 736 where they
    have blocked the caller.
    """
    me = caller.person
    if uid is None or uid == me:
        return {"result": serializers.own_card(me, tunables.RENAME_GOLD)}
    stands = relation(me.pk, uid.pk)
    if stands.is_blocked:
        raise ProfileHidden
    card = serializers.user_card(uid, followed=stands.follows, blocked=stands.blocks)
    info: serializers.UserInfo = {"result": card}
    if (status := serializers.status_of(uid, viewer=me, seen_in=live_id)) is not None:
        info["user_status"] = status
    return info


@api.get()
def user_gold(caller: Caller) -> serializers.PurseAnswer:
    """What the caller has: `gold`, `point` (what is free of withdrawals) and its `pointWorth`, five for each point;
    `allOutlayGold` and `allEarnPoint` are what they ever gave and earned."""
    return {"user": serializers.purse(caller.person)}


@api.get()
def get_config(caller: Caller) -> serializers.ConfigAnswer:
    """`configuration.user`: the caller's switches, as text. `configuration.sys`: what the server goes by: the width a
    name may have, what a renaming costs after the free one, who is of age, seconds between heart-beats in a live.
    `countings`: how often others heard, answered and liked what the caller has said in topics, and gave for it."""
    return {
        "configuration": {
            "user": serializers.switches(caller.person),
            "sys": {
                "name_bytes": settings.NAME_BYTES,
                "rename_gold": tunables.RENAME_GOLD,
                "adult_age": settings.ADULT_AGE,
                "heart_beat": settings.HEART_BEAT_SECONDS,
            },
        },
        "countings": countings.of(caller.person.pk),
    }


@api.post()
def update_config(caller: Caller, *, push_enable: params.Switch) -> Nothing:
    """Stores a switch. `push_enable` is "1" (pushes come) or "0" (none do); get-config and info say it as text."""
    profile.set_push(user=caller.person, enabled=push_enable == "1")
    return {}


@api.post(path="follow")
def follow_user(caller: Caller, *, user: params.Person, live_id: Id | None = None) -> Nothing:
    """Follows a person; `liveId` says in whose room, and may be empty. 710 where either blocks the other."""
    relations.follow(user=caller.person, target=user, live_id=live_id)
    return {}


@api.post(path="unfollow")
def unfollow_user(caller: Caller, *, user: params.Person) -> Nothing:
    """Stops following; the second time there is nothing to stop."""
    relations.unfollow(user=caller.person, target=user)
    return {}


@api.post()
def block_user(caller: Caller, *, user: params.Person) -> Nothing:
    """Blocks a person, both ways everywhere (D18); ends following in both directions."""
    relations.block(user=caller.person, target=user)
    return {}


@api.post(raises=[TooManyRequests])
def unblock_user(
    caller: Caller,
    *,
    target: params.Target | None = None,
    user: params.Person | None = None,
    report_type: params.ReportKind | None = None,
) -> Nothing:
    """Unblocks `targetId`. With `reportType` and no `targetId` it is the 1.1 app's report of `userId` (D17), counted
    with those of `user/report-user`."""
    if target is None and user is not None and report_type is not None:
        if not allowed(settings.REPORTS, REPORTING, "person", str(caller.person.pk)):
            raise TooManyRequests
        reports.report(user=caller.person, target=user, kind=report_type)
        return {}
    if (person := target or user) is None:
        raise InvalidParameter
    relations.unblock(user=caller.person, target=person)
    return {}


@api.post(also=["usr/report-user"], limits=[Limit(settings.REPORTS, counted_with=REPORTING)])
def report_user(caller: Caller, *, user: params.Person, report_type: params.ReportKind) -> serializers.Reported:
    """Tells operators about a person: `reportType` 1 wrong gender, 2 advertising or fraud, 3 harassment, 4 pornography.

    What there is to see at that moment is kept with it: their card, the live they are in, what they said there and what
    they wrote to the caller. The same again is the same report. Also answers as `/api/usr/report-user`.
    """
    reports.report(user=caller.person, target=user, kind=report_type)
    return {"reportmsg": "举报成功!"}


def _may_be_seen(caller: Caller, person: User) -> None:
    """To who blocks you, and to whom you block, you do not exist (D18)."""
    if person != caller.person and blocked_between(caller.person.pk, person.pk):
        raise UserUnknown


@api.get()
def list_follower(
    caller: Caller, *, user: params.Person, offset: Offset = 0, limit: PageSize = 0, cur_user_id: Id | None = None
) -> serializers.PeopleAnswer:
    """Who follows a person, the newest first; 10 a page where `limit` is not said, 20 at most. `isFollowed` is how the
    caller stands to them, whether or not `curUserId` is sent. `totalSize` is how many there are in all."""
    _may_be_seen(caller, user)
    found = selectors.followers(user, caller.person, Page.of(offset, limit, most=MOST_RELATIONS))
    return {"total_size": found.total, "result": serializers.cards(found.page, caller.person)}


@api.get()
def list_following(
    caller: Caller, *, user: params.Person, offset: Offset = 0, limit: PageSize = 0, cur_user_id: Id | None = None
) -> serializers.FollowingAnswer:
    """Whom a person follows, as list-follower; `reslut` is the same as `result`, as the document spells it."""
    _may_be_seen(caller, user)
    found = selectors.following(user, caller.person, Page.of(offset, limit, most=MOST_RELATIONS))
    return {"total_size": found.total, "following": serializers.cards(found.page, caller.person)}


@api.get()
def list_blocked_user(caller: Caller, *, offset: Offset = 0, limit: PageSize = 0) -> serializers.PeopleAnswer:
    """Whom the caller blocks, the newest first; 10 a page where `limit` is not said, 20 at most."""
    found = selectors.blocked_by(caller.person, Page.of(offset, limit, most=MOST_RELATIONS))
    return {"total_size": found.total, "result": serializers.cards(found.page, caller.person, blocked=True)}


@api.get(path="list-user-byType", key="listByType")
def list_by_type(
    caller: Caller, *, kind: params.Kind, offset: Offset = 0, limit: PageSize = 0
) -> serializers.PeopleAnswer:
    """People of a `type`, the newest first: `Anchor` has broadcast, `Normal` has not. 50 a page at most. `totalSize` is
    how many there are in all."""
    found = selectors.of_kind(kind, caller.person, Page.of(offset, limit))
    return {"total_size": found.total, "result": serializers.cards(found.page, caller.person)}


@api.get()
def list_active_user(caller: Caller, *, offset: Offset = 0, limit: PageSize = 0) -> serializers.ActivePeople:
    """Who is signed in: whose phone was last heard of comes first, to the hour while it only calls, at once when it
    signs in or connects. The caller and who blocks them or is blocked are not in it. 50 a page at most."""
    found = selectors.active(caller.person, Page.of(offset, limit))
    return {"result": serializers.cards(found, caller.person)}


@api.get(limits=[SEARCHES])
def search(
    caller: Caller, *, query: params.SearchText, offset: Offset = 0, limit: PageSize = EVERYONE_FOUND
) -> serializers.Found:
    """Finds people by `queryParameter`: whose heiNum it is, then whose name it is, begins with it, has it in it; of
    these the most followed first (D20). Case and full width make no difference, `%` and `_` are ordinary characters.
    Never by phone number. 50 where `limit` is not said, and at most."""
    return _found(caller, query, Page.of(offset, limit))


@api.get(limits=[SEARCHES])
def usearch(
    caller: Caller, *, query: params.SearchText, offset: Offset = 0, limit: PageSize = EVERYONE_FOUND
) -> serializers.Found:
    """The same as search."""
    return _found(caller, query, Page.of(offset, limit))


def _found(caller: Caller, query: str, page: Page) -> serializers.Found:
    return {"users": serializers.cards(selectors.search(query, caller.person, page), caller.person)}


@api.get()
def isinlive(caller: Caller, *, user: params.Person) -> serializers.InLive:
    """Whether a person is in a live on air, as its owner or in its audience, and in which: `liveId` 0 where in none.
    A hidden live is not given away, nor is anybody with whom there is a block."""
    nowhere = user != caller.person and blocked_between(caller.person.pk, user.pk)
    place = None if nowhere else activity.place_of(user.pk)
    if place is None or place.hidden:
        return {"is_in_live": False, "live_id": 0}
    return {"is_in_live": True, "live_id": place.live_id}


@api.post()
def push_device_info(
    caller: Caller,
    *,
    push_kind: params.PushKind,
    push_token: params.PushToken,
    device_type: params.Platform = "android",
    uuid: params.DeviceUuid = "",
) -> Nothing:
    """Where pushes reach the caller: the device belongs to them from now on, until this sign-in ends."""
    devices.register_device(
        user=caller.person,
        session=caller.session,
        push_kind=push_kind,
        push_token=push_token,
        platform=device_type,
        uuid=uuid,
    )
    return {}
