"""Rows at a given moment, of everything that is counted."""

import itertools
from datetime import datetime, timedelta

from chat.models import Chat
from heihei_site.console import board
from heihei_site.postgres.sealed import NOTHING
from live.models import Live
from messages.models import InstantMessage
from payment.models import Account, Currency, Entry, Transfer
from payment.order_models import Channel, Order, Package
from payment.withdrawal_models import Withdrawal
from tests import factories
from users import auth
from users.models import Session, User

_numbers = itertools.count(1)


def counted(name: str, since: datetime, until: datetime) -> int:
    """What a figure says, as the job asks it."""
    return next(figure for figure in board.figures() if figure.name == name).count(since, until)


def newcomer(at: datetime) -> User:
    return factories.person(date_joined=at)


def seen(user: User, at: datetime) -> None:
    """A sign-in of theirs, last used then."""
    auth.open_session(user)
    Session.objects.filter(pk=Session.objects.filter(user=user).latest("pk").pk).update(active_at=at)


def went_on_air(at: datetime | None) -> Live:
    return factories.live(started_at=at, status=Live.Status.STOPPED)


def called(at: datetime) -> Chat:
    caller, callee = factories.person(), factories.person()
    return Chat.objects.create(caller=caller, callee=callee, kind=Chat.Kind.DUE, state=Chat.State.ENDED, created_at=at)


def wrote(at: datetime) -> InstantMessage:
    sender, recipient = factories.person(), factories.person()
    return InstantMessage.objects.create(
        sender=sender, recipient=recipient, kind="text", content={"text": "在吗"}, created_at=at
    )


def paid(reason: str, gold: int, at: datetime) -> None:
    """A transfer of that moment: the ledger itself only posts now, and lets nobody change it afterwards."""
    purse = Account.objects.create(owner=factories.person(), currency=Currency.GOLD)
    till, _ = Account.objects.get_or_create(owner=None, name=f"{reason}s", currency=Currency.GOLD)
    transfer = Transfer.objects.create(key=f"{reason}:{next(_numbers)}", reason=reason, fingerprint="", created_at=at)
    legs = [(purse, -gold, 0), (till, gold, None)]
    Entry.objects.bulk_create(
        Entry(transfer=transfer, account=account, currency=Currency.GOLD, amount=amount, balance_after=after)
        for account, amount, after in legs
    )


def recharged(fen: int, gold: int, at: datetime | None) -> Order:
    package = Package.objects.filter(channel=Channel.WECHAT).first() or Package.objects.create(
        channel=Channel.WECHAT, product_id="p", gold=60, pay_money=600, origin_money=600
    )
    return Order.objects.create(
        buyer=factories.person(),
        package=package,
        channel=Channel.WECHAT,
        product_id="p",
        gold=gold,
        pay_money=fen,
        state=Order.State.PAID if at else Order.State.CREATED,
        expires_at=(at or datetime.now().astimezone()) + timedelta(minutes=30),
        paid_at=at,
        settled_at=at,
    )


def withdrawn(fen: int, at: datetime | None, state: int = Withdrawal.State.SETTLED) -> Withdrawal:
    return Withdrawal.objects.create(
        number=f"w{next(_numbers)}", owner=factories.person(), fen=fen, point=fen * 2, account=NOTHING,
        name=NOTHING, state=state, closed_at=at,
    )  # fmt: skip
