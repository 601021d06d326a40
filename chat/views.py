"""`chat/*`: one person calls another, and what they do while they talk."""

from django.conf import settings

from chat import params, selectors, serializers
from chat.services import audio, due, gifts, signatures, talk
from chat.services.calls import close_overdue, sides_of
from heihei_site.api.callers import Caller
from heihei_site.api.endpoints import Endpoints
from heihei_site.api.envelope import Nothing
from heihei_site.api.errors import (
    AccountAbnormal,
    CalleeBroadcasting,
    CalleeBusy,
    ChatInvalid,
    NotEnoughGold,
    NotPermitted,
    TooLate,
    UserUnknown,
)
from heihei_site.api.params import Id
from heihei_site.api.throttles import Limit
from payment import gift_params
from payment.services.gifts import Combo
from users.params import Person
from users.selectors import followed_by

api = Endpoints("chat")

RINGS = Limit(settings.CHAT_CALLS, counted_with="calls")


@api.post(raises=[UserUnknown, CalleeBroadcasting, CalleeBusy], limits=[RINGS])
def due_chat(caller: Caller, *, user: Person) -> serializers.Ringing:
    """Calls somebody: they get `due-chat-notify`, and a push if no socket brings it. Wait `expireTime` seconds for
    `join-chat`; ignore it after that. Where the two call each other, both get it at once.

    738 while the callee is on air. 739 while either of the two rings or talks with a third one, and always where one
    blocks the other. Sent again it is the same call. Who is on air ends the live themselves.
    """
    ringing = due.call(caller=caller.person, callee_id=user.pk)
    return {"chat_id": ringing.chat_id, "expire_time": ringing.seconds}


@api.post(raises=[NotPermitted, ChatInvalid])
def cancel_due_chat(caller: Caller, *, chat_id: Id) -> Nothing:
    """The caller hangs up before anybody has answered, or the callee refuses; the other one gets `cancel-due-chat`.

    Also good after the call was accepted, until one's own join-chat; later, and when it is over, nothing happens.
    711 for strangers.
    """
    due.cancel(user=caller.person, chat_id=chat_id)
    return {}


@api.post(raises=[UserUnknown, ChatInvalid, TooLate, CalleeBroadcasting, CalleeBusy], limits=[RINGS])
def accept_chat(caller: Caller, *, chat_id: Id, user_id: Id, type: params.AcceptKind) -> serializers.Waiting:
    """Answers a call of `userId`: both get `join-chat`. `type` is that of `due-chat-notify`.

    Type 0 after the call has rung in vain calls back: `userId` gets `due-chat-notify` of type 1, and the caller of
    this waits `expireTime` seconds; 738 and 739 as in due-chat. 409 where the other one has hung up, 732 for what
    nobody waits for any more.
    """
    seconds = due.accept(user=caller.person, chat_id=chat_id, partner_id=user_id, kind=type)
    return {"expire_time": seconds}


@api.post(raises=[ChatInvalid])
def join_chat(caller: Caller, *, chat_id: Id) -> serializers.Joined:
    """Comes into the call, after `join-chat` and never before. `qiniu` opens the RTC room for a minute; the token is
    fresh each time this is called. Heart-beats follow at once.
    """
    chat, sides = talk.join(user=caller.person, chat_id=chat_id)
    entry = audio.entry(chat.pk, caller.person.pk)
    followed = followed_by(caller.person.pk, chat.people)
    return {
        "chat": {
            **serializers.call_card(chat, sides),
            "init_topic": chat.topic.text if chat.topic else serializers.NO_TOPIC,
            "sides": serializers.side_cards(sides, followed),
            "qiniu": {"room_name": entry.room, "room_token": entry.token},
        }
    }


@api.get(raises=[ChatInvalid])
def get_chat(caller: Caller, *, chat_id: Id) -> serializers.Looked:
    """A call of the caller's, ended ones too. `status`, of the call and of each of the two: 0 entering, 1 there, 2 away
    for a moment, 3 line lost, 4 hung up."""
    chat = selectors.own_call(chat_id, caller.person.pk)
    if chat is not None and chat.overdue:
        close_overdue(chat_id)
        chat = selectors.own_call(chat_id, caller.person.pk)
    if chat is None:
        raise ChatInvalid
    sides = sides_of(chat)
    followed = followed_by(caller.person.pk, chat.people)
    return {"chat": {**serializers.call_card(chat, sides), "sides": serializers.side_cards(sides, followed)}}


@api.post(raises=[ChatInvalid])
def heart_beat(caller: Caller, *, chat_id: Id) -> serializers.Beat:
    """Every `nextTimeout` seconds from join-chat on. After 15 s without one the other is told status 3, and after 15
    more the call is over."""
    talk.beat(user=caller.person, chat_id=chat_id)
    return {"next_timeout": settings.CHAT_HEART_BEAT_SECONDS}


@api.post(raises=[ChatInvalid])
def pause_chat(caller: Caller, *, chat_id: Id) -> Nothing:
    """The caller's app went to the background: the other one gets `pause-chat` and status 2, once.
    Heart-beats go on."""
    talk.pause(user=caller.person, chat_id=chat_id, paused=True)
    return {}


@api.post(raises=[ChatInvalid])
def continue_chat(caller: Caller, *, chat_id: Id) -> Nothing:
    """The caller's app is back: the other one gets `goon-chat` and status 1, once."""
    talk.pause(user=caller.person, chat_id=chat_id, paused=False)
    return {}


@api.post(raises=[ChatInvalid])
def change_topic(caller: Caller, *, chat_id: Id) -> Nothing:
    """Another topic, never the one they have: both get it as `chat-topic`."""
    talk.change_topic(user=caller.person, chat_id=chat_id)
    return {}


@api.post(raises=[UserUnknown, ChatInvalid, AccountAbnormal, NotEnoughGold])
def buy_gift(
    caller: Caller,
    *,
    chat_id: Id,
    user: Person,
    gift: gift_params.GiftParam,
    amount: gift_params.Count = 1,
    gift_uuid: gift_params.ComboKey = "",
) -> serializers.GoldLeft:
    """Gives the other one a gift; both get it as `gift`. The same (gift_uuid, amount) is charged once (D26).

    `amount` is the combo counter: shown, not multiplied. `gold` is what the caller has left.
    """
    combo = Combo(uuid=gift_uuid, count=amount)
    left = gifts.send_gift(sender=caller.person, receiver_id=user.pk, chat_id=chat_id, gift=gift, combo=combo)
    return {"gold": left}


@api.post()
def stop_chat(caller: Caller, *, chat_id: Id = 0) -> Nothing:
    """Hangs up; the other one gets `chat-user-status` with status 2 for who left, and 4 from clients after 1.1 on. For
    strangers, the second time, and for what never was, nothing happens (D24)."""
    talk.stop(user=caller.person, chat_id=chat_id)
    return {}


@api.get()
def get_user_sig(caller: Caller) -> serializers.Signature:
    """What signs the caller in to the RTC vendor until `expireTime` (seconds of the epoch). In a call, join-chat's
    `qiniu` is enough."""
    signed = signatures.of(caller.person.pk)
    return {"user_sig": signed.signature, "sdk_app_id": signed.app, "expire_time": signed.expires}
