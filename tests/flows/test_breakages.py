"""What would break the shipped app: `android_client.md` section 6, one test a breakage, read with the phone's rules."""

import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from tests.app import Answer, publish_url
from tests.client import FORM, Phone
from tests.modern import ModernPhone
from tests.okhttp import Response, WebSocket
from tests.orgjson import Json
from tests.processes import ROLES, processes_of
from tests.venue import Venue

Guest = Callable[..., Phone]
Enter = Callable[[Phone], Phone]

OPEN_TO_ALL = {
    "user/get-sms-verification-code",
    "user/sign-in-cl-by-phone",
    "user/sign-in",
    "sms/register-phone",
    "sms/verify-phone",
}
CHINESE = re.compile(r"[\u4e00-\u9fff]")
INT_MAX = 2**31 - 1
NOBODYS_LIVE = 4_444_444_444_444_444
SILENCE = 7  # seconds; the usual time-outs that cut idle connections are five


def api_calls(phone: Phone) -> list[str]:
    """Every endpoint that init named, but the one that would end this sign-in, and those of gateways."""
    start = phone.base_url + "api/"
    paths = {url.removeprefix(start) for url in phone.urls.values() if url.startswith(start)}
    assert len(paths) > 25, paths
    return sorted(path for path in paths - {"user/sign-out"} if not path.endswith("callback"))


def get(phone: Phone, path: str, **params: object) -> Response:
    response = phone.http.get(f"{phone.base_url}api/{path}", params, {})
    assert response is not None, f"no answer from {path}"
    return response


def post(phone: Phone, path: str, body: bytes, content_type: str = FORM) -> Response:
    response = phone.http.post(f"{phone.base_url}api/{path}", body, {}, form=content_type)
    assert response is not None, f"no answer from {path}"
    return response


