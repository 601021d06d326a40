"""`messageserver/`: what other servers of ours tell this one (server to server, never a phone).

Every call is signed with MESSAGE_SERVER_KEY. Besides its own parameters it has `timestamp` (seconds), `nonce` (8 to 64
letters, another one each time) and `signature`: HMAC-SHA256 in hexadecimal of the path and the other parameters, sorted
and percent-encoded (`services/server_calls.signature_of`). 701 where it does not fit, is too old, or came before.
"""

from heihei_site.api.callers import Caller
from heihei_site.api.endpoints import Endpoints
from heihei_site.api.envelope import Nothing
from heihei_site.api.errors import InvalidParameter, SignatureWrong
from heihei_site.api.params import Id
from heihei_site.api.parsers import parameters
from messages import params, rooms
from messages.services import relays, server_calls

api = Endpoints("messageserver", prefix="msg", root="messageserver/api")


def _admit(caller: Caller) -> None:
    server_calls.admit(caller.request.path, parameters(caller.request))


@api.post(path="open-room.action", open_to_all=True, raises=[SignatureWrong])
def open_room(
    caller: Caller,
    *,
    room_id: Id,
    signature: params.Signature,
    timestamp: params.Stamp = "",
    nonce: params.Nonce = "",
    live_id: Id | None = None,
    chat_id: Id | None = None,
) -> Nothing:
    """Makes sure that a live's or a call's room is open, as it is from its creation until its end. 700 where it is not,
    or is another live's or call's."""
    _admit(caller)
    found = rooms.find_open(room_id)
    named = {"live": live_id, "chat": chat_id}
    if found is None or any(number not in (None, room_id) for number in named.values()):
        raise InvalidParameter
    if any(number is not None for kind, number in named.items() if kind != found.name):
        raise InvalidParameter
    return {}


@api.post(path="close-room.action", open_to_all=True, raises=[SignatureWrong])
def close_room(
    caller: Caller,
    *,
    room_id: Id,
    signature: params.Signature,
    timestamp: params.Stamp = "",
    nonce: params.Nonce = "",
) -> Nothing:
    """Ends the live or the call in a room; everybody in it is told. Again, or where there is none: 0."""
    _admit(caller)
    if found := rooms.find_open(room_id):
        found.close(room_id)
    return {}


@api.post(path="send-msg.action", key="serverSendMsg", open_to_all=True, raises=[SignatureWrong])
def server_send_msg(
    caller: Caller,
    *,
    data: params.Content,
    signature: params.Signature,
    timestamp: params.Stamp = "",
    nonce: params.Nonce = "",
) -> Nothing:
    """Tells `data.msg`, a message as phones know them, to one person or to everybody in an open room.

    `data` is the text of a JSON object: `{"type": "tosingle", "targetUserId": …, "msg": {…}}`, or with `toChat` and
    `chatId`, or with `toLive` and `liveId`; its `timeStamp` is not looked at. What is told to a person is numbered and
    kept as everything else is. 700 for nobody, for a room that is not open, and for what is no message.
    """
    _admit(caller)
    relays.relay(data)
    return {}


@api.post(path="start-live-broadcast.action", open_to_all=True, raises=[SignatureWrong])
def start_live_broadcast(
    caller: Caller,
    *,
    live_id: Id,
    room_id: Id,
    signature: params.Signature,
    timestamp: params.Stamp = "",
    nonce: params.Nonce = "",
) -> Nothing:
    """Puts a live on air, as its owner's `live/start-live` does; 0 where it is. 700 for one that has ended or never
    was."""
    _admit(caller)
    _live(live_id, room_id).start(live_id)
    return {}


@api.post(path="stop-live-broadcast.action", open_to_all=True, raises=[SignatureWrong])
def stop_live_broadcast(
    caller: Caller,
    *,
    live_id: Id,
    room_id: Id,
    signature: params.Signature,
    timestamp: params.Stamp = "",
    nonce: params.Nonce = "",
) -> Nothing:
    """Ends a live; everybody in it is told. Again, or where there is none: 0."""
    _admit(caller)
    if live_id != room_id:
        raise InvalidParameter
    found = rooms.find_open(live_id)
    if found is not None and found.name == "live":
        found.close(live_id)
    return {}


def _live(live_id: int, room_id: int) -> rooms.RoomKind:
    found = rooms.find_open(live_id)
    if live_id != room_id or found is None or found.name != "live":
        raise InvalidParameter
    return found
