"""Gold and points from operators: one proposes, another approves, and it is posted once (ADR 20)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connections, transaction
from django.utils import timezone

from heihei_site.api.models import Repeat
from messages.models import InstantMessage
from payment import crash_points, ledger, tasks
from payment.credit_models import Credit
from payment.models import Currency, Transfer
from payment.reconciliation import breaches
from payment.services import credits
from payment.services.decisions import Undecided
from tests import factories
from tests.answers import ok
from tests.payment.cash import give_points, operator
from users.models import User

pytestmark = pytest.mark.django_db
State = Credit.State


@pytest.fixture
def one():
    return operator("one")


@pytest.fixture
def other():
    return operator("other")


@pytest.fixture
def person():
    user = factories.person(gold=100)
    give_points(user, 40)
    return user


def proposed(one, person, *, gold=50, point=0, kind="compensation", reason="掉线"):
    return credits.propose(operator=one, owner=person, kind=kind, gold=gold, point=point, reason=reason)


def approve(other, row):
    return credits.approve(operator=other, credit_id=row.pk)


def held(person):
    return ledger.balances(person.pk)


def told(person):
    return [each.content["text"] for each in InstantMessage.objects.filter(recipient=person).order_by("pk")]


def sound():
    assert list(breaches()) == []


def test_nothing_moves_before_another_operator_approves(one, other, person):
    row = proposed(one, person, gold=50, point=7)
    assert (row.state, held(person), told(person)) == (State.PENDING, (100, 40), [])
    with pytest.raises(Undecided, match="自己提出"):
        approve(one, row)
    assert held(person) == (100, 40)
    assert approve(other, row).state == State.POSTED
    assert held(person) == (150, 47)
    assert told(person) == ["补偿：已为您发放50钻石、7黑票。"]
    row.refresh_from_db()
    assert (row.proposed_by, row.decided_by, row.closed_at is not None) == (one, other, True)
    sound()


def test_its_owner_reads_what_it_was_in_the_statement(one, other, person, api):
    row = approve(other, proposed(one, person, gold=50, point=-7, kind="correction"))
    gold, point = ok(api(person).get("payment/statement", limit=2))["lines"][::-1]
    if gold["currency"] != "gold":
        gold, point = point, gold
    assert (gold["title"], gold["kind"], gold["amount"], gold["balance"]) == ("更正", "credit", 50, 150)
    assert (point["title"], point["order"], point["amount"], point["balance"]) == ("更正", row.number, -7, 33)
    assert told(person) == ["更正：已为您发放50钻石，并扣回7黑票。"]


def test_it_is_posted_once_however_often_it_is_approved(one, other, person):
    row = proposed(one, person)
    approve(other, row)
    for deed in (lambda: approve(other, row), lambda: approve(operator("third"), row)):
        with pytest.raises(Undecided, match="已经处理过"):
            deed()
    assert (held(person), len(told(person))) == ((150, 40), 1)
    sound()


def test_what_is_refused_is_over_and_moves_nothing(one, other, person):
    row = proposed(one, person)
    with pytest.raises(Undecided, match="自己提出"):
        credits.refuse(operator=one, credit_id=row.pk, reason="x")
    credits.refuse(operator=other, credit_id=row.pk, reason="没有依据")
    with pytest.raises(Undecided, match="已经处理过"):
        approve(operator("third"), row)
    row.refresh_from_db()
    assert (row.state, row.refusal, row.decided_by) == (State.REFUSED, "没有依据", other)
    assert (held(person), told(person)) == ((100, 40), [])
    sound()


def test_taking_back_never_leaves_less_than_nothing(one, other, person):
    row = proposed(one, person, gold=-100, point=-41, kind="penalty")
    with pytest.raises(Undecided, match="余额不足"):
        approve(other, row)
    row.refresh_from_db()
    assert (row.state, held(person), told(person)) == (State.PENDING, (100, 40), [])
    give_points(person, 1)
    approve(other, row)
    assert (held(person), told(person)) == ((0, 0), ["违规扣回：已从您的账户扣回100钻石、41黑票。"])
    sound()


def test_gold_pays_what_is_owed_first(one, other):
    person = factories.person(gold=30)
    legs = [ledger.Leg(ledger.gold(person.pk), -50), ledger.Leg(ledger.house("refunds", Currency.GOLD), 50)]
    ledger.post(key="x", reason="test", legs=legs, may_owe=True)
    approve(other, proposed(one, person, gold=60))
    assert (held(person).gold, ledger.debt(person.pk)) == (40, 0)
    sound()


def test_nobody_proposes_or_decides_about_their_own(one, other):
    with pytest.raises(Undecided, match="自己"):
        proposed(one, one)
    row = proposed(one, other)
    with pytest.raises(Undecided, match="给自己"):
        approve(other, row)
    assert not Transfer.objects.exists()


@pytest.mark.parametrize("what", [{"is_active": False}, {"deletion_due_at": timezone.now()}])
def test_from_who_is_banned_or_leaving_is_only_taken_back(one, other, person, what):
    given, taken = proposed(one, person), proposed(one, person, gold=-50, kind="penalty")
    User.objects.filter(pk=person.pk).update(**what)
    person.refresh_from_db()
    with pytest.raises(Undecided, match="只能扣回"):
        approve(other, given)
    with pytest.raises(Undecided, match="只能扣回"):
        proposed(one, person, gold=1)
    approve(other, taken)
    assert held(person).gold == 50
    sound()


def test_what_nobody_decides_in_a_week_is_over(one, other, person):
    late, row = proposed(one, person), proposed(one, person, gold=51)
    assert late.expires_at - late.created_at == timedelta(days=7)
    Credit.objects.filter(pk=late.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(Undecided, match="已过期"):  # whether the sweep has come or not
        approve(other, late)
    assert [tasks.expire_credits() for _ in range(2)] == [1, 0]
    with pytest.raises(Undecided, match="已经处理过"):
        approve(other, late)
    late.refresh_from_db()
    assert (late.state, late.decided_by) == (State.EXPIRED, None)
    approve(other, row)
    assert held(person).gold == 151
    sound()


def test_a_day_has_a_limit_for_who_proposes(settings, one, other, person):
    settings.CREDIT_GOLD_DAY, settings.CREDIT_POINT_DAY = 100, 10
    proposed(one, person, gold=60)
    refused = proposed(one, person, gold=-40, kind="penalty")
    for gold in (1, -1):
        with pytest.raises(Undecided, match="每日限额"), transaction.atomic():
            proposed(one, person, gold=gold, kind="correction")
    proposed(one, person, gold=0, point=10)
    with pytest.raises(Undecided, match="每日限额"), transaction.atomic():
        proposed(one, person, gold=0, point=-1, kind="penalty")
    proposed(other, person, gold=1)
    credits.refuse(operator=other, credit_id=refused.pk, reason="x")
    proposed(one, person, gold=40)
    Credit.objects.filter(state=State.PENDING).update(created_at=timezone.now() - timedelta(days=1))
    proposed(one, person, gold=100)


def test_and_for_who_approves(settings, one, other, person):
    rows = [proposed(one, person, gold=60), proposed(one, person, gold=41)]
    settings.CREDIT_GOLD_DAY = 100
    approve(other, rows[0])
    with pytest.raises(Undecided, match="每日限额"), transaction.atomic():
        approve(other, rows[1])
    rows[1].refresh_from_db()
    assert (rows[1].state, held(person).gold) == (State.PENDING, 160)
    approve(operator("third"), rows[1])
    assert held(person).gold == 201
    sound()


def test_who_clicks_twice_proposes_once(one, person):
    first = proposed(one, person)
    assert proposed(one, person) == first
    assert proposed(one, person, gold=51) != first
    assert proposed(one, person, reason="为了别的事") != first
    Repeat.objects.all().delete()
    assert proposed(one, person) != first


@pytest.mark.parametrize(
    ("kind", "gold", "point"), [("penalty", 1, 0), ("compensation", 0, -1), ("event", 5, -1), ("correction", 0, 0)]
)
def test_it_is_what_it_is_called_and_moves_something(one, person, kind, gold, point):
    with pytest.raises(IntegrityError, match="credit_"), transaction.atomic():
        proposed(one, person, kind=kind, gold=gold, point=point)


def test_what_was_decided_cannot_be_rewritten_and_nothing_is_removed(one, other, person):
    row, waiting = approve(other, proposed(one, person)), proposed(one, person, gold=51)
    rows = Credit.objects.filter(pk=row.pk)
    for deed in (lambda: rows.update(gold=5), rows.delete, Credit.objects.filter(pk=waiting.pk).delete):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            deed()
    for who in (one, person):
        with pytest.raises(IntegrityError, match="credit_"), transaction.atomic():
            Credit.objects.filter(pk=waiting.pk).update(decided_by=who, state=State.POSTED, closed_at=timezone.now())


def test_the_books_are_compared_with_what_was_decided(one, other, person):
    row = proposed(one, person)
    Credit.objects.filter(pk=row.pk).update(state=State.POSTED, decided_by=other, closed_at=timezone.now())
    legs = [ledger.Leg(ledger.gold(person.pk), 9), ledger.Leg(ledger.house("credits", Currency.GOLD), -9)]
    ledger.post(key="credit:another:event", reason="credit", legs=legs)
    promise = "every posted credit moved what it says for its owner, and no other moved anything"
    found = list(breaches())
    assert {breach.promise for breach in found} == {promise}
    assert [breach.detail for breach in found] == [
        f"credit {row.number} of 50 gold and 0 points for {person.pk} is in state 1,  moved  and  for ",
        f"credit  of  gold and  points for  is in state , credit:another:event moved 9 and 0 for {{{person.pk}}}",
    ]


def test_a_credit_that_went_to_somebody_else_is_found(one, other, person):
    row, thief = proposed(one, person), factories.person()
    legs = [ledger.Leg(ledger.gold(thief.pk), 50), ledger.Leg(ledger.house("credits", Currency.GOLD), -50)]
    ledger.post(key=f"credit:{row.number}:{row.kind}", reason="credit", legs=legs)
    Credit.objects.filter(pk=row.pk).update(state=State.POSTED, decided_by=other, closed_at=timezone.now())
    (found,) = breaches()
    assert found.detail.endswith(f"moved 50 and 0 for {{{thief.pk}}}")


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def at_once(self, *deeds):
        def run(deed):
            try:
                return deed()
            except Undecided as why:
                return str(why)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(len(deeds)) as pool:
            return list(pool.map(run, deeds))

    def test_of_many_who_approve_one_does(self, one, person):
        row, others = proposed(one, person), [operator(f"o{number}") for number in range(8)]
        said = self.at_once(*[lambda each=each: approve(each, row) for each in others])
        assert said.count("已经处理过") == 7
        assert (held(person).gold, len(told(person))) == (150, 1)
        sound()

    def test_of_an_approval_and_a_refusal_one_counts(self, one, other, person):
        third = operator("third")
        for number in range(10):
            row = proposed(one, person, gold=50 + number)
            before = held(person).gold
            said = self.at_once(
                lambda row=row: approve(other, row),
                lambda row=row: credits.refuse(operator=third, credit_id=row.pk, reason="x"),
            )
            assert said.count("已经处理过") == 1
            row.refresh_from_db()
            assert held(person).gold - before == (row.gold if row.state == State.POSTED else 0)
        sound()

    def test_an_operator_in_two_windows_stays_within_the_day(self, settings, one, other, person):
        settings.CREDIT_GOLD_DAY = 100
        said = self.at_once(*[lambda gold=gold: proposed(one, person, gold=gold) for gold in range(40, 46)])
        assert said.count("超过运营人员每日限额") == 4
        settings.CREDIT_GOLD_DAY = 60
        said = self.at_once(*[lambda row=row: approve(other, row) for row in Credit.objects.all()])
        assert said.count("超过运营人员每日限额") == 1
        sound()

    @pytest.mark.parametrize("label", ["credit.posted", "credit.committed"])
    def test_it_is_posted_once_whenever_the_console_dies(self, dies, one, other, person, label):
        row = proposed(one, person)
        dies(label, lambda: approve(other, row))
        sound()
        if label == "credit.posted":
            assert held(person).gold == 100
            approve(other, row)
        with pytest.raises(Undecided, match="已经处理过"):
            approve(other, row)
        assert (held(person).gold, len(told(person))) == (150, 1)
        sound()

    def test_every_label_was_killed_at(self):
        labels = [label for label in crash_points.LABELS if label.startswith("credit.")]
        assert labels == ["credit.posted", "credit.committed"]


def test_an_export_of_ones_data_tells_of_it_but_not_what_operators_said_of_it(one, other, person):
    from users import personal_data

    approve(other, proposed(one, person, reason="秘密"))
    (row,) = personal_data.own_data(person.pk)["credits"]
    assert (row["kind"], row["gold"], row["state"]) == ("compensation", 50, State.POSTED)
    assert "秘密" not in str(row)