def inside(value: Any) -> Iterator[tuple[str, Any]]:
    """Every key with its value, however deep."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield key, item
            yield from inside(item)
    elif isinstance(value, list):
        for item in value:
            yield from inside(item)


def answers_of_an_evening(anchor: Phone, viewer: Phone) -> dict[str, Any]:
    """What two people read in the course of an evening, as plain JSON by path."""
    here, gift = {"liveId": anchor.live.id}, {"giftId": 101, "gift_uuid": "e" * 32}
    asked: list[tuple[Phone, str, dict[str, object]]] = [
        (viewer, "init", {"ap": "heihei", "version": "1.1.2"}),
        (viewer, "user/info", {}),
        (viewer, "user/info", {"uid": anchor.user.id, "cuid": viewer.user.id}),
        (anchor, "live/unclosed-live", {}),
        (anchor, "live/join-live", here),
        (viewer, "live/join-live", here),
        (viewer, "live/get-live", here),
        (viewer, "live/heart-beat", here | {"isCreator": 0}),
        (viewer, "live/list-live-users", here),
        (viewer, "live/list-live-by-recommend", {}),
        (viewer, "live/list-live-by-user", {"userId": anchor.user.id}),
        (viewer, "live/share-live", here),
        (viewer, "live/gift-info", {}),
        (viewer, "social/gift-resources", {}),
        (viewer, "live/buy-gift", here | gift),
        (viewer, "live/buy-bullet", here | {"message": "冲"}),
    ]
    found = {}
    for number, (phone, path, params) in enumerate(asked):
        answer = json.loads(get(phone, path, token=phone.user.token, **params).content)
        assert answer["errorcode"] == 0, (path, answer)
        found[f"{number} {path}"] = answer
    return found


def live_line(phone: Phone) -> WebSocket:
    assert phone._socket
    return phone._socket


# --- Calls and answers -------------------------------------------------------------------------------------------


def test_b1_who_is_refused_is_told_why_and_not_just_that_it_failed(guest: Guest, anchor: Phone) -> None:
    phone = guest()
    token = phone.user.token
    refused = [
        get(phone, "live/get-live", token="0" * 64, liveId=anchor.live.id),
        get(phone, "user/info"),
        get(phone, "live/join-live", token=token),
        get(phone, "live/join-live", token=token, liveId="abc"),
        get(phone, "live/join-live", token=token, liveId=NOBODYS_LIVE),
        get(phone, "live/change-live", token=token, liveId=anchor.live.id, title="mine"),
        get(phone, "live/buy-gift", token=token, liveId=anchor.live.id, giftId=999),
        get(phone, "no/such-call", token=token),
        post(phone, "live/create-live", b"title=" + b"x" * 3_000_000),
        post(phone, "live/create-live", b"{", "application/json"),
        post(phone, "live/create-live", b"title=x", "text/plain"),
        post(phone, "user/update", b"&".join(b"a%d=1" % number for number in range(1000))),
    ]
    assert [response.status for response in refused] == [200] * len(refused)
    codes = [Answer.of(response).code for response in refused]
    assert codes == [720, 720, 700, 700, 731, 711, 730, 700, 700, 700, 700, 700]

    phone.user.token = "0" * 64
    phone.look_at_myself()
    assert (phone.screen.page, phone.screen.toasts[-1]) == ("login", "此账号已在别处登录")


def test_b2_no_answer_leaves_it_open_whether_it_went_well(guest: Guest) -> None:
    phone = guest()
    for path in api_calls(phone):
        for params in ({}, {"token": phone.user.token}):
            answer = json.loads(get(phone, path, **params).content)
            assert type(answer["errorcode"]) is int and type(answer["errormsg"]) is str, (path, answer)


def test_b3_a_purchase_the_phone_gave_up_on_twice_is_paid_and_shown_once(
    venue: Venue, anchor: Phone, viewer: Phone
) -> None:
    for buy in (lambda: viewer.bullet("慢"), lambda: viewer.gift(103, 1, "s" * 32)):
        with ThreadPoolExecutor(1) as hand:
            with venue.database() as cursor:
                cursor.execute("SELECT 1 FROM payment_account WHERE owner_id = %s FOR UPDATE", [viewer.user.id])
                buying = hand.submit(buy)
                time.sleep(3.4)  # longer than the phone waits, and than one retry counts as the same (D26)
            assert buying.result().ok
    anchor.wait_for(lambda: anchor.screen.banners)
    assert venue.gold(viewer) == viewer.screen.diamonds == 1000 - 1 - 2
    assert anchor.screen.texts("barrage") == ["慢"]
    assert len(anchor.received("gift")) == 1


def test_b5_a_call_counts_whichever_method_the_app_chose(guest: Guest, anchor: Phone, viewer: Phone) -> None:
    phone = guest()
    for path in api_calls(phone):
        asked = Answer.of(get(phone, path, token=phone.user.token))
        sent = Answer.of(post(phone, path, f"token={phone.user.token}".encode()))
        assert (asked.code, asked.text) == (sent.code, sent.text), path

    here = {"liveId": anchor.live.id}
    assert viewer.post("message", "sendMsg", text="POST", roomId=anchor.live.id, **here).ok
    assert viewer.post("live", "buyGift", giftId=101, amount=1, gift_uuid="5" * 32, **here).ok
    assert viewer.post("live", "buyBullet", message="POST", **here).ok
    assert viewer.get("live", "liveLike", type=1, **here).ok
    assert anchor.get("live", "changeLive", title="GET", **here).ok
    viewer.wait_for(lambda: viewer.screen.title == "GET")
    anchor.wait_for(lambda: anchor.screen.chat[-1].text == "点亮了")
    assert [line.text for line in anchor.screen.chat][-4:] == ["POST", "送给主播 小黄瓜", "POST", "点亮了"]


def test_b6_who_changes_the_account_is_not_taken_for_the_one_before(venue: Venue, guest: Guest) -> None:
    phone = guest("小雨", "Female")
    phone.restart()
    assert phone._headers["token"] == phone.user.token
    first = phone.user.id

    venue.sign_in(phone, venue.number())
    phone.complete_profile("阿南", "Male")
    assert phone._headers["token"] != phone.user.token, "the header is that of the process start"
    assert phone.look_at_myself().ok
    assert phone.user.id != first and phone.user.name == "阿南"
    assert phone.go_on_air("换号").ok
    assert phone.say("没有头").ok, "and a sync call has no header at all"
    assert phone.bullet("没有头").code in (700, 740)


def test_b7_what_people_write_arrives_as_they_wrote_it(guest: Guest, enter: Enter, anchor: Phone) -> None:
    for title in ("雨夜 100% {x} +1", "a b+c%41", "1=1; '雨' \"夜\" <b> |^`", "😀+😀", "50%"):
        assert anchor.change_title(title).ok
        assert anchor.look_again().title == title
    viewer = enter(guest("A+b 小"))
    assert viewer.screen.title == "50%"
    viewer.edit_profile(description="我爱%41 + {你} 50% %e4")
    assert viewer.restart().look_at_myself().ok
    assert (viewer.user.name, viewer.user.description) == ("A+b 小", "我爱%41 + {你} 50% %e4")


def test_b8_going_to_the_background_unblocking_and_reporting_do_not_kill_the_app(guest: Guest, anchor: Phone) -> None:
    other = guest()
    assert anchor.go_to_background().ok
    assert anchor.come_back().ok
    assert anchor.block(other.user.id).ok and anchor.look_at(other.user.id).blocked
    assert anchor.unblock(other.user.id).ok and not anchor.look_at(other.user.id).blocked
    assert anchor.report(other.user.id, 3).ok


def test_b10_every_address_of_init_can_be_called_as_it_stands(guest: Guest) -> None:
    phone = guest()
    addresses = {key: value for key, value in phone.urls.items() if not key.startswith("tips")}
    assert {"userunblockUser", "livepauseLive", "livecontinueLive", "messagesendMsg"} <= addresses.keys()
    assert addresses.pop("messagechannel") == phone.base_url.replace("http", "ws") + "ws/channel"
    path = r"(api/[a-z0-9/-]+|static/app/[a-z-]+\.html)"
    for key, url in addresses.items():
        assert re.fullmatch(re.escape(phone.base_url) + path, url, re.I), (key, url)


def test_b13_the_end_page_shares_without_crashing(guest: Guest, anchor: Phone, viewer: Phone) -> None:
    def cards(phone: Phone, live_id: str) -> list[Json | None]:
        share = phone.post("live", "shareLive", liveId=live_id).object("share")
        return [share.opt_obj(target) for target in ("weibo", "wechat", "friend")]

    live_id = anchor.live.id
    running = cards(viewer, live_id)
    anchor.stop()
    viewer.wait_for(lambda: viewer.screen.page == "end" and viewer.live.status == 2)
    for card in running + cards(anchor, live_id) + cards(guest(), live_id):
        assert card and card.opt_str("title") and "雨夜电台" in card.opt_str("content")
        assert card.opt_str("url").startswith("http://")
    assert "未获取到分享信息" not in anchor.screen.toasts + viewer.screen.toasts


def test_b14_who_goes_on_air_has_somewhere_to_send_the_sound(guest: Guest) -> None:
    anchor = guest("小雨", "Female")
    assert anchor.create_live("雨夜电台").ok
    assert anchor.live.publisher
    address = publish_url(anchor.live.publisher)
    assert re.fullmatch(r"rtmp://127\.0\.0\.1:\d+/heihei/[\w-]+\?key=\w{32}", address)
    joined = anchor.post("live", "joinLive", liveId=anchor.live.id).object("live")
    publisher = joined.opt_obj("qiniuObj")
    assert publisher and publish_url(publisher) == address


def test_b15_who_comes_back_to_the_own_running_live_does_not_end_it(anchor: Phone) -> None:
    live_id = anchor.live.id
    anchor.restart()
    anchor.open_main_page()
    (mine,) = [live for live in anchor.screen.feed if live.id == live_id]
    assert (mine.status, mine.owner.id) == (1, anchor.user.id)
    anchor.reopen_my_live(mine)
    assert anchor.look_again().status == 1 and anchor.screen.dialogs == []


# --- The socket --------------------------------------------------------------------------------------------------


@dataclass
class Pair:
    anchor: Phone
    viewer: Phone
    lines: list[WebSocket]


@pytest.fixture(scope="module")
def after_a_silence(venue: Venue) -> Iterator[Pair]:
    """Two people in a room in which for seven seconds nothing happened but pings."""
    anchor, viewer = venue.guest("小雨"), venue.guest("阿南", "Male")
    assert anchor.go_on_air("安静").ok and viewer.join_live(anchor.live.id).ok
    viewer.wait_for(lambda: viewer.received("action", action="list-live-users"))
    pair = Pair(anchor, viewer, [live_line(anchor), live_line(viewer)])
    time.sleep(SILENCE)
    yield pair
    anchor.switch_off()
    viewer.switch_off()


def test_b4_a_live_survives_that_nobody_taps_for_a_while(venue: Venue, after_a_silence: Pair) -> None:
    for phone in (after_a_silence.anchor, after_a_silence.viewer):
        kept = list(phone.http._idle)
        assert kept, "the connection was kept open"
        assert phone.beat().ok and phone._failed_beats == 0
        assert phone.http._idle == kept, "and used again"
    web = next(command for command in processes_of(venue.instance.var).values() if ROLES["web"] in command)
    keep_alive = re.search(r"--timeout-keep-alive (\d+)", web)
    assert keep_alive and int(keep_alive[1]) > 300, "OkHttp keeps them five minutes"


def test_b22_an_idle_socket_stays_up_and_is_not_dialled_again_every_half_minute(after_a_silence: Pair) -> None:
    anchor, viewer, lines = after_a_silence.anchor, after_a_silence.viewer, after_a_silence.lines
    assert [live_line(anchor), live_line(viewer)] == lines
    assert all(line.connected and line.unanswered <= 1 for line in lines), "about fourteen pings each"
    assert anchor.say("还在吗").ok
    viewer.wait_for(lambda: "还在吗" in viewer.screen.texts())
    assert live_line(viewer) is lines[1]


def test_b19_no_message_is_dropped_for_its_envelope(anchor: Phone, viewer: Phone) -> None:
    assert viewer.say("一").ok and viewer.like().ok and viewer.gift(101).ok and viewer.bullet("二").ok
    anchor.wait_for(lambda: anchor.received("barrage"))
    assert anchor.frames
    for frame in anchor.frames:
        elements = json.loads(frame)
        assert isinstance(elements, list) and elements
        assert all(isinstance(element, dict) and isinstance(element["msg"], dict) for element in elements)
    assert len(anchor.messages) == sum(len(json.loads(frame)) for frame in anchor.frames)


def test_b20_no_frame_kills_the_app_not_even_in_a_burst(anchor: Phone, viewer: Phone) -> None:
    texts = [f"{number} {'长' * 400}" for number in range(60)]
    for text in texts:
        assert viewer.say(text).ok
    anchor.wait_for(lambda: len(anchor.screen.texts()) == len(texts))
    assert anchor.screen.texts() == texts
    assert all(len(frame.encode()) <= 65536 for frame in anchor.frames)
    assert anchor._crash is None and live_line(anchor).connected


def test_b21_a_ping_is_answered_with_its_own_payload_and_the_app_lives(guest: Guest) -> None:
    phone = guest()
    phone.wait_for(lambda: phone.connected)
    line = live_line(phone)
    for _ in range(5):
        line.ping()
    phone.wait_for(lambda: line.unanswered == 0)
    assert phone._crash is None and live_line(phone) is line


def test_b23_a_reconnecting_phone_is_no_error_of_the_server(venue: Venue, anchor: Phone, viewer: Phone) -> None:
    written = len(venue.instance.console())
    line = live_line(viewer)
    line.close_with_zero()
    viewer.wait_for(lambda: not line.connected, 1)
    viewer.wait_for(lambda: live_line(viewer) is not line and viewer.connected)
    viewer.wait_for(lambda: viewer.say("又来了").ok and anchor.screen.texts())
    assert anchor.screen.texts() == ["又来了"]
    news = venue.instance.console()[written:]
    assert not re.search(r"Traceback|[Ee]xception|\"level\": ?\"(error|critical)\"|ERROR", news), news


def test_b24_two_sockets_of_one_phone_do_not_say_everything_twice(anchor: Phone, viewer: Phone) -> None:
    first = live_line(viewer)
    viewer.open_second_socket()
    viewer.wait_for(lambda: viewer.connected and live_line(viewer) is not first)
    heard = 0
    while not heard:  # until the new one belongs to the room it is the first that hears
        assert anchor.say(f"{time.monotonic_ns()}").ok
        time.sleep(0.1)
        heard = len(viewer.screen.texts())
    for number in range(5):
        assert anchor.say(f"第{number}").ok
    viewer.wait_for(lambda: "第4" in viewer.screen.texts())
    ids = [message.opt_str("msgId") for message in viewer.messages]
    assert len(ids) == len(set(ids))
    assert viewer.screen.texts()[-5:] == [f"第{number}" for number in range(5)]
    assert first.connected, "closing the older one would make the app dial again"


def test_b25_what_happens_in_a_room_is_shown_in_it(anchor: Phone, viewer: Phone) -> None:
    viewer.say("你好")
    viewer.like()
    viewer.bullet("冲")
    viewer.gift(101)
    anchor.wait_for(lambda: anchor.screen.banners and len(anchor.screen.chat) == 4)
    for kind in ("text", "like", "barrage", "gift"):
        assert anchor.received(kind, roomId=anchor.live.id), kind
    assert all(message.opt_str("roomId") == anchor.live.id for message in anchor.messages)


def test_b25_what_is_done_to_a_room_is_said_in_it_and_in_no_other(
    venue: Venue, guest: Guest, enter: Enter, anchor: Phone, viewer: Phone
) -> None:
    elsewhere, operator, new = guest("小风", "Female"), guest("老王"), enter(guest(kind=ModernPhone))
    assert elsewhere.go_on_air("别处").ok
    venue.sql("UPDATE users_user SET is_staff = true WHERE id = %s", operator.user.id)
    here, about = {"liveId": anchor.live.id}, {"userId": viewer.user.id}
    for phone, path, said in (
        (anchor, "live/shutupuser", about),
        (anchor, "live/shutupopen", about),
        (anchor, "live/lock-live-seat", {"unlock": 0}),
        (new, "live/call-request", {}),
        (anchor, "live/accept-conference", {"userId": new.user.id}),
        (new, "live/join-conference", {}),
        (anchor, "live/join-conference", {}),
        (anchor, "live/quit-conference", {}),
        (anchor, "live/pause-live", {}),
        (anchor, "live/continue-live", {}),
        (operator, "live/systemnotify", {"text": "请文明发言"}),
    ):
        answer = Answer.of(get(phone, path, token=phone.user.token, **here, **said))
        assert answer.ok, (path, answer)
    for phone in (anchor, viewer, new):
        phone.wait_for(lambda phone=phone: phone.received("system"))
        for action in ("shutup-user", "shutup-open-user", "conference-status", "pause-live", "goon-live"):
            assert phone.received("action", action=action, roomId=anchor.live.id), action
        to_all = [message for message in phone.messages if message.has("roomId")]
        assert {message.opt_str("roomId") for message in to_all} == {anchor.live.id}
    assert viewer.screen.texts("system") == ["请文明发言"]
    assert (viewer.screen.page, viewer.screen.dialogs, viewer.screen.banners) == ("audience", [], [])
    assert elsewhere.say("一切正常").ok
    assert [message for message in elsewhere.messages if message.opt_str("roomId") != elsewhere.live.id] == []


def test_b26_a_room_is_called_the_same_everywhere(guest: Guest, anchor: Phone, viewer: Phone) -> None:
    live_id = anchor.live.id
    assert re.fullmatch(r"[1-9][0-9]*", live_id)
    assert int(float(live_id)) == int(live_id) < 2**53, "exact even for who reads numbers as doubles"
    for path, answer in answers_of_an_evening(anchor, viewer).items():
        named = [value for key, value in inside(answer) if key in ("liveId", "roomId")]
        assert all(type(value) is int for value in named), path
        assert {str(value) for value in named} in (set(), {live_id}) or ("recommend" in path and int(live_id) in named)
    assert guest().join_live(live_id).ok


def test_b28_people_have_numbers_the_app_can_hold(guest: Guest, anchor: Phone) -> None:
    for phone in (anchor, guest()):
        number = Json({"id": int(phone.user.id)}).opt_int("id")
        assert 10001 <= number == int(phone.user.id) < 2**31
        assert phone.look_at_myself().object("result").opt_int("id") == number


def test_b70_who_only_opens_the_socket_hears_everything(anchor: Phone, viewer: Phone) -> None:
    """The phone's handshake has neither Origin nor sub-protocol, and it never sends a data frame (4.1, 4.2)."""
    assert anchor.say("听得到吗").ok
    viewer.wait_for(lambda: viewer.screen.texts() == ["听得到吗"])


