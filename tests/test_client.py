"""The stand-in must break where the app breaks: what was observed on the wire, against servers of a few lines."""

import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.app import Answer, AppCrash, Stuck, messages_in, publish_url
from tests.client import Phone
from tests.modern import ModernPhone
from tests.okhttp import Http, NeverSent, UnexpectedUrl, WebSocket, form_body, query
from tests.orgjson import Json, NotJson

Converse = Callable[[socket.socket], None]


@contextmanager
def server(*conversations: Converse) -> Iterator[str]:
    """Accept one connection for each conversation, in order, and hold it until it returns."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def serve() -> None:
        for converse in conversations:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=converse, args=(connection,), daemon=True))
            threads[-1].start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()
        for thread in threads:
            thread.join(3)


def read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (chunk := connection.recv(65536)):
            return data
        data += chunk
    head = data.split(b"\r\n\r\n")[0]
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:")), 0)
    while len(data) < len(head) + 4 + length:
        data += connection.recv(65536)
    return data


def answering(*bodies: str, seen: list[bytes] | None = None, headers: str = "") -> Converse:
    """Answer one request after the other on a kept connection, then close it."""

    def converse(connection: socket.socket) -> None:
        for body in bodies:
            request = read_request(connection)
            if not request:
                break
            if seen is not None:
                seen.append(request)
            content = body.encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\n{headers}\r\n"
            connection.sendall(head.encode() + content)
        connection.close()

    return converse


def upgraded(connection: socket.socket) -> bytes:
    request = read_request(connection)
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")
    return request


def client_frame(connection: socket.socket) -> tuple[int, bytes]:
    first, second = connection.recv(2)
    assert second & 0x80, "a client masks"
    mask, payload = connection.recv(4), b""
    while len(payload) < second & 0x7F:
        payload += connection.recv(1)
    return first & 0x0F, bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


def text_frame(text: str) -> bytes:
    return b"\x81\x7e" + len(text.encode()).to_bytes(2, "big") + text.encode()


# --- org.json --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('"x"', "x"),
        ("null", "null"),
        ("3520846628452474100", "3520846628452474100"),
        ("9223372036854775807", "9223372036854775807"),
        ("9223372036854775808", "9.223372036854776E18"),
        ("3.5208466284524739e18", "3.520846628452474E18"),
        ("1e3", "1000.0"),
        ("12345678.5", "1.23456785E7"),
        ("true", "true"),
        ('{"a":[1,null]}', '{"a":[1,null]}'),
    ],
)
def test_opt_str_is_the_java_text_of_any_value(value: str, text: str) -> None:
    assert Json.parse(f'{{"k":{value}}}').opt_str("k") == text


@pytest.mark.parametrize(
    ("value", "as_int", "as_long", "as_bool"),
    [
        ("7", 7, 7, False),
        ("3000000000", -1294967296, 3000000000, False),
        ("2.9", 2, 2, False),
        ("3e9", 2147483647, 3000000000, False),
        ('"42"', 42, 42, False),
        ('"3000000000"', 2147483647, 3000000000, False),
        ('"178400656888855409"', 2147483647, 178400656888855424, False),
        ("178400656888855409", (178400656888855409 + 2**31) % 2**32 - 2**31, 178400656888855409, False),
        ('"abc"', 0, 0, False),
        ("null", 0, 0, False),
        ("true", 0, 0, True),
        ('"TRUE"', 0, 0, True),
        ("1", 1, 1, False),
        ("{}", 0, 0, False),
    ],
)
def test_numbers_and_booleans_are_read_as_org_json_does(value: str, as_int: int, as_long: int, as_bool: bool) -> None:
    json = Json.parse(f'{{"k":{value}}}')
    assert (json.opt_int("k"), json.opt_long("k"), json.opt_bool("k")) == (as_int, as_long, as_bool)


def test_what_is_missing_or_of_another_kind_keeps_the_default() -> None:
    json = Json.parse('{"text":"{}","list":[],"null":null}')
    assert (json.opt_str("x"), json.opt_int("x", -1), json.opt_bool("x", True)) == ("", -1, True)
    assert json.opt_int("null", 5) == 5
    assert json.opt_obj("text") is None and json.opt_obj("list") is None
    assert json.opt_arr("text") is None and json.opt_arr("null") is None


@pytest.mark.parametrize("body", ["", "[]", "<html>", "1"])
def test_only_an_object_is_an_answer(body: str) -> None:
    with pytest.raises(NotJson):
        Json.parse(body)


# --- What leaves the phone -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "in_body", "in_query"),
    [
        ("a b", "a b", "a%20b"),
        ("你好😀", "你好😀", "%E4%BD%A0%E5%A5%BD%F0%9F%98%80"),
        ("a+b", "a+b", "a%20b"),
        ("a&b=c", "a&b=c", "a&b=c"),
        ("a#b", "a#b", "a"),
        ("%25", "%25", "%25"),
        ("100%", "100%", None),
        ("{", "{", None),
        ("}", "}", None),
        ("|", "|", None),
        ("^", "^", None),
        ("`", "`", None),
        ("\"<>'", "\"<>'", "%22%3C%3E%27"),
        ("a\n\tb", "a\n\tb", "ab"),
        ("; / ?", "; / ?", ";%20/%20?"),
    ],
)
def test_nothing_is_encoded_but_what_okhttp_does_to_a_query(text: str, in_body: str, in_query: str | None) -> None:
    assert form_body({"text": text}) == f"text={in_body}".encode()
    if in_query is None:
        with pytest.raises(NeverSent):
            query({"text": text})
    else:
        assert query({"text": text}) == f"text={in_query}"


def test_a_hash_takes_the_later_parameters_with_it_and_a_null_is_left_out() -> None:
    assert query({"text": "a#1", "roomId": 7}) == "text=a"
    assert form_body({"a": None, "b": True, "c": 5}) == b"b=true&c=5"


def test_an_async_call_carries_the_headers_of_process_start_and_a_sync_call_none() -> None:
    seen: list[bytes] = []
    with server(answering("{}", "{}", seen=seen)) as base:
        phone = Phone(base)
        phone.user.id, phone.user.token, phone.live.id = "10001", "T", "5"
        phone.change_title("a b+中文")
        phone.http.get(phone.url("message", "sendMsg"), {"text": "hi"}, {})
    post, get = seen
    assert post.startswith(b"POST /api/live/change-live HTTP/1.1\r\nAppkey: \r\n")
    assert post.endswith("\r\n\r\ntoken=T&title=a b+中文&liveId=5".encode())
    assert b"\r\nversion: 1.1.2\r\n" in post and "Xiaomi:红米Note".encode() in post
    assert b"\r\ntoken:" not in post, "signed in after the process start: no header"
    assert get.startswith(b"GET /api/message/send-msg?text=hi HTTP/1.1\r\nHost: 127.0.0.1:")
    assert get.count(b"\r\n") == 6, "Host, Connection, Accept-Encoding, User-Agent and the end"


def test_the_token_header_stays_what_it_was_when_the_process_started() -> None:
    seen: list[bytes] = []
    with server(answering('{"errorcode":0}', seen=seen), answering("{}", seen=seen)) as base:
        phone = Phone(base)
        phone.user.id, phone.user.token, phone.user.name = "10001", "old", "n"
        phone._boot()
        phone.user.token = "new"
        phone.get("live", "getLive", liveId=1)
    assert b"GET /api/live/get-live?token=new&liveId=1" in seen[0] and b"\r\ntoken: old\r\n" in seen[0]


def test_a_2_0_client_encodes_and_says_so() -> None:
    seen: list[bytes] = []
    with server(answering("{}", seen=seen)) as base:
        ModernPhone(base).request_code("+86 13800000000")
    assert seen[0].endswith(b"phoneNo=%2B86+13800000000") and b"\r\nversion: 2.0.0\r\n" in seen[0]


# --- The pool, patience and attempts ---------------------------------------------------------------------------


def test_a_get_on_a_connection_the_server_has_closed_fails_and_a_post_does_not() -> None:
    with server(answering("{}"), answering("{}"), answering("{}")) as base:
        http = Http()
        assert http.get(base + "/a", {}, {})
        time.sleep(0.1)
        assert http.get(base + "/a", {}, {}) is None
        assert http.get(base + "/a", {}, {})
        time.sleep(0.1)
        assert http.post(base + "/a", b"", {}, form="x")


def test_an_answer_after_two_seconds_is_none() -> None:
    def slow(connection: socket.socket) -> None:
        read_request(connection)
        time.sleep(4)
        connection.close()

    with server(slow) as base:
        began = time.monotonic()
        assert Http().get(base + "/a", {}, {}) is None
        assert 1.9 < time.monotonic() - began < 3.5


def test_the_same_request_again_cancels_the_first() -> None:
    def never(connection: socket.socket) -> None:
        read_request(connection)
        assert connection.recv(1) == b"", "the phone hung up"

    with server(never, answering("{}")) as base:
        http, first = Http(), []
        thread = threading.Thread(target=lambda: first.append(http.get(base + "/a", {"x": 1}, {})))
        thread.start()
        time.sleep(0.2)
        assert http.get(base + "/a", {"x": 1}, {})
        thread.join(2)
        assert first == [None]


def test_gzip_chunks_and_a_redirected_post() -> None:
    seen: list[bytes] = []

    def moved(connection: socket.socket) -> None:
        seen.append(read_request(connection))
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n")
        seen.append(read_request(connection))
        body = gzip.compress(b"{'x'}")
        chunk = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n"
        connection.sendall(head + chunk)
        connection.close()

    with server(moved) as base:
        response = Http().post(base + "/a", b"x=1", {}, form="x")
    assert response and response.text == "{'x'}"
    assert seen[1].startswith(b"GET /b HTTP/1.1") and b"Content-Length" not in seen[1]


@pytest.mark.parametrize(
    ("codes", "requests"), [([0], 1), ([722, 0], 2), ([720, 720, 720], 3), ([740], 1), ([500, 500, 500], 3)]
)
def test_a_gift_is_sent_up_to_three_times_until_0_or_740(codes: list[int], requests: int) -> None:
    seen: list[bytes] = []
    with server(answering(*(f'{{"errorcode":{code},"gold":9}}' for code in codes), seen=seen)) as base:
        phone = Phone(base)
        phone.screen.page = "audience"
        answer = phone.gift(101, amount=2, combo="u")
    assert (len(seen), answer.code) == (requests, codes[-1])
    assert seen[0].startswith(b"GET /api/live/buy-gift?token=&giftId=101&liveId=&amount=2&gift_uuid=u HTTP")
    assert phone.screen.page == "audience", "720 means nothing to a sync call"
    assert phone.screen.diamonds == (9 if answer.ok else 0)


def test_720_logs_out_through_an_async_call() -> None:
    with server(answering('{"errorcode":720,"errormsg":"token无效"}')) as base:
        phone = Phone(base)
        phone.user.token, phone.screen.page = "T", "main"
        phone.get("user", "userInfo")
    assert (phone.screen.page, phone.user.token) == ("login", "")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('{"errorcode":0}', 0),
        ('{"errorcode":"0"}', 0),
        ('{"errorcode":0.0}', 0),
        ('{"errorcode":null}', -1),
        ('{"errorCode":0}', -1),
        ("[]", -1),
        ("", -1),
    ],
)
def test_success_is_an_object_with_errorcode_0(body: str, code: int) -> None:
    with server(answering(body)) as base:
        assert Answer.of(Http().get(base + "/a", {}, {})).code == code


# --- init ------------------------------------------------------------------------------------------------------


def test_addresses_come_from_the_groups_the_app_reads_else_its_own() -> None:
    groups = {
        "live": {"buyGift": "http://h/g", "getLive": None},
        "sys": {"update": "http://h/u"},
        "user": "x",
    }
    with server(answering(json.dumps({"errorcode": 0, **groups}))) as base:
        phone = Phone(base)
        phone.init()
    assert phone.urls == {"livebuyGift": "http://h/g"}
    assert phone.url("live", "getLive") == base + "/api/live/get-live"
    with pytest.raises(AppCrash, match="pauseLive"):
        phone.go_to_background()
    with pytest.raises(AppCrash, match="userunblockUser"):
        phone.post("user", "unblockUser", targetId=1)
    with pytest.raises(UnexpectedUrl):
        Http().get("/api/init", {}, {})


# --- What would kill or strand the person ----------------------------------------------------------------------


def test_share_without_weibo_and_an_incomplete_publisher_kill_the_app() -> None:
    with server(answering('{"errorcode":0,"share":{"wechat":{}}}')) as base, pytest.raises(AppCrash):
        Phone(base).share()
    complete = {"id": "i", "hub": "h", "title": "t", "publishKey": "k", "publishSecurity": "static"}
    hosts = {"hosts": {"publish": {"rtmp": "p:1935"}}}
    assert publish_url(Json({**complete, **hosts})) == "rtmp://p:1935/h/t?key=k"
    for missing in complete:
        with pytest.raises(AppCrash):
            publish_url(Json({key: value for key, value in {**complete, **hosts}.items() if key != missing}))
    with pytest.raises(AppCrash):
        publish_url(Json({**complete, "hosts": {"publish": {}}}))


def test_a_short_code_and_a_sign_in_without_an_id_strand_the_person() -> None:
    with pytest.raises(Stuck):
        Phone("http://127.0.0.1:1").sign_in("13800000000", "12345")
    body = '{"errorcode":0,"token":"T","userInfo":{"displayName":"n"}}'
    with server(answering(body)) as base, pytest.raises(Stuck):
        Phone(base).sign_in("13800000000", "123456")


def test_an_incomplete_page_of_gifts_is_thrown_away() -> None:
    gifts = json.dumps({"errorcode": 0, "gifts": [{"id": 101 + number} for number in range(19)]})
    with server(answering(gifts)) as base:
        assert [len(page) for page in Phone(base).load_gifts()] == [10]


# --- The socket ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "texts"),
    [
        ('[{"msg":{"text":"a"}}]', ["a"]),
        ('[{"msg":"{\\"text\\":\\"a\\"}","timeStamp":1}]', ["a"]),
        ('{"msg":{"text":"a"}}', []),
        ('[{"x":1},{"msg":"no json"},{"msg":null},{"msg":{"text":"b"}}]', ["b"]),
        ('[{"msg":{"text":"a"}},"string",{"msg":{"text":"b"}}]', ["a"]),
        ("garbage", []),
    ],
)
def test_a_frame_is_an_array_of_objects_with_msg(frame: str, texts: list[str]) -> None:
    assert [message.opt_str("text") for message in messages_in(frame)] == texts


def test_the_handshake_the_ping_and_the_illegal_close() -> None:
    seen: list[object] = []

    def converse(connection: socket.socket) -> None:
        seen.append(upgraded(connection))
        seen.append(client_frame(connection))
        connection.sendall(b"\x8a\x04ping\x89\x02hi")
        seen.append(client_frame(connection))
        seen.append(client_frame(connection))
        connection.close()

    with server(converse) as base:
        crashes: list[str] = []
        line = WebSocket(base.replace("http", "ws") + "/ws/channel?token=T", on_text=print, on_crash=crashes.append)
        line.ping()
        time.sleep(0.2)
        assert line.unanswered == 0
        line.close_with_zero()
    request = seen[0]
    assert isinstance(request, bytes)
    names = [part.split(b":")[0] for part in request.strip().split(b"\r\n")[1:]]
    assert request.startswith(b"GET /ws/channel?token=T HTTP/1.1\r\n")
    assert b" ".join(names) == (
        b"Upgrade Connection Sec-WebSocket-Key Sec-WebSocket-Version Host Accept-Encoding User-Agent"
    )
    assert seen[1:] == [(9, b"ping"), (10, b"hi"), (8, b"\x00\x00")]
    assert crashes == []


@pytest.mark.parametrize("frame", [b"\x82\x01x", b"\x8a\x00", b"\x8a\x04pong"])
def test_a_binary_frame_or_a_foreign_pong_kills_the_app(frame: bytes) -> None:
    def converse(connection: socket.socket) -> None:
        upgraded(connection)
        connection.sendall(frame)
        connection.recv(1)

    with server(converse) as base:
        phone = Phone(base)
        phone._list_read_at = time.monotonic()
        phone._open_socket()
        with pytest.raises(AppCrash):
            phone.wait_for(lambda: False, 1)


def test_a_dropped_line_is_dialled_again_after_two_ticks() -> None:
    dialled: list[float] = []

    def converse(connection: socket.socket) -> None:
        upgraded(connection)
        dialled.append(time.monotonic())
        if len(dialled) == 1:
            connection.sendall(b"\x88\x02\x03\xf4")
            assert client_frame(connection) == (8, b"\x03\xf4")
        else:
            connection.recv(1)
        connection.close()

    with server(converse, converse) as base:
        phone = Phone(base, ping_every=0.1)
        phone._list_read_at = time.monotonic()
        phone.connect()
        phone.wait_for(lambda: len(dialled) == 2 and phone.connected, 2)
        phone.switch_off()
    assert 0.15 < dialled[1] - dialled[0] < 2


# --- What the person sees --------------------------------------------------------------------------------------


def watching(**page: str) -> Phone:
    phone = Phone("http://127.0.0.1:1")
    phone.user.id, phone.live.id, phone.screen.page = "1", "77", page.get("page", "audience")
    phone.gifts = {101: Json({"id": 101})}
    return phone


def show(phone: Phone, **message: object) -> None:
    phone._on_frame(json.dumps([{"msg": message}]))


def test_only_messages_of_this_room_by_others_are_shown() -> None:
    phone = watching()
    show(phone, msgType="text", fromUserId=2, fromUserName="乙", text="hi", roomId=77)
    show(phone, msgType="text", fromUserId=2, fromUserName="乙", text="elsewhere", roomId=78)
    show(phone, msgType="text", fromUserId=1, fromUserName="我", text="my own", roomId=77)
    show(phone, msgType="toast", text="unknown", roomId=77)
    show(phone, msgType="system", text="to whoever watches")
    assert [(line.kind, line.text) for line in phone.screen.chat] == [
        ("text", "hi"),
        ("system", "to whoever watches"),
    ]
    assert len(phone.messages) == 5


def test_a_combo_is_one_banner_that_only_grows() -> None:
    phone = watching()
    for amount in (1, 2, 2, 1):
        gift = {"giftId": 101, "amount": amount, "gift_uuid": "u", "totalTicket": amount}
        show(phone, msgType="gift", fromUserId=2, fromUserName="乙", roomId="77", **gift)
    show(phone, msgType="gift", fromUserId=2, fromUserName="乙", roomId="77", giftId=999)
    assert [(banner.gift, banner.combo) for banner in phone.screen.banners] == [(101, 2)]
    assert phone.screen.earnings == 0, "a gift without totalTicket shows 0"


def test_a_stop_without_its_live_leaves_the_viewer_where_he_is() -> None:
    phone = watching()
    show(phone, msgType="action", action="stop-live", roomId=77)
    assert phone.screen.page == "audience"
    show(phone, msgType="action", action="live-change", liveId=77, title="新")
    assert phone.screen.title == "新"
    show(phone, msgType="action", action="stop-live", live={"liveId": 77})
    assert phone.screen.page == "end"
