"""Everything that moves money, in any order, against a few lines of arithmetic: a machine for hypothesis.

What each rule does is what people, gateways and operators do, through the services that they reach. A new kind of
movement is a rule here and a line in `expected`.
"""

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from heihei_site.api.errors import NotEnoughGold
from payment import ledger
from payment.catalogue import seed_gifts
from payment.models import Gift
from payment.order_models import Order
from payment.packages import FIRST_IDS, seed_packages
from payment.reconciliation import breaches
from payment.services import gifts, orders, refunds
from payment.tasks import settle_orders
from tests import factories
from tests.payment.gateways import notification, send, store

PEOPLE = 3
people = st.integers(0, PEOPLE - 1)


@dataclass
class Expected:
    """Of one person. `gold` may be below zero here: then it is owed."""

    gold: int = 0
    points: int = 0


@dataclass
class Begun:
    buyer: int
    order: Order
    channel: str
    signed: str = ""
    paid: bool = False
    given_back: bool = False


class Money(RuleBasedStateMachine):
    orders = Bundle("orders")

    @initialize()
    def start(self) -> None:
        self.outer = transaction.atomic()
        self.outer.__enter__()
        seed_gifts()
        seed_packages()
        self.people = [factories.person() for _ in range(PEOPLE)]
        self.operator = factories.person()
        self.expected = [Expected() for _ in self.people]
        self.given: dict[tuple[int, int, int], bool] = {}

    def teardown(self) -> None:
        if hasattr(self, "outer"):
            transaction.set_rollback(True)
            self.outer.__exit__(None, None, None)

    # --- Gold for money ------------------------------------------------------------------------------------------

    @rule(target=orders, buyer=people, place=st.integers(0, 2), channel=st.sampled_from(["alipay", "wechat", "iap"]))
    def begin(self, buyer: int, place: int, channel: str) -> Begun:
        order, _ = orders.create(
            buyer=self.people[buyer],
            package_id=FIRST_IDS[channel] + place,  # type: ignore[index]
            channel=channel,
            now=timezone.now(),
        )
        begun = Begun(buyer, order, channel)
        if channel == "iap":
            begun.signed = store().purchase(order.product_id, appAccountToken=str(order.account_token))
        return begun

    @rule(begun=orders, times=st.integers(1, 3))
    def paid(self, begun: Begun, times: int) -> None:
        """The gateway says it, once or several times."""
        if begun.channel == "iap":
            notice = store().news("ONE_TIME_CHARGE", begun.signed)
        elif begun.given_back:
            return  # its state is the gateway's own, and says so
        else:
            notice = notification(begun.order)
        for _ in range(times):
            assert send(begun.channel, notice).status_code == 200
        if not begun.paid and not begun.given_back:
            self.expected[begun.buyer].gold += begun.order.gold
            begun.paid = True

    @rule(begun=orders)
    def forged(self, begun: Begun) -> None:
        if begun.channel != "iap":
            send(begun.channel, notification(begun.order, tamper="amount"))
            send(begun.channel, notification(begun.order, tamper="sign"))

    @rule(begun=orders)
    def closed(self, begun: Begun) -> None:
        if begun.channel == "wechat" and not begun.paid:
            send("wechat", notification(begun.order, status="closed"))

    @rule()
    def sweep(self) -> None:
        Order.objects.update(next_query_at=timezone.now())
        settle_orders()

    # --- And back ------------------------------------------------------------------------------------------------

    @rule(begun=orders)
    def refunded_by_operator(self, begun: Begun) -> None:
        try:
            with transaction.atomic():
                refunds.begin(Order.objects.get(pk=begun.order.pk), by=self.operator, reason="machine")
        except refunds.NotRefundable:
            assert begun.channel == "iap" or not begun.paid or begun.given_back
            return
        assert begun.paid and not begun.given_back
        self.expected[begun.buyer].gold -= begun.order.gold
        begun.given_back = True

    @rule(begun=orders)
    def refunded_by_the_store(self, begun: Begun) -> None:
        if begun.channel == "iap" and begun.paid and not begun.given_back:
            assert send("iap", store().news("REFUND", begun.signed)).status_code == 200
            self.expected[begun.buyer].gold -= begun.order.gold
            begun.given_back = True

    @rule(begun=orders)
    def the_store_thinks_better_of_it(self, begun: Begun) -> None:
        if begun.channel == "iap" and begun.given_back:
            assert send("iap", store().news("REFUND_REVERSED", begun.signed)).status_code == 200
            self.expected[begun.buyer].gold += begun.order.gold
            begun.given_back = False

    # --- Gold for gifts ------------------------------------------------------------------------------------------

    @rule(giver=people, taker=people, gift=st.sampled_from([101, 104, 117]), combo=st.integers(1, 4))
    def give(self, giver: int, taker: int, gift: int, combo: int) -> None:
        if giver == taker:
            return
        price, key = Gift.objects.get(pk=gift).gold, (giver, taker * 1000 + gift, combo)
        try:
            with transaction.atomic():
                given = gifts.give(
                    sender_id=self.people[giver].pk,
                    receiver_id=self.people[taker].pk,
                    place=f"live:{taker}",
                    gift=Gift.objects.get(pk=gift),
                    combo=gifts.Combo("u", combo),
                    repeat_key="",
                )
        except NotEnoughGold:
            assert self.expected[giver].gold < price and key not in self.given
            return
        assert given.fresh == (key not in self.given)
        if given.fresh:
            self.expected[giver].gold -= price
            self.expected[taker].points += price
            self.given[key] = True

    # --- What must hold after each -------------------------------------------------------------------------------

    @invariant()
    def everybody_has_what_they_should(self) -> None:
        for someone, expected in zip(getattr(self, "people", ()), getattr(self, "expected", ()), strict=True):
            held, owed = ledger.balances(someone.pk), ledger.debt(someone.pk)
            assert (held.gold, owed) == (max(expected.gold, 0), max(-expected.gold, 0))
            assert held.point == expected.points

    @invariant()
    def the_books_are_sound(self) -> None:
        assert list(breaches()) == []