# --- Numbers and words -------------------------------------------------------------------------------------------


def test_b29_the_rich_are_not_shown_a_debt(venue: Venue, guest: Guest, enter: Enter, anchor: Phone) -> None:
    rich = enter(guest(gold=3_000_000_000))
    assert rich.look_at_myself().ok and rich.screen.diamonds == INT_MAX
    venue.manage("grant", "--user", anchor.user.id, "--gold", 3_000_000_000, "--point", 3_000_000_000)
    venue.sql("UPDATE users_user SET points_earned = 3000000000 WHERE id = %s", anchor.user.id)
    assert anchor.look_at_myself().ok
    assert (anchor.user.gold, anchor.user.point, anchor.user.all_points) == (INT_MAX,) * 3

    assert rich.gift(101).ok and rich.screen.diamonds == INT_MAX
    assert rich.bullet("富").ok
    anchor.wait_for(lambda: anchor.screen.texts("barrage"))
    for phone in (anchor, rich):
        phone.wait_for(lambda phone=phone: phone.screen.earnings == INT_MAX)
    assert rich.join_live(anchor.live.id).ok and rich.screen.earnings == INT_MAX
    assert venue.gold(rich) == 3_000_000_000 - 2


def test_b30_following_and_blocking_are_visible_afterwards(venue: Venue, guest: Guest, anchor: Phone) -> None:
    fresh = venue.phone()
    number = venue.number()
    fresh.request_code(number)
    signed_in = fresh.sign_in(number, venue.code(number))
    assert signed_in.json and signed_in.json.members["needRegist"] is True
    assert fresh.screen.page == "profile"
    fresh.switch_off()

    other = guest()
    assert not other.look_at(anchor.user.id).followed
    assert other.follow(anchor.user.id).ok
    assert other.look_at(anchor.user.id).followed
    assert other.join_live(anchor.live.id).ok and other.live.owner.followed
    assert [user.followed for user in other.screen.people if user.id == anchor.user.id] == [True]
    assert other.block(anchor.user.id).ok
    card = other.look_at(anchor.user.id)
    assert (card.followed, card.blocked) == (False, True)


