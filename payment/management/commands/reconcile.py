from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Sum

from payment.models import Account, Currency, Transfer
from payment.reconciliation import breaches
from payment.services import bills


class Command(BaseCommand):
    help = (
        "Prove that the money is sound: the ledger, orders, refunds, the gateways' bills; exit non-zero and say what "
        "is wrong otherwise (D35). With --fetch, ask the gateways for bills that are missing first."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--fetch", action="store_true")

    def handle(self, *args: Any, fetch: bool = False, **options: Any) -> None:
        for bill in bills.fetch_missing() if fetch else ():
            self.stdout.write(f"Fetched the bill {bill}.")
        found = list(breaches())
        for breach in found:
            self.stderr.write(f"broken: {breach.promise}: {breach.detail}")
        if found:
            raise CommandError("The ledger is NOT sound.")
        purses = Account.objects.filter(owner__isnull=False).exclude(currency=Currency.DEBT).count()
        owed = Account.objects.filter(currency=Currency.DEBT).aggregate(sum=Sum("balance"))["sum"] or 0
        self.stdout.write(
            f"The ledger is sound: {Transfer.objects.count()} transfers, {purses} purses, {owed} gold owed."
        )
