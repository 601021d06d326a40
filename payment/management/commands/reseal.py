from typing import Any

from django.core.management.base import BaseCommand

from payment.services import alipay


class Command(BaseCommand):
    help = "Seal everything anew with the first key of SEAL_KEYS; the others may go after that. May be run again."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{alipay.reseal()} rows are sealed with the newest key.")
