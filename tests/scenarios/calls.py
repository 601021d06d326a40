"""Calls of two people: `chat/*`."""

from chat.services import due, matching, talk, tips, topics
from payment.services import purchases
from tests import factories
from tests.scenarios.registry import Params, scenario
from users.models import User


def ringing() -> tuple[User, User, int]:
    """Who calls, who is called, and their call."""
    topics.seed()
    caller, callee = factories.person(gold=100), factories.person()
    return caller, callee, due.call(caller=caller, callee_id=callee.pk).chat_id


def talking() -> tuple[User, User, int]:
    """Both are there, and one has given the other something before."""
    caller, callee, chat_id = ringing()
    due.accept(user=callee, chat_id=chat_id, partner_id=caller.pk, kind=due.FIRST)
    for who in (caller, callee):
        talk.join(user=who, chat_id=chat_id)
        talk.beat(user=who, chat_id=chat_id)
    who = {"user_id": caller.pk, "receiver_id": callee.pk}
    purchases.pay_for(**who, gold=1, reason="gift", key=f"earlier gift:{caller.pk}")
    return caller, callee, chat_id


@scenario("chat/due-chat")
def due_chat() -> tuple[User | None, Params]:
    return factories.person(), {"userId": factories.person().pk}


@scenario("chat/cancel-due-chat")
def cancel_due_chat() -> tuple[User | None, Params]:
    caller, _, chat_id = ringing()
    return caller, {"chatId": chat_id}


@scenario("chat/accept-chat")
def accept_chat() -> tuple[User | None, Params]:
    caller, callee, chat_id = ringing()
    return callee, {"chatId": chat_id, "userId": caller.pk, "type": 0}


@scenario("chat/buy-gift")
def buy_gift_in_a_call() -> tuple[User | None, Params]:
    caller, callee, chat_id = talking()
    return caller, {"chatId": chat_id, "userId": callee.pk, "giftId": 101, "gift_uuid": "u", "amount": 1}


for path in ("join-chat", "heart-beat", "get-chat", "pause-chat", "continue-chat", "change-topic", "stop-chat"):

    @scenario(f"chat/{path}")
    def of_a_call() -> tuple[User | None, Params]:
        caller, _, chat_id = talking()
        return caller, {"chatId": chat_id}


@scenario("chat/get-user-sig")
def get_user_sig() -> tuple[User | None, Params]:
    return talking()[0], {}


@scenario("chat/match-chat")
def match_chat() -> tuple[User | None, Params]:
    """Where somebody waits: the pair is made in this request."""
    tips.seed()
    matching.seek(factories.person(gender="Male"))
    return factories.person(), {}


@scenario("chat/stop-match-chat")
def stop_match_chat() -> tuple[User | None, Params]:
    seeker = factories.person()
    matching.seek(seeker)
    return seeker, {}
