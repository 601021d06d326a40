"""Gifts in a call (D26): charged once, shown once, however often a phone sends them.

Lock order: the repeat's row, purses, people, the call's row. The ledger decides whether it is the first time. What was
charged is answered as it was then also where it could not be bought any more: the call is over, the gift is sold no
more or costs something else.
"""

from chat import selectors
from chat.services.calls import closing_what_is_over
from chat.services.talk import hold_running
from heihei_site.api import repeats
from heihei_site.api.errors import AccountAbnormal, ChatInvalid, GiftUnknown, Refusal
from heihei_site.realtime.groups import room
from heihei_site.realtime.publish import publish, telling
from messages.room_events import GiftSent, RoomText, by
from payment.ledger import KeyReused
from payment.models import Gift
from payment.services import gifts
from users.models import User
from users.services import standing


def send_gift(*, sender: User, receiver_id: int, chat_id: int, gift: Gift, combo: gifts.Combo) -> int:
    """One gift to the other one; returns the gold the sender has left. Refused when the call is over: nobody pays for
    what nobody would see."""
    try:
        return _give(sender, receiver_id, chat_id, gift, combo)
    except (Refusal, KeyReused):
        left = _left_before(sender, chat_id, gift, combo)
        if left is None:
            raise
        return left


def _left_before(sender: User, chat_id: int, gift: Gift, combo: gifts.Combo) -> int | None:
    repeat = "" if combo.uuid else repeats.known(sender.pk, "chat gift", chat_id, gift.pk, combo.count)
    if repeat is None:
        return None
    place = f"chat:{chat_id}"
    return gifts.left_after_giving(sender_id=sender.pk, place=place, gift=gift, combo=combo, repeat_key=repeat)


@closing_what_is_over
@telling()
def _give(sender: User, receiver_id: int, chat_id: int, gift: Gift, combo: gifts.Combo) -> int:
    if not gift.active:
        raise GiftUnknown
    if sender.is_protected_minor:
        raise AccountAbnormal
    if selectors.partner_of(chat_id, sender.pk) != receiver_id:
        raise ChatInvalid
    repeat = "" if combo.uuid else repeats.recognise(sender.pk, "chat gift", chat_id, gift.pk, combo.count).key
    given = gifts.give(
        sender_id=sender.pk,
        receiver_id=receiver_id,
        place=f"chat:{chat_id}",
        gift=gift,
        combo=combo,
        repeat_key=repeat,
    )
    if given.fresh:
        total = standing.record_gift(
            sender_id=sender.pk,
            receiver_id=receiver_id,
            gold=given.gold_spent,
            points=given.points,
            experience=given.experience,
        )
        _show(sender, chat_id, gift, combo, total)
    return given.gold_left


def _show(sender: User, chat_id: int, gift: Gift, combo: gifts.Combo, total: int) -> None:
    chat = hold_running(chat_id, sender.pk)
    shown = GiftSent(
        room_id=chat.pk,
        **by(sender),
        gift_id=gift.pk,
        gift={"id": gift.pk, "name": gift.name, "type": gift.type, "desc": gift.desc},
        amount=combo.count,
        gift_uuid=combo.uuid,
        total_ticket=total,
    )
    publish(shown, to=room(chat))
    publish(RoomText(room_id=chat.pk, **by(sender), text=f"送给你 {gift.name}", gift_id=gift.pk), to=room(chat))
