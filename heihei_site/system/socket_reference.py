"""`docs/reference/events.md`: the socket for those who write clients. Numbers come from the code that keeps to them."""
# ruff: noqa: E501  (rows of Markdown tables)

import dataclasses
import inspect
import re
import types
from collections.abc import Iterable, Iterator
from typing import Any, Union, get_args, get_origin, get_type_hints, is_typeddict

from django.conf import settings

from heihei_site.api import wire
from heihei_site.api.clients import EVERYONE
from heihei_site.realtime import consumers, feeds, hub, outlet, server, turnstile
from heihei_site.realtime.events import Event, Kind, catalogue
from heihei_site.system.address_book import SOCKET_PATH
from messages.services import push_delivery

PING_SECONDS = 20  # uvicorn's own settings, interval and time-out
KB = 1024

_FRAME = f"{settings.SOCKET_FRAME_BYTES // KB} KB"
_MINUTE = f"{settings.ROOM_RESUME.total_seconds():g} s"
_KEPT = f"the newest {settings.PERSONAL_MESSAGES_KEPT:,} and none older than {settings.PERSONAL_MESSAGES_AGE.days} days"

TO = {
    Kind.ROOM: "everyone in the room, each one in order of `roomSeq`",
    Kind.PERSONAL: "one person on all phones, each one in order of `seq`, kept for who is away",
    Kind.ANSWER: "this socket only",
}
TO_STATE = {
    True: "everyone in the room, the latest value",
    False: "one person, the latest value",
}