def test_b31_nobody_reads_the_word_null(venue: Venue, guest: Guest, anchor: Phone, viewer: Phone) -> None:
    nobody, number = venue.phone(), venue.number()
    venue.sign_in(nobody, number)
    bare = json.loads(get(nobody, "user/info", token=nobody.user.token).content)
    of_nobody = json.loads(get(viewer, "user/info", token=viewer.user.token, uid=nobody.user.id).content)
    nobody.switch_off()
    anchor.stop()
    viewer.wait_for(lambda: viewer.live.status == 2)
    ended = json.loads(get(viewer, "live/get-live", token=viewer.user.token, liveId=anchor.live.id).content)
    told = [json.loads(frame) for frame in viewer.frames]
    for answer in (bare, of_nobody, ended, *told):
        assert not [key for key, value in inside(answer) if value is None or value in ("null", "None")], answer
    assert nobody.user.name == "" and bare["result"]["displayName"] == bare["result"]["description"] == ""


def test_b32_a_woman_is_not_turned_into_a_man(venue: Venue, guest: Guest, anchor: Phone, viewer: Phone) -> None:
    fresh, number = venue.phone(), venue.number()
    venue.sign_in(fresh, number)
    assert fresh.user.gender == "Unspecified", "so the app asks"
    assert fresh.complete_profile("新人", "Female").ok
    assert fresh.look_at_myself().ok and fresh.user.gender == "Female"
    fresh.switch_off()

    assert anchor.say("我").ok
    viewer.wait_for(lambda: viewer.received("text", gender="Female"))
    viewer.open_home()
    (card,) = [live for live in viewer.screen.feed if live.id == anchor.live.id]
    viewer.list_users()
    (listed,) = [user for user in viewer.screen.people if user.id == anchor.user.id]
    assert {viewer.live.owner.gender, viewer.look_at(anchor.user.id).gender, card.owner.gender} == {"Female"}
    assert (listed.gender, listed.birthday) == ("Female", "1995-05-05")


