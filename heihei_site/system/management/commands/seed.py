from django.core.management.base import BaseCommand

from chat.services import tips
from chat.services import topics as call_topics
from heihei_site.system.documents import seed_pages
from payment.catalogue import seed_gifts
from payment.exchange_catalogue import seed_p2g_packages
from payment.packages import seed_packages
from topics.services import topics
from users.services import words


class Command(BaseCommand):
    help = "Puts the catalogue into the database. Idempotent: what operators changed stays."

    def handle(self, *args: object, **options: object) -> None:
        seed_gifts()
        self.stdout.write("catalogue: gifts are there")
        seed_p2g_packages()
        self.stdout.write("exchange: packages are there")
        seed_packages()
        self.stdout.write("packages: there is something to buy")
        seed_pages()
        self.stdout.write("pages: texts are there")
        call_topics.seed()
        self.stdout.write("topics of calls: there are some")
        topics.seed()
        self.stdout.write("topics for voices: there are some")
        tips.seed()
        self.stdout.write("tips while matching: there are some")
        words.seed()
        self.stdout.write("blocked words: a list is there")
