"""One person's gift to another, wherever it is given (D26): charged once, however often a phone sends it.

Lock order: the repeat's row, purses, people; after them what the place holds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from heihei_site.api import repeats
from heihei_site.api.errors import Refusal
from payment.ledger import KeyReused
from payment.models import Gift
from payment.services import gifts
from users.models import User
from users.services import standing


def pay(
    *, sender_id: int, receiver_id: int, place: str, gift: Gift, combo: gifts.Combo, repeat_key: str
) -> tuple[gifts.GiftGiven, int]:
    """Within the deed's transaction: charges, and counts it on both people. What it did, and the points that the
    receiver ever earned: 0 where it is not fresh. Raises NotEnoughGold."""
    given = gifts.give(
        sender_id=sender_id, receiver_id=receiver_id, place=place, gift=gift, combo=combo, repeat_key=repeat_key
    )
    if not given.fresh:
        return given, 0
    return given, standing.record_gift(
        sender_id=sender_id,
        receiver_id=receiver_id,
        gold=given.gold_spent,
        points=given.points,
        experience=given.experience,
    )


@dataclass(frozen=True)
class Giving:
    """What a phone asks for: this gift to who is to be rewarded in that place."""

    sender: User
    kind: Literal["live", "chat", "subject"]
    place_id: int
    gift: Gift
    combo: gifts.Combo

    def pay(self, receiver_id: int) -> tuple[gifts.GiftGiven, int]:
        """Within the deed's transaction. Without a combo's id the same request again is told by `repeats`."""
        repeat = "" if self.combo.uuid else repeats.recognise(*self._request).key
        return pay(
            sender_id=self.sender.pk,
            receiver_id=receiver_id,
            place=self._place,
            gift=self.gift,
            combo=self.combo,
            repeat_key=repeat,
        )

    def once(self, deed: Callable[[], int]) -> int:
        """The gold that the deed leaves. What was charged before is answered as it was then also where the deed is
        refused now."""
        try:
            return deed()
        except (Refusal, KeyReused):
            left = self._left_before()
            if left is None:
                raise
            return left

    def _left_before(self) -> int | None:
        repeat = "" if self.combo.uuid else repeats.known(*self._request)
        if repeat is None:
            return None
        return gifts.left_after_giving(
            sender_id=self.sender.pk, place=self._place, gift=self.gift, combo=self.combo, repeat_key=repeat
        )

    @property
    def _place(self) -> str:
        return f"{self.kind}:{self.place_id}"

    @property
    def _request(self) -> tuple[int, str, int, int, int]:
        deed = "gift" if self.kind == "live" else f"{self.kind} gift"
        return self.sender.pk, deed, self.place_id, self.gift.pk, self.combo.count