def test_b33_looking_at_people_does_not_sign_one_out(anchor: Phone, viewer: Phone) -> None:
    token = viewer.user.token
    for path, answer in answers_of_an_evening(anchor, viewer).items():
        assert not [key for key, _ in inside(answer) if key == "token"], path
    assert viewer.look_at_myself().ok and viewer.look_at(anchor.user.id).token == ""
    assert viewer.user.token == token


def test_b34_who_signs_in_is_signed_in(venue: Venue) -> None:
    phone, number = venue.phone(), venue.number()
    phone.request_code(number)
    answer = phone.sign_in(number, venue.code(number))
    assert phone.signed_in and phone.user.id == answer.object("userInfo").opt_str("id")
    assert phone.complete_profile("新人").ok
    phone.wait_for(lambda: phone.connected)
    phone.switch_off()


def test_b35_the_login_button_takes_the_code_of_the_sms(venue: Venue) -> None:
    phone = venue.phone()
    for number in (venue.number() for _ in range(3)):
        assert phone.request_code(number).ok and phone.screen.toasts[-1] == "验证码已发送"
        assert re.fullmatch(r"[0-9]{6}", venue.code(number))
    phone.switch_off()


@pytest.mark.parametrize(
    "profile", [{"displayName": "官方"}, {"displayName": "九个汉字太长了真的"}, {"birthDay": "2999-01-01"}]
)
def test_b69_a_refused_profile_is_explained_in_chinese(guest: Guest, profile: dict[str, str]) -> None:
    phone = guest()
    answer = phone.post(
        "user", "updateUser", **{"displayName": "阿南", "gender": "Male", "birthDay": "1995-05-05"} | profile
    )
    assert answer.code in (445, 447, 501) and CHINESE.search(answer.text)


