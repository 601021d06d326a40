"""Who is thrown out is out within two seconds: on every call, on every open socket, and after dialling again (I9)."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.app import Answer
from tests.client import Phone
from tests.modern import ModernPhone
from tests.okhttp import WebSocket
from tests.venue import Venue

PROMPT = 2.0
BAN = "from users.models import User; from users.services import bans; bans.ban(User.objects.get(pk={}))"

Guest = Callable[..., Phone]
Enter = Callable[[Phone], Phone]


@contextmanager
def promptly() -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < PROMPT


def call(phone: Phone, path: str, **params: object) -> Answer:
    response = phone.http.get(f"{phone.base_url}api/{path}", {"token": phone.user.token} | params, {})
    assert response is not None, path
    return Answer.of(response)


def sockets(phone: Phone) -> list[WebSocket]:
    """Both of a cold start."""
    phone.open_second_socket()
    phone.wait_for(lambda: phone.connected)
    found = [socket for socket in (phone._first_socket, phone._socket) if socket]
    assert len(found) == 2
    return found


def in_the_audience(phone: Phone, seen_by: Phone) -> bool:
    seen_by.list_users()
    return phone.user.id in {user.id for user in seen_by.screen.people}


def hears_nothing_of(phone: Phone, speaker: Phone, witness: Phone) -> bool:
    """What is said now reaches the witness, and would have reached the phone."""
    text = f"听得到吗 {time.monotonic()}"
    assert speaker.say(text).ok
    witness.wait_for(lambda: text in witness.screen.texts())
    time.sleep(0.3)
    return not phone.received("text", text=text)


def test_who_is_kicked_out_hears_and_does_nothing_more_in_the_room(
    guest: Guest, enter: Enter, anchor: Phone, viewer: Phone
) -> None:
    kicked = enter(guest("吵", kind=ModernPhone, gold=10))
    here = {"liveId": anchor.live.id, "roomId": anchor.live.id}
    with promptly():
        assert call(anchor, "live/kick-out-user", **here, userId=kicked.user.id).ok
        kicked.wait_for(lambda: kicked.received("action", action="quit-live", liveId=anchor.live.id))
        assert not in_the_audience(kicked, seen_by=anchor)
        for path, said, code in (
            ("msg/send-msg", {"text": "喂"}, 506),
            ("live/buy-gift", {"giftId": 101}, 506),
            ("live/buy-bullet", {"message": "喂"}, 506),
            ("live/live-like", {"type": 1}, 506),
            ("live/heart-beat", {"isCreator": 0}, 506),
            ("live/list-live-users", {}, 506),
            ("live/call-request", {}, 506),
            ("live/knock-live-room", {}, 711),
            ("live/join-live", {}, 737),
        ):
            assert call(kicked, path, **here, **said).code == code, path
    assert hears_nothing_of(kicked, anchor, viewer)
    kicked.lose_network()
    kicked.wait_for(lambda: kicked.connected)
    assert hears_nothing_of(kicked, anchor, viewer)
    assert anchor.screen.texts("barrage") == anchor.screen.banners == []


def test_who_is_kicked_from_the_microphone_is_off_it_and_gets_no_token_for_it(
    guest: Guest, enter: Enter, anchor: Phone, viewer: Phone
) -> None:
    kicked, here = enter(guest("吵", kind=ModernPhone)), {"liveId": anchor.live.id}
    assert call(kicked, "live/call-request", **here).ok
    assert call(anchor, "live/accept-conference", **here, userId=kicked.user.id).ok
    for phone in (kicked, anchor):
        assert call(phone, "live/join-conference", **here).ok
    for phone in (kicked, anchor):
        assert call(phone, "live/conference-success", **here).ok
    viewer.wait_for(lambda: viewer.received("action", action="conference-status", status="1"))
    with promptly():
        assert call(anchor, "live/kick-out-user", **here, userId=kicked.user.id).ok
        viewer.wait_for(lambda: viewer.received("action", action="conference-status", status="2"))
        assert call(kicked, "live/join-conference", **here).code == 750
        assert call(kicked, "live/conference-success", **here).code == 750


def test_who_is_banned_is_signed_out_on_every_socket_and_out_of_the_room(
    venue: Venue, guest: Guest, enter: Enter, anchor: Phone, viewer: Phone
) -> None:
    banned, here = enter(guest("骗子", kind=ModernPhone, gold=10)), {"liveId": anchor.live.id}
    lines, token = sockets(banned), banned.user.token
    venue.manage("shell", "-v", 0, "-c", "pass")  # the operators' shell is open
    venue.run(BAN.format(banned.user.id))
    with promptly():
        viewer.wait_for(lambda: all(line.close_code == 4401 for line in lines))
        assert not in_the_audience(banned, seen_by=anchor)
        banned.user.token = token
        for path in ("user/info", "live/join-live", "live/heart-beat", "live/buy-gift", "live/knock-live-room"):
            assert call(banned, path, **here, giftId=101, isCreator=0).code == 720, path
    assert hears_nothing_of(banned, anchor, viewer)
    again = WebSocket(
        f"{banned.url('message', 'channel')}?token={token}", on_text=[].append, on_crash=print, on_end=lambda: None
    )
    viewer.wait_for(lambda: again.close_code == 4401)


def test_when_the_owner_is_banned_nobody_listens_to_them_any_more(
    venue: Venue, guest: Guest, anchor: Phone, viewer: Phone
) -> None:
    [line], live_id = [anchor._socket], anchor.live.id
    assert line
    venue.manage("shell", "-v", 0, "-c", "pass")
    venue.run(BAN.format(anchor.user.id))
    with promptly():
        viewer.wait_for(lambda: viewer.screen.page == "end" and line.close_code == 4401)
        assert call(anchor, "live/heart-beat", liveId=live_id, isCreator=1).code == 720
    assert viewer.say("喂").code in (506, 733)
    late = guest(kind=ModernPhone)
    assert late.join_live(live_id).code in (725, 731)
