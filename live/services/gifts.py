"""Gifts and bullets (D26, D27): charged once, shown once, however often a phone sends them.

Lock order: the repeat's row, purses, people, the live's row. The ledger decides whether it is the first time. What was
charged is answered as it was then also where it could not be bought any more: the live is over, the person has left,
the gift is sold no more or costs something else.
"""

from django.conf import settings
from django.db.models import F

from heihei_site.api import repeats
from heihei_site.api.errors import (
    AccountAbnormal,
    GiftUnknown,
    InvalidParameter,
    LiveInvalid,
    Muted,
    NotInRoom,
    Refusal,
)
from heihei_site.console.tunables import tunables
from heihei_site.realtime.groups import room
from heihei_site.realtime.publish import publish, telling
from live.events import BulletSent, GiftSent, by
from live.models import Live, Member
from live.selectors import is_muted, speaker
from live.services.talk import text_by
from payment.ledger import KeyReused
from payment.models import Gift
from payment.services import purchases
from payment.services.gifts import Combo
from users.models import User
from users.services import standing, words
from users.services.giving import Giving


def send_gift(*, sender: User, live: Live, gift: Gift, combo: Combo) -> int:
    """One gift to the owner; returns the gold the sender has left. `combo.count` is shown (D26)."""
    giving = Giving(sender, "live", live.pk, gift, combo)
    return giving.once(lambda: _give(giving, live))


def _give(giving: Giving, live: Live) -> int:
    sender = giving.sender
    if not giving.gift.active:
        raise GiftUnknown
    _check(sender, live)
    if sender.pk == live.owner_id:
        raise InvalidParameter
    with telling():
        given, total = giving.pay(live.owner_id)
        if given.fresh:
            _show_gift(sender, live, giving.gift, giving.combo, points=given.points, total=total)
    return given.gold_left


def _count_tickets(live: Live, points: int) -> None:
    """LiveInvalid where the live ended meanwhile: nobody pays for what nobody would see, and its totals are fixed."""
    on_air = Live.objects.filter(pk=live.pk, status=Live.Status.PLAYING)
    if not on_air.update(total_tickets=F("total_tickets") + points):
        raise LiveInvalid


def _show_gift(sender: User, live: Live, gift: Gift, combo: Combo, *, points: int, total: int) -> None:
    _count_tickets(live, points)
    shown = GiftSent(
        room_id=live.pk,
        **by(sender),
        gift_id=gift.pk,
        gift={"id": gift.pk, "name": gift.name, "type": gift.type, "desc": gift.desc},
        amount=combo.count,
        gift_uuid=combo.uuid,
        total_ticket=total,
    )
    publish(shown, to=room(live))
    publish(text_by(sender, live, f"送给主播 {gift.name}", gift_id=gift.pk), to=room(live))


def send_bullet(*, sender: User, live: Live, text: str) -> int:
    """A paid text across every screen, blocked words masked; returns the gold the sender has left. Nobody earns from
    their own."""
    text = words.masked(text)
    try:
        return _fly(sender, live, text)
    except (Refusal, KeyReused):
        request = repeats.known(sender.pk, "bullet", live.pk, text)
        left = None if request is None else purchases.left_after(_bullet_key(sender, request), user_id=sender.pk)
        if left is None:
            raise
        return left


def _bullet_key(sender: User, request: str) -> str:
    return f"bullet:{sender.pk}:{request}"


def _fly(sender: User, live: Live, text: str) -> int:
    place = _check(sender, live)
    earner = live.owner_id if live.owner_id != sender.pk else None
    gold = tunables.BULLET_GOLD
    with telling():
        repeat = repeats.recognise(sender.pk, "bullet", live.pk, text)
        if repeat.fresh and place.muted:  # before the purse is looked at: nobody recharges for what is refused
            raise Muted
        paid = purchases.pay_for(
            user_id=sender.pk,
            receiver_id=earner,
            gold=gold,
            reason="bullet",
            key=_bullet_key(sender, repeat.key),
        )
        if paid.fresh:
            total = standing.record_gift(
                sender_id=sender.pk,
                receiver_id=live.owner_id,
                gold=gold,
                points=paid.points,
                experience=gold * settings.EXPERIENCE_PER_GOLD,
            )
            _show_bullet(sender, live, text, points=paid.points, total=total)
    return paid.gold_left


def _show_bullet(sender: User, live: Live, text: str, *, points: int, total: int) -> None:
    _count_tickets(live, points)
    if is_muted(live.pk, sender.pk):  # a moment ago; from here on the live's row is held, and nobody is
        raise Muted
    shown = BulletSent(
        room_id=live.pk,
        **by(sender),
        birth_day=sender.birth_day,
        text=text,
        total_ticket=total,
    )
    publish(shown, to=room(live))


def _check(sender: User, live: Live) -> Member:
    """Who may spend gold here: adults (D19) who are inside a live that is on air."""
    if sender.is_protected_minor:
        raise AccountAbnormal
    if live.status != Live.Status.PLAYING:
        raise LiveInvalid
    if (place := speaker(live.pk, sender.pk)) is None:
        raise NotInRoom
    return place