def test_b69_every_refusal_is_a_chinese_sentence(venue: Venue, guest: Guest, anchor: Phone) -> None:
    phone, number = guest(), venue.number()
    here = {"liveId": anchor.live.id}
    assert phone.request_code(number).ok
    refused = [
        phone.request_code(number),
        phone.post_as_nobody("user", "signInCLByPhone", phoneNo=number, verifyCode="000000"),
        phone.post("user", "followUser", userId=2**31 - 1),
        phone.post("live", "stopLive", liveId=NOBODYS_LIVE),
        phone.post("live", "changeLive", title="x", **here),
        phone.post("live", "liveLike", type=1, **here),
        phone.get("message", "sendMsg", text="x", roomId=NOBODYS_LIVE, liveId=NOBODYS_LIVE),
        phone.get("live", "buyGift", giftId=999, **here),
        phone.get("live", "getLive", liveId=NOBODYS_LIVE),
    ]
    assert phone.join_live(anchor.live.id).ok
    refused.append(phone.get("live", "buyGift", giftId=101, **here))
    assert [answer.code for answer in refused] == [400, 401, 710, 731, 711, 506, 733, 730, 731, 740]
    for path in api_calls(phone):
        refused += [Answer.of(get(phone, path, token=token)) for token in (phone.user.token, "x")]
    texts = {answer.text for answer in refused if not answer.ok}
    assert len(texts) > 10
    assert [text for text in texts if not CHINESE.search(text)] == []


def test_b53_times_are_of_this_century(anchor: Phone, viewer: Phone) -> None:
    assert anchor.say("几点了").ok
    viewer.wait_for(lambda: viewer.screen.texts())
    now = time.time()
    stamps = [Json(element).opt_long("timeStamp") for frame in viewer.frames for element in json.loads(frame)]
    assert stamps and all(abs(now - stamp) < 60 for stamp in stamps)
    listed = viewer.get("live", "listLiveUsers", liveId=anchor.live.id).json
    people = listed.opt_arr("users") if listed else None
    assert people and all(user and abs(now - user.opt_long("joinTime")) < 60 for user in people.objects())


def test_b64_chinese_is_not_garbled(guest: Guest, anchor: Phone, viewer: Phone) -> None:
    viewer.edit_profile(name="阿南😀", description="晚风 · ñandú")
    response = get(viewer, "user/info", token=viewer.user.token)
    kind = response.headers["content-type"].lower()
    assert kind.startswith("application/json") and ("charset" not in kind or "utf-8" in kind)
    answer = Answer.of(response).object("result")
    assert (answer.opt_str("displayName"), answer.opt_str("description")) == ("阿南😀", "晚风 · ñandú")
    assert viewer.say("你好，世界 😀 ñ").ok
    anchor.wait_for(lambda: anchor.screen.texts() == ["你好，世界 😀 ñ"])
    assert anchor.screen.chat[-1].who == "阿南😀"


def test_b66_a_new_city_does_not_wipe_the_signature(guest: Guest) -> None:
    phone = guest()
    assert phone.edit_profile(description="听雨的人").ok
    phone.restart()
    assert phone.user.description == ""
    assert phone.locate().ok
    assert phone.look_at_myself().ok and phone.user.description == "听雨的人"

    modern = guest(kind=ModernPhone)
    assert modern.edit_profile(description="听雨的人").ok
    assert modern.edit_profile(description="").ok
    assert modern.look_at_myself().ok and modern.user.description == "", "from 1.2 on, empty means empty"


# --- Coming, going, ending ---------------------------------------------------------------------------------------


def test_b36_who_comes_too_late_sees_the_end_page(guest: Guest, anchor: Phone) -> None:
    late, live_id = guest(), anchor.live.id
    anchor.stop()
    assert late.join_live(live_id).ok
    assert (late.screen.page, late.live.status, late.live.owner.name) == ("end", 2, "小雨")
    assert "网络异常" not in late.screen.toasts


def test_b37_who_joins_a_running_live_is_not_thrown_to_the_end_page(guest: Guest, anchor: Phone) -> None:
    for phone in (guest(), guest()):
        for _ in range(2):
            assert phone.join_live(anchor.live.id).ok
            assert (phone.screen.page, phone.live.status) == ("audience", 1)


def test_b38_there_is_something_to_listen_to(guest: Guest, anchor: Phone) -> None:
    phone = guest()
    phone.open_home()
    (listed,) = [live for live in phone.screen.feed if live.id == anchor.live.id]
    assert phone.join_live(anchor.live.id).ok and "播放地址为空" not in phone.screen.toasts
    assert phone.live.stream == listed.stream == phone.look_again().stream
    assert re.fullmatch(r"rtmp://[^/]+/heihei/[\w-]+", phone.live.stream)


def test_b39_a_live_is_not_ended_before_it_began(guest: Guest) -> None:
    anchor = guest("小雨", "Female")
    assert anchor.create_live("雨夜电台").ok
    anchor.screen.page = "anchor"
    for _ in range(3):
        assert anchor.beat().ok
    assert anchor.screen.dialogs == []
    anchor.open_anchor_page()
    assert anchor.look_again().status == 1


