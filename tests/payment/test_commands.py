import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from payment import ledger
from payment.ledger import Leg, gold, house, post
from payment.models import Currency, Transfer
from tests.payment.conftest import give_gold


def grant(*arguments):
    call_command("grant", *arguments)


@pytest.mark.django_db
class TestGrant:
    def test_gives_gold_and_points(self, person, capsys):
        someone = person()
        grant("--user", str(someone), "--gold", "50", "--point", "7")
        assert ledger.balances(someone) == (50, 7)
        assert "50 gold and 7 points" in capsys.readouterr().out

    def test_gives_again_when_asked_again(self, person):
        someone = person()
        grant("--user", str(someone), "--gold", "50")
        grant("--user", str(someone), "--gold", "50")
        assert ledger.balances(someone).gold == 100

    def test_gives_once_under_a_key(self, person):
        someone = person()
        for _ in range(2):
            grant("--user", str(someone), "--gold", "50", "--key", "contest-7")
        assert ledger.balances(someone).gold == 50
        with pytest.raises(CommandError, match="contest-7"), transaction.atomic():
            grant("--user", str(someone), "--gold", "51", "--key", "contest-7")
        assert ledger.balances(someone).gold == 50

    @pytest.mark.parametrize("number", ["-5", "1.5", "x", "", "10000000000000", "٣"])
    def test_refuses_what_is_no_amount(self, person, number):
        someone = person()
        with pytest.raises(CommandError):
            grant("--user", str(someone), f"--gold={number}")
        assert not Transfer.objects.exists()

    @pytest.mark.parametrize("user", ["999999", "-1", "100000000000000000000"])
    def test_refuses_an_unknown_user(self, db, user):
        with pytest.raises(CommandError, match="There is no user"):
            grant(f"--user={user}", "--gold", "5")

    def test_refuses_to_give_nothing(self, person):
        with pytest.raises(CommandError, match="Nothing to give"):
            grant("--user", str(person()))


@pytest.mark.django_db(transaction=True)
class TestReconcile:
    @pytest.fixture(autouse=True)
    def some_history(self, person):
        self.rich, self.poor = person(gold=50), person(gold=1)
        legs = [Leg(gold(self.rich), -20), Leg(gold(self.poor), 19), Leg(house("fees", Currency.GOLD), 1)]
        post(key="k", reason="test", legs=legs)

    @pytest.fixture
    def tamper(self):
        """SQL that gets past the triggers, as a restored backup or a superuser's hand might."""

        def run(sql, *values):
            tables = ("payment_entry", "payment_transfer")
            with connection.cursor() as cursor:
                for table in tables:
                    cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
                cursor.execute(sql, values)
                assert cursor.rowcount == 1
                for table in tables:
                    cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")

        return run

    def broken(self, capsys):
        with pytest.raises(CommandError, match="NOT sound"):
            call_command("reconcile")
        return capsys.readouterr().err

    def test_says_sound(self, capsys):
        call_command("reconcile")
        assert "sound: 3 transfers, 2 purses" in capsys.readouterr().out

    def test_finds_a_changed_balance(self, tamper, capsys):
        tamper("UPDATE payment_account SET balance = balance + 1 WHERE owner_id = %s", self.rich)
        said = self.broken(capsys)
        assert "every balance is the sum of its entries" in said
        assert f"of user {self.rich} holds 31 gold, its entries sum to 30" in said

    def test_finds_a_changed_entry(self, tamper, capsys):
        tamper("UPDATE payment_entry SET amount = 21 WHERE amount = 19")
        said = self.broken(capsys)
        assert "every transfer sums to zero" in said
        assert "every entry of a purse records the balance it left" in said

    def test_finds_a_broken_chain(self, tamper, capsys):
        tamper("UPDATE payment_entry SET balance_after = 29 WHERE amount = -20")
        assert self.broken(capsys).count("broken:") == 1

    def test_finds_an_entry_without_its_balance(self, tamper, capsys):
        tamper("UPDATE payment_entry SET balance_after = NULL WHERE amount = -20")
        assert "says nothing" in self.broken(capsys)

    def test_finds_a_transfer_without_legs(self, tamper, capsys):
        tamper("INSERT INTO payment_transfer (key, reason, fingerprint) VALUES ('x', 'test', '')")
        assert "has none" in self.broken(capsys)

    def test_finds_a_removed_leg(self, tamper, capsys):
        tamper("DELETE FROM payment_entry WHERE amount = 19")
        assert "off by -19 gold" in self.broken(capsys)

    def test_finds_the_wrong_currency(self, tamper, capsys):
        tamper("UPDATE payment_account SET currency = 'point' WHERE owner_id = %s", self.rich)
        assert "in its account's currency" in self.broken(capsys)

    def test_says_no_more_than_an_operator_can_read(self, tamper, capsys):
        for number in range(30):
            give_gold(self.rich, 1, key=str(number))
        tamper("UPDATE payment_entry SET amount = -19 WHERE amount = -20")
        tamper("UPDATE payment_entry SET amount = 18 WHERE amount = 19")
        assert self.broken(capsys).count("the balance it left") == 20
