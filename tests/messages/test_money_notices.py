"""What people are told about their withdrawals, in the name of an account of ours."""

import pytest

from messages.services import official
from payment.services import decisions, payouts, withdrawals
from tests.answers import ok
from tests.messages.conftest import told
from tests.payment.cash import ACCOUNT, earner, gateway, operator
from users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def withdrawal():
    return withdrawals.request(person=earner(points=10_000), alipaycode=ACCOUNT, fen=1_050)


def test_who_gets_money_is_told_once(settings, api, withdrawal):
    decisions.approve(operator=operator(), withdrawal_id=withdrawal.pk)
    with gateway(settings):
        for _ in range(2):
            payouts.pay(withdrawal.pk)
    (message,) = told(withdrawal.owner)
    assert (message["msgType"], message["msg"]["msgType"]) == ("IM", "sysnotify")
    assert message["msg"]["content"]["text"] == "您提现的10.50元已到账，请在支付宝中查看。"
    assert message["msg"]["fromUserId"] == official.account().pk
    listed = ok(api(withdrawal.owner).get("msg/message-list"))
    assert [row["fromUserName"] for row in listed["messages"]] == ["黑黑小助手"]
    assert listed["unreadMsgCount"] == 1


def test_who_gets_points_back_is_told_why(withdrawal):
    decisions.reject(operator=operator(), withdrawal_id=withdrawal.pk, reason="资料不符")
    (message,) = told(withdrawal.owner)
    text = message["msg"]["content"]["text"]
    assert text == "您提现的10.50元没有成功，2100黑票已退回您的账户。原因：资料不符"


def test_nobody_is_told_of_what_was_taken_back(withdrawal):
    op = operator()
    with pytest.raises(decisions.Undecided):
        decisions.reject(operator=withdrawal.owner, withdrawal_id=withdrawal.pk, reason="x")
    decisions.approve(operator=op, withdrawal_id=withdrawal.pk)
    assert told(withdrawal.owner) == []


def test_nobody_signs_in_as_the_account_that_speaks_for_us():
    user = official.account()
    assert official.account() == user
    assert (user.is_staff, user.has_usable_password(), user.phone) == (False, False, None)
    assert User.objects.filter(username=official.USERNAME).count() == 1
