"""A running instance and the people who come to it with their phones."""

import itertools
import json
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import environ
import psycopg2

from heihei_site import embedded
from tests.client import Phone
from tests.processes import ROOT, Instance, wait_until

READY = 180  # seconds for a first start
PATIENCE = 30  # seconds that a person tries: the phone itself gives up after two, and a busy machine may be slower
CONSOLE = """
import io, json, sys, django
from contextlib import redirect_stdout
from django.core.management import call_command
from django.db import connections
django.setup()
for line in sys.stdin:
    said = io.StringIO()
    with redirect_stdout(said):
        call_command(*json.loads(line))
    connections.close_all()
    print(json.dumps(said.getvalue()), flush=True)
"""

SIGN_IN_MANY = """
import json, secrets
from datetime import date
from django.conf import settings
from django.utils import timezone
from users.auth import digest_of
from users.models import Session, User
names = range({count})
people = User.objects.bulk_create(
    [User(display_name=f"p{{name}}", gender="Female", birthday=date(1990, 1, 1)) for name in names]
)
tokens = [secrets.token_hex(32) for name in names]
until = timezone.now() + settings.TOKEN_LIFETIME
Session.objects.bulk_create(
    Session(user=person, digest=digest_of(token), expires_at=until)
    for person, token in zip(people, tokens, strict=True)
)
print(json.dumps([[person.pk, token] for person, token in zip(people, tokens, strict=True)]))
"""

AnyPhone = TypeVar("AnyPhone", bound=Phone)


@contextmanager
def open_venue() -> Iterator["Venue"]:
    with tempfile.TemporaryDirectory(prefix="heihei-", ignore_cleanup_errors=True) as place:
        var = Path(place)
        var.chmod(0o755)  # the database's own account has to enter it
        instance = Instance(var)
        instance.start()
        venue = Venue(instance)
        try:
            come_up(instance)
            yield venue
        finally:
            venue.close()
            instance.end()


def come_up(instance: Instance) -> None:
    try:
        wait_until(instance.healthy, READY, "/health is 200")
    except AssertionError as error:
        raise AssertionError(f"{error}\n{instance.console()[-5000:]}") from None


