from typing import Any

from django.core.management.base import BaseCommand, CommandError

from payment.models import Account, Transfer
from payment.reconciliation import breaches


class Command(BaseCommand):
    help = "Prove that the ledger is sound; exit non-zero and say what is wrong otherwise (D35)."

    def handle(self, *args: Any, **options: Any) -> None:
        found = list(breaches())
        for breach in found:
            self.stderr.write(f"broken: {breach.promise}: {breach.detail}")
        if found:
            raise CommandError("The ledger is NOT sound.")
        purses = Account.objects.filter(owner__isnull=False).count()
        self.stdout.write(f"The ledger is sound: {Transfer.objects.count()} transfers, {purses} purses.")