def test_b41_leaving_and_ending_twice_counts_once(venue: Venue, guest: Guest, enter: Enter, anchor: Phone) -> None:
    stays, leaves, stranger = enter(guest()), enter(guest()), guest()
    live_id = anchor.live.id
    assert leaves.quit().ok
    assert leaves.post("live", "quitLive", liveId=live_id).ok, "a third time"
    assert stranger.post("live", "quitLive", liveId=live_id).ok
    assert stranger.post("live", "stopLive", liveId=live_id).ok
    assert anchor.post("live", "quitLive", liveId="").ok and anchor.post("live", "stopLive", liveId="").ok
    anchor.list_users()
    assert {user.id for user in anchor.screen.people} == {anchor.user.id, stays.user.id}
    live = anchor.get("live", "getLive", liveId=live_id).object("live")
    assert (live.opt_int("status"), live.opt_int("onlineUsers"), live.opt_int("totalUsers")) == (1, 2, 2)

    assert anchor.stop().ok
    stays.wait_for(lambda: stays.screen.page == "end" and stays.live.status == 2)
    assert leaves.post("live", "quitLive", liveId=live_id).ok, "of an ended live"
    stays.wait_for(lambda: len(stays.received("action", action="stop-live")) == 1)
    ended = anchor.get("live", "getLive", liveId=live_id).object("live")
    assert (ended.opt_int("status"), ended.opt_int("onlineUsers"), ended.opt_int("totalUsers")) == (2, 0, 2)
    result = anchor.look_at_myself().object("result")
    assert result.opt_int("liveCount") == 1


def test_b48_when_the_live_ends_nobody_is_left_sitting_in_it(guest: Guest, enter: Enter, anchor: Phone) -> None:
    viewers = [enter(guest()), enter(guest())]
    assert viewers[0].share().ok
    anchor.stop()
    for viewer in viewers:
        viewer.wait_for(lambda viewer=viewer: viewer.screen.page == "end")
        (message,) = viewer.received("action", action="stop-live")
        live = message.opt_obj("live")
        assert live and live.opt_str("liveId") == anchor.live.id
        assert live.opt_int("totalUsers") == 2 and live.opt_str("title") == "雨夜电台"
        viewer.wait_for(lambda viewer=viewer: viewer.live.owner.name == "小雨")


def test_b54_reporting_somebody_does_not_unblock_them(guest: Guest) -> None:
    phone, nuisance = guest(), guest()
    assert phone.block(nuisance.user.id).ok
    assert phone.report(nuisance.user.id, 3).ok
    assert phone.look_at(nuisance.user.id).blocked
    assert phone.unblock(nuisance.user.id).ok
    assert not phone.look_at(nuisance.user.id).blocked


def test_b55_nobody_is_invited_by_a_nameless_man_to_a_place_their_app_does_not_know(
    guest: Guest, anchor: Phone
) -> None:
    old, new = guest(), guest(kind=ModernPhone)
    for invited in (old, new):
        said = {"liveId": anchor.live.id, "userId": invited.user.id}
        assert Answer.of(get(anchor, "live/invite-user", token=anchor.user.token, **said)).ok
    new.wait_for(lambda: new.received("action", action="live-invite"))
    (message,) = new.received("action", action="live-invite")
    key = message.opt_str("liveKey")
    assert message.opt_str("link") == f"wmlivesheihei://live?id={anchor.live.id}&liveKey={key}"
    assert (message.opt_str("fromUserName"), message.opt_str("gender")) == ("小雨", "Female")
    assert Answer.of(get(new, "live/join-live", token=new.user.token, liveId=anchor.live.id, liveKey=key)).ok
    assert (old.received("action", action="live-invite"), old.screen.page) == ([], "main")


def test_b55_followers_read_who_is_on_air_and_may_follow_the_link(guest: Guest) -> None:
    anchor = guest("小雨", "Female")
    followers = [guest(), guest(kind=ModernPhone)]
    assert all(follower.follow(anchor.user.id).ok for follower in followers)
    assert anchor.go_on_air("雨夜电台").ok
    for phone in followers:
        phone.wait_for(lambda phone=phone: phone.received("action", action="start-live-notify"))
        (message,) = phone.received("action", action="start-live-notify")
        assert message.opt_str("link") == f"wmlives_heihei://live?id={anchor.live.id}"
        assert (message.opt_str("fromUserName"), message.opt_str("gender")) == ("小雨", "Female")
        assert phone.screen.page == "main"


def test_b61_what_operators_say_to_one_room_is_not_read_in_another(
    venue: Venue, guest: Guest, anchor: Phone, viewer: Phone
) -> None:
    elsewhere, at_home = guest("小风", "Female"), guest()
    assert elsewhere.go_on_air("别处").ok
    neighbour = guest()
    assert neighbour.join_live(elsewhere.live.id).ok
    ban = "from live.models import Live; from live.services import rooms; rooms.ban_live(Live.objects.get(pk={}))"
    venue.manage("shell", "-v", 0, "-c", ban.format(anchor.live.id))
    for phone in (viewer, anchor):
        phone.wait_for(lambda phone=phone: phone.screen.texts("system"))
    viewer.wait_for(lambda: viewer.screen.page == "end")
    assert elsewhere.say("一切正常").ok
    neighbour.wait_for(lambda: neighbour.screen.texts() == ["一切正常"])
    assert [phone.received("system") for phone in (neighbour, elsewhere, at_home)] == [[], [], []]
    assert neighbour.screen.page == "audience"


