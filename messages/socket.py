"""Messages that come over the socket: `{"msgType": "IM", "msg": {...}}` (D14)."""

from typing import Any

from rest_framework import serializers

from heihei_site.api.errors import InvalidParameter, TokenInvalid
from heihei_site.api.params import IdField
from heihei_site.realtime.events import Event
from messages import params
from messages.selectors import find_person
from messages.services import im


class SentMessage(serializers.Serializer[Any]):
    """The `msg` of such an element."""

    toUserId = IdField()
    msgType = params.kind_field()
    content = params.ContentField()
    clientMsgId = params.client_msg_id_field(required=False, allow_null=True)


def send(user_id: int, element: dict[str, Any]) -> Event | None:
    """As msg/send-msg with `toUserId`. The answer is the stored message, which reaches all of the sender's sockets;
    sent again, it is told to this socket once more."""
    message = SentMessage(data=element["msg"])
    if not message.is_valid():
        raise InvalidParameter
    sender = find_person(user_id)
    if sender is None:  # banned a moment ago
        raise TokenInvalid
    said = message.validated_data
    client_msg_id = said.get("clientMsgId") or ""
    sent = im.send(
        sender=sender,
        recipient_id=said["toUserId"],
        kind=said["msgType"],
        content=said["content"],
        client_msg_id=client_msg_id,
    )
    return None if sent.fresh else im.echo(sender, sent, client_msg_id)