HEAD = f"""# The socket

One WebSocket a signed-in phone, for everything that happens to its person and in the rooms they are in. HTTP is for
deeds, the socket tells what came of them; writing to a person works both ways.

## Connecting

`ws(s)://<host>/{SOCKET_PATH}?token=<token>[&since=<seq>][&room=<liveId>:<roomSeq>]…` (`message.channel` of `init`).

No Origin, subprotocol or first frame is needed. A handshake is always answered; a bad token is told by closing with
{outlet.ENDED}. From the answer on everything is heard that is said. Entering and leaving rooms over HTTP needs no new connection.

Of several connections with one token only the newest gets messages; an older one stays open and silent for good.

## What comes

Text frames of at most {_FRAME}, each a JSON array of elements, in order:

```json
[{{"msg": {{"msgType": "text", "roomId": 77, "text": "hello", "msgId": 5}}, "timeStamp": 1479960000, "roomSeq": 12}}]
```

| key | |
| --- | --- |
| `msg` | the message; `msgType`, and for actions `action`, say which. Pass over what you do not know |
| `timeStamp` | seconds |
| `seq` | on personal messages: counts this person's messages from 1 |
| `roomSeq` | on room messages: counts this room's messages from 1 |
| `msgType`, `users` | on IM: `"IM"`, and the cards of both people by id |

Numbers grow by one. One may be left out where a message is for newer clients only; they never come twice or out of order.
State messages and answers to this socket have none.

## After a connection is lost

Keep the highest `seq` of the person, across restarts of the app, and the highest `roomSeq` of the rooms they are in.
Connect with them, and what was missed comes first: each stream in order, then what is new in it, nothing twice, nothing
left out. Person and rooms come in any order among each other.

* `since=<seq>`: the personal messages after that one. Kept are {_KEPT};
  `since=0` replays them all. Without `since` nothing is replayed.
* `since` beyond the end, or older than what is kept: action `resync` comes instead. Load conversations and lists anew over
  HTTP, and go on counting from its `seq`.
* An invitation whose time is over is replayed as action `expired`, under its own `seq`; one that is still open with what
  remains of its `expireTime`.
* `room=<liveId>:<roomSeq>`, up to {consumers.RESUMED_ROOMS} times: what was missed there in the last {_MINUTE}, if the person is still in that
  room. Where the first number is not the next one, more was missed: ask over HTTP who is there.

## Without an account

`ws(s)://<host>/ws/guest?liveid=<liveId>&sign=<sign>`, with both of a share link, hears a live that goes on or is about to. The messages
are for people who look on: `msg` has a `kind` (the `msgType`, or the name of an action) and what is to be shown of it, nobody's
number. What was missed is not replayed. The socket is closed with {outlet.OVER} at the end of the live, with {outlet.ENDED} where the
link opens nothing, and with {outlet.TOO_MANY} for a guest who sends something.

## When the server closes

| code | it means | do |
| --- | --- | --- |
| {outlet.ENDED} | the token is not or no longer good | sign in again; do not come back with this token |
| {outlet.TOO_SLOW} | you did not read fast enough: {settings.SOCKET_QUEUE_BYTES // KB} KB waited, or anything for {settings.SOCKET_SEND_TIMEOUT} s | connect at once with `since` and `room` |
| {outlet.TRY_AGAIN} | this process is going, has no database, you have been here for hours, or come too often | connect within a few seconds, at a random moment, with `since` and `room` |
| {server.FLOOD} | you sent more frames than any person causes, or have many sockets and this is the oldest | connect after a minute; it is a fault of the client |
| 1009 | a frame of yours was longer than {_FRAME} | connect; do not send it again |
| 1002, 1007 | a frame of yours was no WebSocket frame, or no UTF-8 | connect; it is a fault of the client |
| none | the connection broke | connect after 1 s, then 2, 4 … 30 s, each time a random part more |

The server pings every {PING_SECONDS} s and hangs up on who has not answered {PING_SECONDS} s later. Ping it as you like: the pong has the same
payload. Your own close frame may carry any code, 0 included.

## What a client may send

From 2.0 on, text frames with a JSON array of elements. There is one kind:

```json
[{{"msgType": "IM", "msg": {{"toUserId": 10002, "msgType": "text", "content": {{"text": "hello"}}, "clientMsgId": "a1"}}}}]
```

* `msgType` and `content` are those of `msg/send-msg`: text, image, audio, video, gift.
* It is stored and sent when it comes back as `IM/…` with your `clientMsgId`, its `msgId` and `createTime`, on all of the
  sender's own sockets. Until then send it again, after every new connection: the same `clientMsgId` is stored once. A
  repeat is answered on the socket it came by, without a number.
* What is not accepted comes back as action `refused`, on this socket only, with the `errorcode` and `errormsg` that
  `msg/send-msg` would give ([errors.md](errors.md)) and the `clientMsgId`. What cannot be read at all is refused the same
  way, with none.
* The elements of a socket are handled one after the other, in order.

## Limits

| | |
| --- | --- |
| a frame, either way | {_FRAME} |
| frames from a client, pings included | {server.FRAMES_A_SECOND} a second, {server.FRAMES_AT_ONCE} at once |
| elements of a client's frame | {consumers.ELEMENTS:,}; many are handled at {consumers.ELEMENTS_A_SECOND} a second |
| connects with one token | {turnstile.AT_ONCE} at once, {turnstile.A_SECOND:g} a second; more are closed with {outlet.TRY_AGAIN} |
| sockets of one token | {hub.SESSION_SOCKETS} of a process; with more, the oldest is closed with {outlet.TOO_MANY} |
| IM | {settings.INSTANT_MESSAGES} for one person, else errorcode 429 |
| state messages of a name | one in {feeds.STATE_SECONDS:g} s |
| a connection | {settings.SOCKET_MAX_AGE * 3 // 4 // 3600}–{settings.SOCKET_MAX_AGE // 3600} hours, then {outlet.TRY_AGAIN} |

## Messages

Every message has a `msgId` of its own. *Optional* fields are left out where they do not apply; `../` stands beside `msg`.
"""


PUSHES = f"""## Pushes

Of some personal messages who has no socket {settings.PUSH_DELAY.total_seconds():g} s later gets a push on the devices registered with `user/push-device-info`, as
long as `push_enable` is "1": of one conversation or live the newest, then for {settings.PUSH_PAUSE.total_seconds():g} s none; at most {settings.PUSHES_AN_HOUR} an hour; between {settings.QUIET_HOURS[0]}:00
and {settings.QUIET_HOURS[1]:02}:00 in Shanghai none but calls, what is still of use then comes in the morning. Its `msgId` is the message's own, which
also comes over the socket: show it once. The 1.1 app gets none, and no client gets a link that it does not know.

| in the payload | |
| --- | --- |
"""