class Venue:
    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.base_url = f"http://127.0.0.1:{instance.port}"
        self._numbers = itertools.count(1)
        self._console: subprocess.Popen[str] | None = None

    # --- People ----------------------------------------------------------------------------------------------

    def number(self) -> str:
        return f"198{secrets.randbelow(10**8):08d}"

    def phone(self, kind: type[AnyPhone] = Phone, *, ping_every: float = 0.5) -> AnyPhone:  # type: ignore[assignment]
        """Out of the box, started. Each has an address of its own, as limits by address want it."""
        place = next(self._numbers)
        own_address = f"127.0.{1 + place // 250}.{1 + place % 250}"
        phone = kind(self.base_url, imei=f"8660{place:011d}", ping_every=ping_every, own_address=own_address)
        phone.start()
        return phone

    def sign_in(self, phone: Phone, number: str) -> None:
        """By somebody who taps again where the phone has given up."""
        before = len(self._codes(number))
        wait_until(lambda: phone.request_code(number).ok or len(self._codes(number)) > before, PATIENCE, "a code")
        code = self.code(number, after=before)
        wait_until(lambda: phone.sign_in(number, code).ok, PATIENCE, "signing in")

    def code(self, number: str, *, after: int = 0) -> str:
        """The newest that was sent to the number, when it has got more than `after`."""
        wait_until(lambda: len(self._codes(number)) > after, PATIENCE, "the SMS")
        return self._codes(number)[-1]

    def _codes(self, number: str) -> list[str]:
        outbox = self.instance.var / "outbox" / "sms.jsonl"
        sent = [json.loads(line) for line in outbox.read_text().splitlines()] if outbox.exists() else []
        return [sms["code"] for sms in sent if sms["phone"] == number]

    def guest(
        self,
        name: str,
        gender: str = "Female",
        kind: type[AnyPhone] = Phone,
        *,
        gold: int = 0,  # type: ignore[assignment]
    ) -> AnyPhone:
        """Somebody new, signed in and registered, on the main page."""
        phone = self.phone(kind)
        self.sign_in(phone, self.number())
        assert phone.screen.page == "profile", phone.screen
        wait_until(lambda: phone.complete_profile(name, gender).ok, PATIENCE, "the profile")
        assert phone.screen.page == "main", phone.screen
        if gold:
            self.manage("grant", "--user", phone.user.id, "--gold", gold)
            phone.look_at_myself()
        return phone

    def people(self, count: int) -> list[tuple[int, str]]:
        """Ids and tokens of so many new people, signed in through the back door: by SMS it takes a second each."""
        return [(user_id, token) for user_id, token in json.loads(self.run(SIGN_IN_MANY.format(count=count)))]

    def keep_open(self, room: int) -> None:
        """A live with room for all, which no missed heart-beat ends."""
        self.sql("UPDATE live_live SET seats = 1000, owner_deadline = now() + interval '1 hour' WHERE id = %s", room)

    def keep_inside(self, room: int) -> None:
        """Nor does one put anybody out who is in it now."""
        self.sql("UPDATE live_member SET lease_until = now() + interval '1 hour' WHERE live_id = %s", room)

    def later(self, number: str) -> None:
        """A minute passes for the number: it may ask for a code again."""
        self.sql("UPDATE users_phonecode SET sent_at = sent_at - interval '61 seconds' WHERE phone = %s", number)

    # --- Behind the counter ----------------------------------------------------------------------------------

    def manage(self, *command: object) -> str:
        """What a `manage.py` command of the operators prints; one process runs them all."""
        if self._console is None:
            self._console = subprocess.Popen(
                [sys.executable, "-c", CONSOLE],
                cwd=ROOT,
                env=self.instance.environment() | {"DJANGO_SETTINGS_MODULE": "heihei_site.settings"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._console.stdin and self._console.stdout
        print(json.dumps([str(word) for word in command]), file=self._console.stdin, flush=True)
        line = self._console.stdout.readline()
        if not line:
            self._console = None  # the next command gets another one
            raise AssertionError(f"{command} failed")
        return str(json.loads(line))

    def run(self, program: str) -> str:
        """What a few lines of Python print in the operators' shell."""
        return self.manage("shell", "-v", 0, "-c", program)

    @contextmanager
    def database(self) -> Iterator[Any]:
        """A cursor in a transaction of its own."""
        found = embedded.addresses(self.instance.var)
        assert found, "nothing runs here"
        options = environ.Env.db_url_config(found.database_url)
        place = {"dbname": options["NAME"], "user": options["USER"], "port": options["PORT"], **options["OPTIONS"]}
        with closing(psycopg2.connect(**place)) as connection, connection, connection.cursor() as cursor:
            yield cursor

    def sql(self, statement: str, *values: object) -> Any:
        """The first value of the first row, if the statement gives rows."""
        with self.database() as cursor:
            cursor.execute(statement, values)
            row = cursor.fetchone() if cursor.description else None
        return row and row[0]

    def gold(self, phone: Phone) -> int:
        return int(self._balance(phone, "gold"))

    def points(self, phone: Phone) -> int:
        return int(self._balance(phone, "point"))

    def _balance(self, phone: Phone, currency: str) -> int:
        purse = "SELECT balance FROM payment_account WHERE owner_id = %s AND currency = %s"
        return self.sql(purse, phone.user.id, currency) or 0

    def reconcile(self) -> str:
        return self.manage("reconcile")

    def close(self) -> None:
        if self._console and self._console.stdin:
            with suppress(BrokenPipeError):  # a command failed; that has been said
                self._console.stdin.close()
            self._console.wait(10)
