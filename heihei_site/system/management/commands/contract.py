import argparse

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from heihei_site.system import reference


class Command(BaseCommand):
    help = "Writes docs/reference from the code; with --check only says whether it is up to date."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true")

    def handle(self, *args: object, check: bool, **options: object) -> None:
        folder = settings.BASE_DIR / "docs" / "reference"
        stale = []
        for name, text in reference.pages().items():
            page = folder / name
            if page.exists() and page.read_text(encoding="utf-8") == text:
                continue
            stale.append(name)
            if not check:
                folder.mkdir(parents=True, exist_ok=True)
                page.write_text(text, encoding="utf-8")
        if check and stale:
            raise CommandError(f"docs/reference is out of date ({', '.join(stale)}): run `make reference`")
        self.stdout.write(f"docs/reference: {'up to date' if not stale else 'wrote ' + ', '.join(stale)}")
