"""Calls of the shipped app over real sockets: refused, missed, called back, talked. B16–B18, B26, B27, B40, B55, B59,
B60, each as what the person would have suffered."""

from collections.abc import Callable

import pytest

from tests.caller import CallPhone, Ring
from tests.client import Phone
from tests.venue import Venue

Guest = Callable[..., Phone]
Pair = tuple[CallPhone, CallPhone]


@pytest.fixture
def pair(guest: Guest) -> Pair:
    """小雨 and 阿南, who has 1,000 gold; both signed in and connected."""
    phones = guest("小雨", "Female", kind=CallPhone), guest("阿南", "Male", kind=CallPhone, gold=1000)
    for phone in phones:
        phone.wait_for(lambda phone=phone: phone.connected)
    return phones  # type: ignore[return-value]


def ring(caller: CallPhone, callee: CallPhone) -> Ring:
    assert caller.due(callee.user.id).ok, caller.screen.toasts
    rung: Ring = callee.wait_for(lambda: callee.ring)
    return rung


def talk(caller: CallPhone, callee: CallPhone) -> None:
    ring(caller, callee)
    assert callee.accept().ok
    for phone in (caller, callee):
        phone.wait_for(lambda phone=phone: phone.in_call)


def over(*phones: CallPhone) -> None:
    for phone in phones:
        phone.wait_for(lambda phone=phone: phone.in_call is None)


def test_an_evening_of_calls(venue: Venue, pair: Pair) -> None:
    rain, south = pair

    # Refused.
    shown = ring(south, rain)
    assert (shown.name, shown.gender, shown.from_id) == ("阿南", "Male", south.user.id)
    assert 0 < shown.seconds <= 15
    assert rain.refuse().ok
    south.wait_for(lambda: south.received("action", action="cancel-due-chat"))

    # Hung up before anybody answered.
    ring(south, rain)
    assert south.hang_up().ok
    rain.wait_for(lambda: "对方已取消约聊" in rain.screen.toasts)
    assert rain.ring is None

    # Missed: nobody's phone does anything.
    shown = ring(south, rain)
    assert south.due(rain.user.id).ok, "the same call, sent again"
    rain.wait_for(lambda: [line for line in rain.open_messages() if "3次" in line.text], timeout=20)

    # Too late to answer: it rings the other way; the app says type 0 there, too.
    assert rain.accept(shown).ok
    back: Ring = south.wait_for(lambda: south.ring)
    assert (back.type, back.chat_id, back.name) == (1, shown.chat_id, "小雨")
    assert south.accept().ok
    for phone in pair:
        phone.wait_for(lambda phone=phone: phone.in_call)
    assert rain.talk.chat_id == south.talk.chat_id == shown.chat_id
    assert rain.talk.room == south.talk.room
    assert (rain.talk.partner.name, south.talk.partner.name) == ("阿南", "小雨")

    # They talk, change the topic, give.
    before = rain.talk.topic
    assert south.change_topic().ok
    for phone in pair:
        phone.wait_for(lambda phone=phone: phone.talk.topic != before)
    assert rain.talk.topic == south.talk.topic
    assert south.give(103, 1).ok and south.give(103, 2).ok and south.give(103, 2).ok
    for phone in pair:
        phone.wait_for(lambda phone=phone: len(phone.talk.gifts) == 2)
        assert phone.talk.gifts == [(south.user.id, 103, 1), (south.user.id, 103, 2)]
        assert phone.talk.tickets == 4
    assert south.screen.diamonds == venue.gold(south) == 996
    assert venue.points(rain) == 4
    assert rain.call_beat().ok and south.call_beat().ok

    # 阿南 hangs up, 小雨 notices, both are out.
    assert south.stop_call().ok
    rain.wait_for(lambda: "对方被黑社会带走了" in rain.screen.toasts)
    over(rain, south)
    for phone, other in ((rain, south), (south, rain)):
        [line] = phone.open_messages()
        assert (line.from_id, line.type) == (other.user.id, "call")
        assert line.text
    assert venue.reconcile().startswith("The ledger is sound")


def test_two_who_call_each_other_talk_at_once(pair: Pair) -> None:
    rain, south = pair
    ring(south, rain)
    assert rain.due(south.user.id).ok
    for phone in pair:
        phone.wait_for(lambda phone=phone: phone.in_call)
    assert rain.talk.chat_id == south.talk.chat_id


def test_a_partner_whose_phone_dies_does_not_keep_the_other_one_talking_to_nobody(pair: Pair) -> None:
    rain, south = pair
    talk(rain, south)
    south.switch_off()

    def noticed() -> bool:
        return rain.in_call is None or not rain.call_beat().ok

    rain.wait_for(noticed, timeout=20)
    rain.wait_for(lambda: rain.in_call is None)
    assert "对方被黑社会带走了" in rain.screen.toasts


def test_nobody_stays_busy_when_a_caller_vanishes_while_it_rings(guest: Guest, pair: Pair) -> None:
    """B60: the app would have had to end it."""
    rain, south = pair
    ring(south, rain)
    south.switch_off()
    other = guest("新客", "Male", kind=CallPhone)
    assert other.due(rain.user.id).code == 739
    rain.wait_for(lambda: other.due(rain.user.id).ok, timeout=20)


def test_nobody_is_stuck_in_a_call_that_both_end_at_once(pair: Pair) -> None:
    """B40"""
    rain, south = pair
    talk(rain, south)
    chat_id = rain.talk.chat_id
    assert rain.post("chat", "stopChat", chatId=chat_id).ok
    over(south)  # its app ends it too, when it hears; the same call sent meanwhile would cancel that one
    assert south.post("chat", "stopChat", chatId=chat_id).ok
    assert rain.post("chat", "stopChat", chatId=chat_id).ok
    assert rain.post("chat", "stopChat", chatId=0).ok
    assert rain.post("chat", "stopMatchChat").ok


def test_a_call_out_of_ones_own_live_is_answered(pair: Pair) -> None:
    """The app calls first and ends its live when that went well."""
    rain, south = pair
    assert rain.go_on_air("雨夜电台").ok
    assert south.due(rain.user.id).code == 738
    assert "该用户正在直播" in south.screen.toasts
    ring(rain, south)
    assert rain.stop().ok
    assert south.accept().ok
    for phone in pair:
        phone.wait_for(lambda phone=phone: phone.in_call)
