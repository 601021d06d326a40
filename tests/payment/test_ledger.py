import pytest
from django.db import DataError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from heihei_site.api.errors import NotEnoughGold, NotEnoughPoints
from payment import ledger
from payment.ledger import KeyReused, Leg, gold, house, points, post
from payment.models import Account, Currency, Entry, Transfer
from payment.reconciliation import breaches

pytestmark = pytest.mark.django_db


def pay(payer, payee, amount, key="k"):
    return post(key=key, reason="test", legs=[Leg(gold(payer), -amount), Leg(gold(payee), amount)])


def amounts():
    return list(Entry.objects.order_by("pk").values_list("account__owner", "amount", "balance_after"))


def test_gold_moves_from_one_purse_to_another(person):
    rich, poor = person(gold=50), person()
    posted = pay(rich, poor, 20)
    assert posted.fresh
    assert (posted.balance_after(gold(rich)), posted.balance_after(gold(poor))) == (30, 20)
    assert ledger.balances(rich) == (30, 0)
    assert ledger.balances(poor) == (20, 0)
    assert list(breaches()) == []


def test_who_never_had_anything_has_nothing(person, django_assert_num_queries):
    someone = person()
    with django_assert_num_queries(1):
        assert ledger.balances(someone) == ledger.Balances(gold=0, point=0)
    assert not Account.objects.exists()


def test_posting_again_changes_nothing_and_answers_as_the_first_time(person):
    rich, poor = person(gold=50), person()
    first = pay(rich, poor, 20, "same")
    pay(rich, poor, 5, "other")
    again = pay(rich, poor, 20, "same")
    assert (first.fresh, again.fresh) == (True, False)
    assert again.transfer == first.transfer
    assert again.transfer.created_at == first.transfer.created_at
    assert again.balances_after == first.balances_after == {gold(rich): 30, gold(poor): 20}
    assert ledger.balances(rich).gold == 25


def test_order_of_legs_does_not_make_another_transfer(person):
    rich, poor = person(gold=50), person()
    legs = [Leg(gold(rich), -20), Leg(gold(poor), 20)]
    post(key="k", reason="test", legs=legs)
    assert not post(key="k", reason="test", legs=legs[::-1]).fresh


def test_repeat_is_recognised_by_who_has_nothing_left(person):
    rich, poor = person(gold=20), person()
    pay(rich, poor, 20)
    assert pay(rich, poor, 20).balance_after(gold(rich)) == 0


@pytest.mark.parametrize("other", ["amount", "payee", "reason", "currency"])
def test_other_legs_under_a_known_key_are_refused(person, other):
    rich, poor, stranger = person(gold=50), person(), person()
    pay(rich, poor, 20)
    before = amounts()
    legs = {
        "amount": [Leg(gold(rich), -21), Leg(gold(poor), 21)],
        "payee": [Leg(gold(rich), -20), Leg(gold(stranger), 20)],
        "reason": [Leg(gold(rich), -20), Leg(gold(poor), 20)],
        "currency": [Leg(points(rich), -20), Leg(points(poor), 20)],
    }[other]
    with pytest.raises(KeyReused), transaction.atomic():
        post(key="k", reason="another" if other == "reason" else "test", legs=legs)
    assert amounts() == before


def test_nobody_pays_what_they_do_not_have(person):
    rich, poor = person(gold=19), person()
    before = amounts()
    with pytest.raises(NotEnoughGold), transaction.atomic():
        pay(rich, poor, 20)
    with pytest.raises(NotEnoughPoints), transaction.atomic():
        post(key="k", reason="test", legs=[Leg(points(rich), -1), Leg(points(poor), 1)])
    assert amounts() == before
    assert not Transfer.objects.filter(key="k").exists()
    assert ledger.balances(rich) == (19, 0)


def test_a_refused_key_is_free_when_there_is_gold(person):
    poor, friend = person(), person(gold=50)
    with pytest.raises(NotEnoughGold), transaction.atomic():
        pay(poor, friend, 10, "k")
    pay(friend, poor, 10, "help")
    assert pay(poor, friend, 10, "k").fresh


def test_a_person_may_move_their_own_currencies(person):
    someone = person(gold=10)
    till = "exchange"
    legs = [
        Leg(gold(someone), -10),
        Leg(house(till, Currency.GOLD), 10),
        Leg(points(someone), 10),
        Leg(house(till, Currency.POINT), -10),
    ]
    post(key="k", reason="test", legs=legs)
    assert ledger.balances(someone) == (0, 10)


