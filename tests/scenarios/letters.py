"""Messages, and what other servers of ours say: `msg/*`."""

import json

from chat.events import CallOffered
from heihei_site.realtime.groups import person
from heihei_site.realtime.publish import publish, telling
from live.models import Live
from messages.models import InstantMessage
from messages.room_events import by
from messages.services import entries, im
from tests import factories
from tests.messages.servers import signed
from tests.scenarios.registry import Params, scenario
from users.models import User


def written_to(count: int = 1) -> tuple[User, Params]:
    """By so many people; the last message is the one it is about."""
    reader = factories.person()
    sent = [im.send(sender=factories.person(), recipient_id=reader.pk, kind="text", content={"text": "在吗"})
            for _ in range(count)]  # fmt: skip
    return reader, {"msgId": sent[-1].msg_id}


for path in ("message-list", "message-read-all", "read-all-msg", "read-one-msg", "delete-msg"):

    @scenario(f"msg/{path}")
    def of_who_was_written_to() -> tuple[User | None, Params]:
        return written_to()


@scenario("msg/history-msg")
def history_msg() -> tuple[User | None, Params]:
    """Of somebody who was called, has read that, and was called once more."""
    reader = factories.person()
    for chat_id in (1, 2):
        with telling():
            publish(CallOffered(chat_id=chat_id, type=0, birth_day="", **by(factories.person())), to=person(reader))
        if chat_id == 1:
            entries.read_all(reader.pk)
    return reader, {}


for path in ("message-del", "read-conversation"):

    @scenario(f"msg/{path}")
    def of_one_conversation() -> tuple[User | None, Params]:
        reader, _ = written_to()
        return reader, {"userId": InstantMessage.objects.get().sender_id}


@scenario("msg/conversation-list")
def conversation_list() -> tuple[User | None, Params]:
    return written_to()


@scenario("msg/recall")
def recall() -> tuple[User | None, Params]:
    """Of a message that waits to be pushed."""
    _, params = written_to()
    return InstantMessage.objects.get().sender, params


for action, status in {
    "open-room": Live.Status.PLAYING,
    "close-room": Live.Status.PLAYING,
    "start-live-broadcast": Live.Status.TO_START,
    "stop-live-broadcast": Live.Status.PLAYING,
    "send-msg": Live.Status.PLAYING,
}.items():

    @scenario(f"msg/{action}.action")
    def from_another_server(action: str = action, status: Live.Status = status) -> tuple[User | None, Params]:
        live = factories.live(status=status)
        data = json.dumps({"type": "toLive", "liveId": live.pk, "msg": {"msgType": "system", "text": "x"}})
        given = {"data": data} if action == "send-msg" else {"liveId": live.pk, "roomId": live.pk}
        if action == "close-room":
            del given["liveId"]
        return None, signed(action, **given)
