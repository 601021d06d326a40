import uuid
from argparse import ArgumentTypeError
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from payment import grants, ledger

MOST = 10**12  # in one go; a slip of the finger should not fill a purse to the brim


def amount(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= MOST):
        raise ArgumentTypeError(f"{text!r} is not a whole number from 0 to {MOST}")
    return int(text)


class Command(BaseCommand):
    help = "Give a person gold or points from the house. With --key, running it again gives nothing more."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", type=int, required=True, metavar="ID")
        parser.add_argument("--gold", type=amount, default=0, metavar="N")
        parser.add_argument("--point", type=amount, default=0, metavar="N")
        parser.add_argument("--key", help="makes the grant repeatable; default: a new key each time")

    def handle(self, *, user: int, gold: int, point: int, key: str | None, **options: Any) -> None:
        if not get_user_model()._default_manager.filter(pk=user).exists():
            raise CommandError(f"There is no user {user}.")
        if not gold and not point:
            raise CommandError("Nothing to give: say --gold N, --point N or both.")
        if key is not None and not 0 < len(key) <= 100:
            raise CommandError("A key has 1 to 100 characters.")
        posted = self.post(user, gold, point, key or uuid.uuid4().hex)
        left = ledger.balances(user)
        deed = "Granted" if posted.fresh else "Granted before, nothing added"
        self.stdout.write(f"{deed}. User {user} has {left.gold} gold and {left.point} points.")

    def post(self, user: int, gold: int, point: int, key: str) -> ledger.Posted:
        legs = grants.legs(user, gold=gold, point=point, till="grants")
        try:
            return ledger.post(key=f"grant:{key}", reason="grant", legs=legs)
        except ledger.KeyReused:
            raise CommandError(f"The key {key} was used for another grant.") from None
