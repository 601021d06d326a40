"""`user/*`: signing in, one's profile, other people."""

from django.conf import settings
from django.utils import timezone

from heihei_site.api.callers import Caller
from heihei_site.api.endpoints import Endpoints
from heihei_site.api.envelope import Nothing
from heihei_site.api.errors import (
    AccountAbnormal,
    CodeWrong,
    InvalidParameter,
    MinorRefused,
    NameIllegal,
    NameTooLong,
    NotEnoughGold,
    ProfileHidden,
    SmsTooFrequent,
)
from heihei_site.api.params import Id
from heihei_site.api.throttles import Limit
from users import params, serializers
from users.selectors import relation
from users.services import devices, profile, relations, sign_in, sms_codes

api = Endpoints("user")


@api.post(
    key="getSMSVerificationCode",
    open_to_all=True,
    raises=[SmsTooFrequent],
    limits=[Limit(settings.SMS_PER_ADDRESS, by="address", refuses=SmsTooFrequent)],
)
def get_sms_verification_code(caller: Caller, *, phone: params.Phone) -> serializers.CodeSent:
    """Sends a six-digit code to a mainland number (D15).

    `timeout` is the seconds until the next may be asked for.
    """
    return {"timeout": sms_codes.send_code(phone, now=timezone.now())}


@api.post(path="sign-in-cl-by-phone", key="signInCLByPhone", open_to_all=True, raises=[CodeWrong, AccountAbnormal])
def sign_in_by_phone(caller: Caller, *, phone: params.Phone, verify_code: params.SmsCode) -> serializers.SignInAnswer:
    """Signs in with an SMS code; the first time makes the account. The person's other sign-ins end (D5).

    `needRegist` stays true until name, gender and birthday are set (D16).
    """
    signed_in = sign_in.sign_in_by_phone(phone=phone, code=verify_code, now=timezone.now())
    user = signed_in.user
    return {
        "token": signed_in.token,
        "need_regist": not user.profile_complete,
        "user_info": serializers.own_card(user, settings.RENAME_GOLD),
    }


@api.post()
def sign_out(caller: Caller) -> Nothing:
    """Ends this sign-in: its token is dead, its sockets close within 2 s, pushes stop."""
    sign_in.sign_out(user=caller.person, session=caller.session)
    return {}


@api.post(
    path="update",
    raises=[NameIllegal, NameTooLong, MinorRefused, AccountAbnormal, NotEnoughGold],
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
) -> serializers.Updated:
    """Stores the profile. Renaming is free once, then costs 10 gold whenever the name really changes (D16).

    An empty `description` clears it, except from the 1.1 app, which sends one at every start without knowing it.
    """
    if description == "" and caller.client.empty_description_means_keep:
        description = None
    updated = profile.update_profile(
        user=caller.person,
        profile=profile.Profile(display_name, gender, birth_day, description, address, latlng),
    )
    return {"user_id": updated.pk}


@api.get(path="info", raises=[ProfileHidden])
def user_info(
    caller: Caller, *, uid: params.Uid | None = None, cuid: Id | None = None, live_id: Id | None = None
) -> serializers.UserInfo:
    """One's own card (no `uid`), or another's with `isFollowed` and `isBlocked`.

    `userStatus` is there only while that person is broadcasting or in a call. 736 where they have blocked the caller.
    """
    me = caller.person
    if uid is None or uid == me:
        return {"result": serializers.own_card(me, settings.RENAME_GOLD)}
    stands = relation(me.pk, uid.pk)
    if stands.is_blocked:
        raise ProfileHidden
    card = serializers.user_card(uid, followed=stands.follows, blocked=stands.blocks)
    info: serializers.UserInfo = {"result": card}
    if (status := serializers.status_of(uid)) is not None:
        info["user_status"] = status
    return info


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


@api.post()
def unblock_user(
    caller: Caller,
    *,
    target: params.Target | None = None,
    user: params.Person | None = None,
    report_type: params.ReportKind | None = None,
) -> Nothing:
    """Unblocks `targetId`. With `reportType` and no `targetId` it is the 1.1 app's report of `userId` (D17)."""
    if target is None and user is not None and report_type is not None:
        relations.report(user=caller.person, target=user, kind=report_type)
        return {}
    if (person := target or user) is None:
        raise InvalidParameter
    relations.unblock(user=caller.person, target=person)
    return {}


@api.post()
def push_device_info(
    caller: Caller,
    *,
    push_kind: params.PushKind,
    push_token: params.PushToken,
    device_type: params.Platform = "android",
    uuid: params.DeviceUuid = "",
) -> Nothing:
    """Where pushes reach the caller: the device belongs to them from now on."""
    devices.register_device(
        user=caller.person, push_kind=push_kind, push_token=push_token, platform=device_type, uuid=uuid
    )
    return {}