def page() -> str:
    events = [event for event in catalogue if not event.__module__.startswith("tests.")]
    sections = ["\n".join(_section(event)) for event in sorted(events, key=name_of)]
    payload = "".join(f"| `{name}` | {kind} |\n" for name, kind in fields_of_push())
    return HEAD + "\n" + "\n".join(sections) + "\n" + PUSHES + payload


def name_of(event: type[Event]) -> str:
    """As the document names it: `gift`, `action/stop-live`, `IM/text`."""
    return "/".join(filter(None, (event.envelope, event.msg_type, event.action)))


def _section(event: type[Event]) -> Iterable[str]:
    yield f"### {name_of(event)}\n"
    whom = TO_STATE["room_id" in event.__dataclass_fields__] if event.kind is Kind.STATE else TO[event.kind]
    needs = "" if event.needs == EVERYONE else f" Clients from {event.needs[0]}.{event.needs[1]} on."
    yield f"*{event.kind.value}*: to {whom}.{needs}\n"
    yield re.sub(r"`([a-z_]+)`", _on_the_wire, inspect.cleandoc(event.__doc__ or "")) + "\n"
    if event.push is not Event.push:
        yield "Also as a [push](#pushes) to who is away.\n"
    yield "| in `msg` | |\n| --- | --- |"
    if event.comment:
        yield f"| `comment` | “{event.comment}” |"
    yield from (f"| `{name}` | {kind} |" for name, kind in fields_of(event))
    yield ""


def _on_the_wire(name: re.Match[str]) -> str:
    return f"`{wire.spellings(name[1])[0]}`"


def fields_of(event: type[Event]) -> Iterator[tuple[str, str]]:
    """Every key that the event's class names, dotted inside of objects, with its type. What stands beside `msg` and not
    in it comes last and begins with `../`."""
    hints = get_type_hints(event)
    for field in sorted(dataclasses.fields(event), key=lambda field: bool(field.metadata.get("beside"))):
        if field.name != "version":
            place = "../" if field.metadata.get("beside") else ""
            yield from ((place + name, kind) for name, kind in _member(field.name, hints[field.name], inside=""))


def fields_of_push() -> Iterator[tuple[str, str]]:
    return _members(push_delivery.Payload, inside="")


def _member(key: str, hint: Any, inside: str) -> Iterator[tuple[str, str]]:
    inner, optional = _without_none(hint)
    for name in wire.spellings(key, inside):
        yield name, _type_of(inner) + (" (optional)" if optional else "")
        step, card = _card(inner)
        if card is not None:
            within = key if step != ".<id>" else ""  # as `wire.encode` walks
            yield from ((f"{name}{step}.{rest}", kind) for rest, kind in _members(card, within))


def _members(card: Any, inside: str) -> Iterator[tuple[str, str]]:
    for key, hint in get_type_hints(card).items():
        yield from _member(key, hint | None if key in card.__optional_keys__ else hint, inside)


def _without_none(hint: Any) -> tuple[Any, bool]:
    if get_origin(hint) in (Union, types.UnionType):
        [inner] = [option for option in get_args(hint) if option is not type(None)]
        return inner, True
    return hint, False


def _card(hint: Any) -> tuple[str, Any]:
    """The object that a field is or holds, and how one gets to it: `live.title`, `users[].id`, `users.<id>.level`."""
    if is_typeddict(hint):
        return "", hint
    step = {list: "[]", dict: ".<id>"}.get(get_origin(hint), "")
    held = get_args(hint)[-1] if step else None
    return (step, held) if is_typeddict(held) else ("", None)


_NAMES: dict[Any, str] = {int: "int", str: "string", bool: "bool", list: "array", dict: "object"}


def _type_of(hint: Any) -> str:
    return "object" if is_typeddict(hint) else _NAMES[get_origin(hint) or hint]
