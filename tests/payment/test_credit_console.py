"""Operators give and take back in the console (ADR 20)."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from heihei_site.console.models import Act
from payment import ledger
from payment.credit_models import Credit
from payment.services import credits
from tests import factories
from users.models import User

pytestmark = pytest.mark.django_db
LIST, ADD = "/admin/payment/credit/", "/admin/payment/credit/add/"
State = Credit.State


def helper(name, *rights):
    user = User.objects.create(username=name, is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=["view_credit", *rights]))
    client = Client()
    client.force_login(user)
    client.user = user
    return client


@pytest.fixture
def proposer():
    return helper("proposer", "propose_credit")


@pytest.fixture
def approver():
    return helper("approver", "approve_credit")


@pytest.fixture
def person():
    return factories.person(gold=100)


def says(person, **other):
    return {"owner": person.pk, "kind": "compensation", "gold": 50, "point": 0, "reason": "掉线", **other}


def act(client, action, *rows, **said):
    values = {"action": action, "_selected_action": [row.pk for row in rows], **said}
    return client.post(LIST, values, follow=True).content.decode()


def test_one_proposes_and_another_approves(proposer, approver, person):
    assert proposer.post(ADD, says(person)).status_code == 302
    row = Credit.objects.get()
    assert (row.owner, row.proposed_by, row.gold, row.state) == (person, proposer.user, 50, State.PENDING)
    assert "+50 钻石" in approver.get(LIST).content.decode()
    assert "已批准 1 笔" in act(approver, "approve", row)
    assert "已经处理过" in act(approver, "approve", row)
    assert ledger.balances(person.pk).gold == 150
    first = Act.objects.filter(operator=approver.user).order_by("pk").first()
    assert (first.verb, first.object_id) == ("批准申请", str(row.pk))
    assert Act.objects.filter(operator=proposer.user, model="payment.credit", object_id=str(row.pk)).count() == 1


def test_another_refuses_and_says_why(proposer, approver, person):
    row = credits.propose(
        operator=proposer.user, owner=person, kind="compensation", gold=50, point=0, reason="掉线"
    )  # fmt: skip
    assert "拒绝原因" in act(approver, "refuse", row)
    row.refresh_from_db()
    assert row.state == State.PENDING
    assert "已拒绝 1 笔" in act(approver, "refuse", row, answered="yes", reason="没有依据")
    row.refresh_from_db()
    assert (row.state, row.refusal, ledger.balances(person.pk).gold) == (State.REFUSED, "没有依据", 100)
    assert "没有依据" in proposer.get(f"{LIST}{row.pk}/change/").content.decode()


def test_one_is_decided_on_its_own_page_as_well(proposer, approver, person):
    proposer.post(ADD, says(person))
    row = Credit.objects.get()
    page, button = f"{LIST}{row.pk}/change/", reverse("admin:payment_credit_approve", args=[row.pk])
    assert button in approver.get(page).content.decode()
    assert button not in proposer.get(page).content.decode()
    assert proposer.post(button, {"answered": "yes"}).status_code == 403
    assert "批准后立即入账" in approver.get(button).content.decode()
    assert ledger.balances(person.pk).gold == 100
    assert "已批准 1 笔" in approver.post(button, {"answered": "yes"}, follow=True).content.decode()
    assert ledger.balances(person.pk).gold == 150


def test_who_may_propose_does_not_approve_nor_the_other_way_round(proposer, approver, person):
    proposer.post(ADD, says(person))
    row = Credit.objects.get()
    act(proposer, "approve", row)
    assert approver.get(ADD).status_code == approver.post(ADD, says(person)).status_code == 403
    for client in (proposer, approver):
        assert client.post(f"{LIST}{row.pk}/change/", says(person, gold=999)).status_code == 403
        assert client.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    row.refresh_from_db()
    assert (Credit.objects.count(), row.state, row.gold) == (1, State.PENDING, 50)
    assert ledger.balances(person.pk).gold == 100


def test_who_may_do_both_still_needs_another(person):
    both = helper("both", "propose_credit", "approve_credit")
    both.post(ADD, says(person))
    assert "不能审批自己提出的申请" in act(both, "approve", Credit.objects.get())
    assert ledger.balances(person.pk).gold == 100


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"gold": 0}, "钻石和黑票至少填一项"),
        ({"gold": -1}, "补偿和活动奖励不能是负数"),
        ({"kind": "penalty", "gold": 1}, "违规扣回只能是负数"),
        ({"reason": ""}, "字段是必填项"),
        ({"owner": 999_999_999}, "选择一个有效的选项"),
        ({"gold": 50_001}, "超过运营人员每日限额"),
        ({"kind": "penalty", "gold": -(2**63)}, "超过运营人员每日限额"),
    ],
)
def test_what_cannot_be_is_said_and_the_form_stays_as_it_was(proposer, person, said, why):
    page = proposer.post(ADD, says(person, **said), follow=True).content.decode()
    assert why in page
    assert f'value="{says(person, **said)["gold"]}"' in page
    assert not Credit.objects.exists()
    assert not Act.objects.filter(model="payment.credit").exists()


def test_nobody_proposes_for_themselves(proposer):
    assert "不能给自己申请" in proposer.post(ADD, says(proposer.user), follow=True).content.decode()
    assert not Credit.objects.exists()


def test_the_queue_shows_what_waits_the_oldest_first_and_for_how_long(proposer, approver, person):
    def made(hours):
        row = credits.propose(
            operator=proposer.user, owner=person, kind="event", gold=hours, point=0, reason="x"
        )  # fmt: skip
        Credit.objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(hours=hours, minutes=1))
        return row

    old, young, done = made(30), made(3), made(5)
    credits.refuse(operator=approver.user, credit_id=done.pk, reason="x")
    page = approver.get(LIST)
    assert [row.pk for row in page.context["cl"].result_list] == [old.pk, young.pk]
    shown_as = page.content.decode().replace("\xa0", " ")
    assert "1 日" in shown_as and "3 小时" in shown_as

    def shown(**said):
        return [row.pk for row in approver.get(LIST, said).context["cl"].result_list]

    assert shown(state__exact="2") == [done.pk]
    assert shown(state__exact="all") == [done.pk, young.pk, old.pk]
    assert shown(q=done.number) == [done.pk]
    assert shown(q=person.pk) == [done.pk, young.pk, old.pk]