def test_b62_what_the_old_app_does_not_know_leaves_its_screen_alone(anchor: Phone, viewer: Phone) -> None:
    assert anchor.received("action", action="list-live-users"), "sent for newer phones"
    assert anchor.screen.chat == anchor.screen.banners == []
    assert [line.text for line in viewer.screen.chat] == ["加入房间"]
    assert (viewer.screen.page, viewer.screen.title) == ("audience", "雨夜电台")


def test_b63_following_from_a_list_works_without_a_live(guest: Guest) -> None:
    phone, other = guest(), guest()
    assert phone.live.id == ""
    assert phone.follow(other.user.id).ok
    assert phone.screen.toasts == ["验证码已发送"] and phone.look_at(other.user.id).followed
    assert phone.unfollow(other.user.id).ok and not phone.look_at(other.user.id).followed


def test_b68_who_was_signed_out_elsewhere_learns_it_from_any_call(guest: Guest, anchor: Phone, viewer: Phone) -> None:
    viewer.user.token = "0" * 64
    answers = {path: Answer.of(get(viewer, path, token=viewer.user.token)).code for path in api_calls(viewer)}
    assert {path for path, code in answers.items() if code != 720} == OPEN_TO_ALL
    assert [viewer.gift(101).code, viewer.bullet("冲").code, viewer.say("喂").code] == [720] * 3
    assert viewer.screen.page == "audience", "which a sync call does not understand"
    viewer.beat()
    assert (viewer.screen.page, viewer.screen.toasts[-1]) == ("login", "此账号已在别处登录")
    assert anchor.screen.chat == anchor.screen.banners == []


# --- Gifts -------------------------------------------------------------------------------------------------------


def test_b42_every_gift_is_in_the_dialog(guest: Guest) -> None:
    phone = guest()
    pages = phone.load_gifts()
    assert [len(page) for page in pages] == [10, 10]
    assert {gift.opt_int("id") for page in pages for gift in page} == phone.gifts.keys()
    assert all(gift.opt_str("name") and gift.opt_int("gold") > 0 for page in pages for gift in page)
    assert all(
        gift.opt_str(picture).startswith("http://") for gift in phone.gifts.values() for picture in ("image", "icon")
    )


def test_b43_no_gift_jams_the_animations(guest: Guest) -> None:
    kinds = [gift.members["type"] for page in guest().load_gifts() for gift in page]
    assert all(type(kind) is int and 0 <= kind <= 5 for kind in kinds)
    assert set(kinds) == {0, 1, 2, 3, 4, 5}


def test_b44_after_a_purchase_the_balance_is_what_is_left(venue: Venue, anchor: Phone, viewer: Phone) -> None:
    for buy, left in (
        (lambda: viewer.gift(103, 1, "4" * 32), 998),
        (lambda: viewer.bullet("冲"), 997),
        (lambda: viewer.gift(103, 1, ""), 995),
    ):
        answer = buy()
        assert answer.ok and answer.json and answer.json.has("gold")
        assert viewer.screen.diamonds == venue.gold(viewer) == left
    assert viewer.look_at_myself().ok and viewer.screen.diamonds == 995


def test_b45_a_repeated_gift_or_bullet_is_charged_once(venue: Venue, anchor: Phone, viewer: Phone) -> None:
    for _ in range(3):
        assert viewer.gift(103, 1, "c" * 32).ok and viewer.screen.diamonds == 998
    for _ in range(3):
        assert viewer.bullet("冲").ok and viewer.screen.diamonds == 997
    with ThreadPoolExecutor(6) as taps:
        given = list(taps.map(lambda _: viewer.gift(103, 2, "c" * 32).code, range(12)))
    assert given == [0] * 12
    assert viewer.say("完").ok
    anchor.wait_for(lambda: "完" in anchor.screen.texts())
    assert venue.gold(viewer) == 995
    assert [message.opt_int("amount") for message in anchor.received("gift")] == [1, 2]
    assert anchor.screen.texts("barrage") == ["冲"]


def test_b46_a_combo_does_not_cost_its_count_times_its_price(venue: Venue, anchor: Phone, viewer: Phone) -> None:
    for amount in (1, 2, 3, 4):
        assert viewer.gift(103, amount, "6" * 32).ok
    assert viewer.screen.diamonds == venue.gold(viewer) == 1000 - 4 * 2
    anchor.wait_for(lambda: anchor.screen.banners and anchor.screen.banners[-1].combo == 4)
    assert len(anchor.screen.banners) == 1 and anchor.screen.earnings == 8
    assert venue.points(anchor) == 8


def test_b47_the_earnings_do_not_fall_to_nothing_with_the_next_gift(
    guest: Guest, enter: Enter, anchor: Phone, viewer: Phone
) -> None:
    watching = enter(guest())
    assert viewer.gift(107).ok
    watching.wait_for(lambda: watching.screen.earnings == 10)
    assert viewer.bullet("冲").ok
    for phone in (anchor, viewer, watching):
        phone.wait_for(lambda phone=phone: phone.screen.earnings == 11)
    late = enter(guest())
    assert late.screen.earnings == 11
    anchor.stop()
    watching.wait_for(lambda: watching.screen.page == "end" and watching.live.tickets == 11)
    ended = anchor.get("live", "getLive", liveId=anchor.live.id).object("live")
    assert ended.opt_int("livetotalticket") == 11
