"""Knocking at a full room and being invited into it (D23)."""

import secrets
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from heihei_site.api.errors import InvalidParameter, KnockedJustNow, LiveInvalid, NotPermitted, UserUnknown
from heihei_site.realtime.groups import person
from heihei_site.realtime.publish import publish, telling
from live.events import LiveInvited, SomebodyKnocked, by
from live.models import Guest, Live
from live.selectors import guest, is_inside
from live.services import guests
from live.services.audience import hold
from users.models import User
from users.selectors import blocked_between

INVITE_LINK = "wmlivesheihei://live?id={}&liveKey={}"


@telling()
def knock(*, user: User, live: Live) -> None:
    """Asks the owner for a seat: at most once in KNOCK_SECONDS, else KnockedJustNow. From inside nothing happens.

    Who was kicked out, and who is blocked or blocks, does not ring anybody: NotPermitted.
    """
    if live.owner_id == user.pk:
        raise NotPermitted
    held = _held_on_air(live)
    said = guest(held.pk, user.pk)
    if (said is not None and said.kicked_at is not None) or blocked_between(user.pk, held.owner_id):
        raise NotPermitted
    if is_inside(held, user.pk):
        return
    if said is None:
        guests.note(held, user.pk, knocked_at=Now())
    elif not _knocked_long_ago(said):
        raise KnockedJustNow
    publish(SomebodyKnocked(live_id=held.pk, **by(user), birth_day=user.birth_day), to=person(held.owner_id))


def _knocked_long_ago(said: Guest) -> bool:
    """If so, they have knocked now."""
    long_ago = Q(knocked_at=None) | Q(knocked_at__lte=Now() - timedelta(seconds=settings.KNOCK_SECONDS))
    return bool(Guest.objects.filter(long_ago, pk=said.pk).update(knocked_at=Now()))


@telling()
def invite(*, owner: User, live: Live, user: User) -> None:
    """Rings them with the key that lets them in, the same one as long as it was not used. Who was kicked may return.

    Who was rung within INVITATION_QUIET, and who is inside, is not rung.
    """
    if live.owner_id != owner.pk:
        raise NotPermitted
    if user.pk == owner.pk:
        raise InvalidParameter
    held = _held_on_air(live)
    if blocked_between(owner.pk, user.pk):
        raise UserUnknown
    if is_inside(held, user.pk):
        return
    said = guest(held.pk, user.pk)
    if said is None or not _was_rung_just_now(said):
        key = (said.live_key if said else "") or secrets.token_hex(16)
        guests.note(held, user.pk, invited_at=Now(), live_key=key, kicked_at=None)
        publish(_invitation(owner, held, key), to=person(user))


def _was_rung_just_now(said: Guest) -> bool:
    """And the invitation still stands: it was neither used nor made void."""
    lately = Guest.objects.filter(pk=said.pk, invited_at__gt=Now() - settings.INVITATION_QUIET)
    return said.live_key != "" and lately.exists()


def _invitation(owner: User, live: Live, key: str) -> LiveInvited:
    return LiveInvited(
        live_id=live.pk,
        live_key=key,
        link=INVITE_LINK.format(live.pk, key),
        text=f'队长"{owner.display_name}"想邀请你加入队伍，是否加入？',
        **by(owner),
        birth_day=owner.birth_day,
        honours=[],
    )


def _held_on_air(live: Live) -> Live:
    held = hold(live.pk)
    if held.status != Live.Status.PLAYING:
        raise LiveInvalid
    return held
