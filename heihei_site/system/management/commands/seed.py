from django.core.management.base import BaseCommand

from payment.catalogue import seed_gifts


class Command(BaseCommand):
    help = "Puts the catalogue into the database. Idempotent: what operators changed stays."

    def handle(self, *args: object, **options: object) -> None:
        seed_gifts()
        self.stdout.write("catalogue: gifts are there")
