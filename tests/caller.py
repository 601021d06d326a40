"""The shipped app when it calls and is called (android_client.md 3.5, 5.4): what it reads, and what it does then."""

from dataclasses import dataclass, field
from functools import partial

from tests.app import Answer, AppCrash, Stuck, User
from tests.client import Phone
from tests.orgjson import Json

HUNG_UP = (2, 3)  # the statuses that the app takes for the end; it knows no others


@dataclass(frozen=True)
class Ring:
    """What the banner shows."""

    chat_id: int
    from_id: str
    name: str
    gender: str
    seconds: int
    type: int


@dataclass
class Call:
    chat_id: int
    partner: User
    room: str
    token: str
    topic: str
    tickets: int = 0
    gifts: list[tuple[str, int, int]] = field(default_factory=list)


@dataclass(frozen=True)
class ListLine:
    """A line of the message list as it stands on the screen."""

    from_id: str
    name: str
    text: str
    type: str


class CallPhone(Phone):
    ring: Ring | None = None
    waiting_for: int = 0
    wait_seconds: int = 0
    in_call: Call | None = None
    ended: tuple[int, ...] = ()

    # --- Calling and being called --------------------------------------------------------------------------------

    def due(self, user_id: str) -> Answer:
        answer = self._toast(self.post("chat", "dueChat", userId=user_id))
        if answer.ok and answer.json:
            self.waiting_for, self.wait_seconds = answer.json.opt_long("chatId"), answer.json.opt_int("expireTime")
        return answer

    def hang_up(self) -> Answer:
        """While it still rings."""
        answer = self.get("chat", "cancelDueChat", chatId=self.waiting_for)
        self.waiting_for = 0
        return answer

    def accept(self, ring: Ring | None = None) -> Answer:
        """Type 0 whatever it is, as the app does. 738 and 409 close the dialog, with any other refusal it stays."""
        ring = ring or self._rung()
        answer = self.post("chat", "acceptChat", userId=ring.from_id, chatId=ring.chat_id, type=0, msgId="")
        if answer.ok:
            self.screen.toasts.append("连接成功！")
            self.ring = None
        elif answer.code in (738, 409):
            self._toast(answer)
            self.ring = None
        return answer

    def refuse(self) -> Answer:
        answer = self.get("chat", "cancelDueChat", chatId=self._rung().chat_id)
        self.ring = None
        return answer

    def _rung(self) -> Ring:
        if self.ring is None:
            raise Stuck("nothing rings")
        return self.ring

    # --- In the call ---------------------------------------------------------------------------------------------

    def _join(self, chat_id: int) -> None:
        answer = self.post("chat", "joinChat", chatId=chat_id)
        if not answer.ok or not answer.json:
            return  # ignored silently
        chat = answer.json.opt_obj("chat")
        if not chat:
            raise Stuck("join-chat without chat")
        users, qiniu = chat.opt_arr("users"), chat.opt_obj("qiniu")
        partner = [one for one in (users.objects() if users else ()) if one and one.opt_str("id") != self.user.id]
        if not partner or not qiniu:
            raise Stuck("in a call without anybody, or without sound")
        self.in_call = Call(
            chat.opt_long("chatId"),
            User().read(partner[-1]),
            qiniu.opt_str("roomName"),
            qiniu.opt_str("roomToken"),
            chat.opt_str("initTopic"),
        )
        self.waiting_for = 0
        self.call_beat()

    def call_beat(self) -> Answer:
        return self.post("chat", "heartBeat", chatId=self.talk.chat_id)

    @property
    def talk(self) -> Call:
        if self.in_call is None:
            raise Stuck("not in a call")
        return self.in_call

    def change_topic(self) -> Answer:
        return self.post("chat", "changeTopic", chatId=self.talk.chat_id)

    def give(self, gift_id: int, amount: int = 1, combo: str = "c" * 32) -> Answer:
        said = {"userId": self.talk.partner.id, "chatId": self.talk.chat_id, "giftId": gift_id}
        answer = self.get_sync("chat", "buyGift", stop=(0, 740), **said, gift_uuid=combo, amount=amount)
        if answer.ok and answer.json:
            self.screen.diamonds = answer.json.opt_int("gold")
        return answer

    def stop_call(self) -> Answer:
        """Only 0 brings the app back from its call."""
        call = self.talk
        answer = self.post("chat", "stopChat", chatId=call.chat_id)
        if answer.ok:
            self.in_call, self.ended = None, (*self.ended, call.chat_id)
        return answer

    # --- What it hears -------------------------------------------------------------------------------------------

    def _act(self, message: Json) -> None:
        super()._act(message)
        action = message.opt_str("action")
        if action == "due-chat-notify":
            self.ring = Ring(
                message.opt_long("chatId"),
                message.opt_str("fromUserId"),
                message.opt_str("fromUserName"),
                message.opt_str("gender"),
                message.opt_int("expireTime"),
                message.opt_int("type"),
            )
        elif action == "cancel-due-chat" and self.ring:
            self.screen.toasts.append("对方已取消约聊")
            self.ring = None
        elif action == "join-chat":
            self.ring = None
            self._later(partial(self._join, message.opt_long("chatid")))
        elif action == "chat-topic" and self.in_call:
            self.in_call.topic = message.opt_str("text")
        elif action == "chat-user-status":
            self._partner_is(message)

    def _partner_is(self, message: Json) -> None:
        call = self.in_call
        users = message.opt_arr("user")
        if call is None or users is None or message.opt_long("chatId") != call.chat_id:
            return
        partner = [one for one in users.objects() if one and one.opt_int("id") != int(self.user.id)]
        if partner and partner[-1].opt_int("status") in HUNG_UP:
            self.screen.toasts.append("对方被黑社会带走了")
            self._later(self.stop_call)

    def _dispatch(self, message: Json) -> None:
        super()._dispatch(message)
        call = self.in_call
        if call and message.opt_str("msgType") == "gift" and message.opt_str("roomId") == str(call.chat_id):
            giver = message.opt_str("fromUserId")
            call.tickets = message.opt_int("totalTicket")
            call.gifts.append((giver, message.opt_int("giftId"), message.opt_int("amount")))

    # --- The list ------------------------------------------------------------------------------------------------

    def open_messages(self) -> list[ListLine]:
        answer = self.get("message", "messageList")
        messages = answer.json.opt_arr("messages") if answer.ok and answer.json else None
        if messages is None:
            raise AppCrash("message-list without messages")
        lines = []
        for line in messages.objects():
            data = line.opt_obj("data") if line else None
            if line and data:  # else it is skipped
                lines.append(
                    ListLine(
                        line.opt_str("fromUserId"),
                        line.opt_str("fromUserName"),
                        data.opt_str("text"),
                        data.opt_str("type"),
                    )
                )
        return lines
