"""Gifts in a call: charged once, shown to both, worth something to the other one. D26."""

import pytest

from payment import ledger
from payment.models import Gift
from tests.answers import ok, refused
from tests.chat.conftest import Stage
from users.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("gifts")]


def give(line, other, chat_id=0, gift=103, **said):
    return line.about("buy-gift", chat_id, userId=other.pk, giftId=gift, **said)


def shown(stage, kind="gift"):
    return [message for message in stage.told if message.get("msgType") == kind]


def test_both_see_it_with_what_the_receiver_ever_got(stage: Stage):
    chat_id = stage.talk()
    assert ok(give(stage.a, stage.b, gift_uuid="u", amount=1))["gold"] == 98
    [gift] = shown(stage)
    assert (gift["room"], gift["roomId"], gift["fromUserId"]) == (chat_id, chat_id, stage.a.pk)
    assert (gift["giftId"], gift["amount"], gift["gift_uuid"], gift["totalTicket"]) == (103, 1, "u", 2)
    assert gift["gift"]["name"] == "玫瑰"
    [text] = shown(stage, "text")
    assert text["giftId"] == 103
    assert ledger.balances(stage.b.pk).point == 2
    assert User.objects.get(pk=stage.a.pk).experience == 20
    stage.told.clear()
    assert ok(give(stage.a, stage.b, gift_uuid="u", amount=2))["gold"] == 96
    assert shown(stage)[0]["totalTicket"] == 4


@pytest.mark.parametrize("said", [{"gift_uuid": "u", "amount": 3}, {}])
def test_however_often_it_is_sent_it_costs_once(stage: Stage, said):
    stage.talk()
    for _ in range(3):
        assert ok(give(stage.a, stage.b, **said))["gold"] == 98
    assert len(shown(stage)) == 1


@pytest.mark.parametrize("said", [{"gift_uuid": "u", "amount": 3}, {}])
@pytest.mark.parametrize("change", ["hung up", "dearer", "sold no more"])
def test_who_asks_again_after_things_have_changed_is_answered_the_same(stage: Stage, said, change):
    """The phone lost the first answer, and the gold is gone."""
    chat_id = stage.talk()
    first = ok(give(stage.a, stage.b, **said))
    if change == "hung up":
        ok(stage.b.about("stop-chat"))
    elif change == "dearer":
        Gift.objects.update(gold=50)
    else:
        Gift.objects.update(active=False)
    assert give(stage.a, stage.b, chat_id, **said) == first
    assert (ledger.balances(stage.a.pk).gold, len(shown(stage))) == (98, 1)
    assert give(stage.a, stage.b, chat_id, gift_uuid="u", amount=4)["errorcode"] == {
        "hung up": 732, "dearer": 0, "sold no more": 730
    }[change]  # fmt: skip


def test_it_comes_by_get_from_the_shipped_app(stage: Stage):
    chat_id = stage.talk()
    said = {"userId": stage.b.pk, "giftId": 103, "gift_uuid": "u", "amount": 1, "chatId": chat_id}
    assert ok(stage.a.phone.get("chat/buy-gift", **said))["gold"] == 98


def test_nobody_pays_outside_of_a_call_or_for_somebody_else(stage: Stage):
    no_call = (732, "无效的对话")
    chat_id = ok(stage.a.due(stage.b))["chatId"]
    refused(give(stage.a, stage.b), *no_call)
    ok(stage.a.about("cancel-due-chat"))
    chat_id = stage.talk()
    third = stage.line()
    refused(give(stage.a, third), *no_call)
    refused(give(stage.a, stage.a), *no_call)
    refused(give(third, stage.b), *no_call)
    refused(stage.a.about("buy-gift", userId=987654, giftId=103), 710, "用户不存在")
    refused(give(stage.a, stage.b, gift=9999), 730, "礼物不存在")
    ok(stage.b.about("stop-chat"))
    refused(give(stage.a, stage.b, chat_id), *no_call)
    assert ledger.balances(stage.a.pk).gold == 100
    assert not shown(stage)


def test_without_gold_nothing_is_given(stage: Stage):
    stage.talk()
    refused(give(stage.b, stage.a), 740, "余额不足")
    assert not shown(stage)


def test_minors_do_not_spend(stage: Stage):
    stage.talk()
    User.objects.filter(pk=stage.a.pk).update(birthday="2020-01-01")
    refused(give(stage.a, stage.b), 721, "用户账户异常")
