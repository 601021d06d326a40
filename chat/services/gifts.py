"""Gifts in a call (D26): charged once, shown once, however often a phone sends them.

Lock order: the repeat's row, purses, people, the call's row. The ledger decides whether it is the first time. What was
charged is answered as it was then also where it could not be bought any more: the call is over, the gift is sold no
more or costs something else.
"""

from chat import selectors
from chat.services.calls import closing_what_is_over
from chat.services.talk import hold_running
from heihei_site.api.errors import AccountAbnormal, ChatInvalid, GiftUnknown
from heihei_site.realtime.groups import room
from heihei_site.realtime.publish import publish, telling
from messages.room_events import GiftSent, RoomText, by
from payment.models import Gift
from payment.services.gifts import Combo
from users.models import User
from users.services.giving import Giving


def send_gift(*, sender: User, receiver_id: int, chat_id: int, gift: Gift, combo: Combo) -> int:
    """One gift to the other one; returns the gold the sender has left. Refused when the call is over: nobody pays for
    what nobody would see."""
    giving = Giving(sender, "chat", chat_id, gift, combo)
    return giving.once(lambda: _give(giving, receiver_id))


@closing_what_is_over
@telling()
def _give(giving: Giving, receiver_id: int) -> int:
    if not giving.gift.active:
        raise GiftUnknown
    if giving.sender.is_protected_minor:
        raise AccountAbnormal
    if selectors.partner_of(giving.place_id, giving.sender.pk) != receiver_id:
        raise ChatInvalid
    given, total = giving.pay(receiver_id)
    if given.fresh:
        _show(giving.sender, giving.place_id, giving.gift, giving.combo, total)
    return given.gold_left


def _show(sender: User, chat_id: int, gift: Gift, combo: Combo, total: int) -> None:
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
