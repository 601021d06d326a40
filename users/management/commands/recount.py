from django.core.management.base import BaseCommand

from users.services import kinds, relations


class Command(BaseCommand):
    help = "Sets the totals of lists of people right where they do not agree with the rows."

    def handle(self, *args: object, **options: object) -> None:
        people = relations.recount()
        for person in people:
            self.stdout.write(f"user {person}: set right")
        self.stdout.write(f"{len(people)} people and {kinds.recount()} kinds of people were wrong")