@pytest.mark.parametrize(
    "legs",
    [
        [],
        [Leg(gold(1), 5)],
        [Leg(gold(1), 5), Leg(gold(2), -4)],
        [Leg(gold(1), 5), Leg(points(2), -5)],
        [Leg(gold(1), 0), Leg(gold(2), 0)],
        [Leg(gold(1), 5), Leg(gold(1), -5)],
    ],
)
def test_malformed_legs_are_a_programming_error(legs):
    with pytest.raises(ValueError, match=r"legs?"):
        post(key="k", reason="test", legs=legs)
    assert not Account.objects.exists()


@pytest.mark.parametrize("key", ["", "k" * 201])
def test_a_key_is_neither_empty_nor_endless(key):
    with pytest.raises(ValueError, match="key"):
        post(key=key, reason="test", legs=[Leg(gold(1), 5), Leg(gold(2), -5)])


def test_house_accounts_keep_no_balance(person):
    person(gold=50)
    till = Account.objects.get(owner=None)
    assert till.balance == 0
    assert list(till.entries.values_list("amount", "balance_after")) == [(-50, None)]


def test_the_caller_can_undo_it(person):
    rich, poor = person(gold=50), person()
    with transaction.atomic():
        pay(rich, poor, 20)
        transaction.set_rollback(True)
    assert ledger.balances(rich).gold == 50
    assert pay(rich, poor, 20).fresh


def test_a_transfer_takes_three_statements_and_one_more_where_gold_comes_in_and_may_pay_a_debt(person):
    rich, poor = person(gold=50), person(gold=1)
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        legs = [Leg(gold(rich), -20), Leg(house("fees", Currency.GOLD), 20)]
        post(key="fee", reason="test", legs=legs)
        before = len(queries)
        pay(rich, poor, 20)
    assert (before, len(queries) - before) == (3 + 2, 4), queries.captured_queries  # the house was opened for the first


class TestTheDatabaseItself:
    """refuses what our own code would never ask for."""

    @pytest.fixture(autouse=True)
    def posted(self, person):
        self.rich, self.poor = person(gold=50), person()
        self.transfer = pay(self.rich, self.poor, 20).transfer
        self.purse = Account.objects.get(owner=self.rich)

    @pytest.mark.parametrize("model", [Transfer, Entry])
    def test_refuses_to_remove(self, model):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            model.objects.all()._raw_delete(using="default")

    def test_refuses_to_change_an_entry(self):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            Entry.objects.update(amount=1)

    def test_refuses_to_change_a_transfer(self):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            Transfer.objects.update(reason="something else")

    def test_refuses_legs_that_do_not_sum_to_zero(self):
        with pytest.raises(IntegrityError, match="sum to zero"), transaction.atomic():
            Entry.objects.create(transfer=self.transfer, account=self.purse, currency="gold", amount=5)

    def test_refuses_a_transfer_without_legs(self):
        with pytest.raises(IntegrityError, match="no legs"), transaction.atomic():
            Transfer.objects.create(key="empty", reason="test", fingerprint="")
            connection.check_constraints()

    def test_refuses_a_negative_balance(self):
        with pytest.raises(IntegrityError, match="account_never_negative"), transaction.atomic():
            Account.objects.filter(pk=self.purse.pk).update(balance=-1)

    def test_refuses_a_second_purse(self):
        with pytest.raises(IntegrityError, match="account_one_purse"), transaction.atomic():
            Account.objects.create(owner_id=self.rich, currency="gold")

    def test_refuses_a_second_house_account_and_one_with_a_balance(self):
        with pytest.raises(IntegrityError, match="account_one_house"), transaction.atomic():
            Account.objects.create(name="grants", currency="gold")
        with pytest.raises(IntegrityError, match="account_is_purse_or_house"), transaction.atomic():
            Account.objects.filter(name="grants").update(balance=1)

    def test_refuses_a_sum_beyond_its_integers(self):
        legs = [Leg(gold(self.rich), 2**63 - 1), Leg(house("grants", Currency.GOLD), 1 - 2**63)]
        with pytest.raises(DataError), transaction.atomic():
            post(key="too much", reason="test", legs=legs)
        assert ledger.balances(self.rich).gold == 30
