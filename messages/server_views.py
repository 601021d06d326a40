"""`messageserver/`: what other servers of ours tell this one (server to server, never a phone).

Every call is signed with MESSAGE_SERVER_KEY. Besides its own parameters it has `timestamp` (seconds), `nonce` (8 to 64
letters, another one each time) and `signature`: HMAC-SHA256 in hexadecimal of the path and the other parameters, sorted
and percent-encoded (`services/server_calls.signature_of`). 701 where it does not fit, is too old, or came before.
"""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from heihei_site.api.callers import Caller
from heihei_site.api.endpoints import Endpoints, Function
from heihei_site.api.envelope import Nothing
from heihei_site.api.errors import InvalidParameter, SignatureWrong
from heihei_site.api.params import Id
from heihei_site.api.parsers import parameters
from messages import params, rooms
from messages.services import relays, server_calls

api = Endpoints("messageserver", prefix="msg", root="messageserver/api")


def _admit(
    caller: Caller, *, signature: params.Signature, timestamp: params.Stamp = "", nonce: params.Nonce = ""
) -> None:
    server_calls.admit(caller.request.path, parameters(caller.request))


def _signed(path: str, **declaration: Any) -> Callable[[Function], Function]:
    """Declares an endpoint that has the parameters of `_admit` beside its own, and is for whom that lets in."""
    _, *words = inspect.signature(_admit).parameters.values()

    def declare(function: Function) -> Function:
        @wraps(function)
        def admitted(caller: Caller, **said: Any) -> Any:
            _admit(caller, **{word.name: said.pop(word.name) for word in words})
            return function(caller, **said)

        own = inspect.signature(function)
        read: Any = admitted  # by the kit: a signature, and what its names mean
        read.__signature__ = own.replace(parameters=[*own.parameters.values(), *words])
        read.__annotations__ = function.__annotations__ | {word.name: word.annotation for word in words}
        return api.post(path=path, open_to_all=True, raises=[SignatureWrong], **declaration)(admitted)

    return declare


@_signed("open-room.action")
def open_room(caller: Caller, *, room_id: Id, live_id: Id | None = None, chat_id: Id | None = None) -> Nothing:
    """Makes sure that a live's or a call's room is open, as it is from its creation until its end. 700 where it is not,
    or is another live's or call's."""
    found = rooms.find_open(room_id)
    named = {"live": live_id, "chat": chat_id}
    if found is None or any(number not in (None, room_id) for number in named.values()):
        raise InvalidParameter
    if any(number is not None for kind, number in named.items() if kind != found.name):
        raise InvalidParameter
    return {}


@_signed("close-room.action")
def close_room(caller: Caller, *, room_id: Id) -> Nothing:
    """Ends the live or the call in a room; everybody in it is told. Again, or where there is none: 0."""
    if found := rooms.find_open(room_id):
        found.close(room_id)
    return {}


@_signed("send-msg.action", key="serverSendMsg")
def server_send_msg(caller: Caller, *, data: params.Content) -> Nothing:
    """Tells `data.msg`, a message as phones know them, to one person or to everybody in an open room.

    `data` is the text of a JSON object: `{"type": "tosingle", "targetUserId": …, "msg": {…}}`, or with `toChat` and
    `chatId`, or with `toLive` and `liveId`; its `timeStamp` is not looked at. What is told to a person is numbered and
    kept as everything else is. 700 for nobody, for a room that is not open, and for what is no message.
    """
    relays.relay(data)
    return {}


@_signed("start-live-broadcast.action")
def start_live_broadcast(caller: Caller, *, live_id: Id, room_id: Id) -> Nothing:
    """Puts a live on air, as its owner's `live/start-live` does; 0 where it is. 700 for one that has ended or never
    was."""
    _live(live_id, room_id).start(live_id)
    return {}


@_signed("stop-live-broadcast.action")
def stop_live_broadcast(caller: Caller, *, live_id: Id, room_id: Id) -> Nothing:
    """Ends a live; everybody in it is told. Again, or where there is none: 0."""
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
