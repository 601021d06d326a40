"""I12: what a whole instance writes down while people come, err and fail: no token, code, phone or query string."""

import http.client
import json
import re
import socket
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from tests.client import Phone
from tests.processes import wait_until
from tests.venue import Venue, open_venue

BROKEN = {"users_phonecode": "user/get-sms-verification-code", "live_live": "live/get-live"}
ID_CARD = "11010519491231002X"
TOKEN_LIKE = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
CODE_LIKE = re.compile(r"(?<![\w.\[-])\d{6}(?![\w-])")  # not those of times, process and request ids
PHONE_LIKE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")


class Evening:
    """What happened, and every secret that was said aloud meanwhile."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.numbers = [venue.number() for _ in range(3)]
        self.tokens: list[str] = []
        self.failures: dict[str, dict[str, object]] = {}
        self.phones: list[Phone] = []

    def call(self, method: str, path: str, body: str = "", **headers: str) -> dict[str, object]:
        connection = http.client.HTTPConnection("127.0.0.1", self.venue.instance.port, timeout=10)
        connection.request(method, path, body.encode(), headers)
        answer = connection.getresponse().read()
        connection.close()
        return dict(json.loads(answer)) if answer.startswith(b"{") else {}

    def post(self, endpoint: str, **params: object) -> dict[str, object]:
        return self.call(
            "POST", f"/api/{endpoint}", urlencode(params), **{"Content-Type": "application/x-www-form-urlencoded"}
        )

    def play(self) -> None:
        self.people_come_and_talk()
        self.people_err()
        self.somebody_tries_the_console()
        self.we_fail()
        self.a_worker_fails()

    def people_come_and_talk(self) -> None:
        for number in self.numbers[:2]:
            phone = self.venue.phone()
            self.venue.sign_in(phone, number)
            self.tokens.append(phone.user.token)
            phone.complete_profile(f"p{number[-4:]}", "Female")
            self.phones.append(phone)
        anchor, viewer = self.tokens
        live = self.post("live/create-live", token=anchor, title="直播")["live"]["liveId"]  # type: ignore[index]
        self.post("live/start-live", token=anchor, liveId=live)
        self.post("live/join-live", token=viewer, liveId=live)
        for text in (f"打给我 {self.numbers[2]}", f"身份证 {ID_CARD}", f"token={viewer}"):
            query = urlencode({"token": viewer, "liveId": live, "roomId": live, "text": text})
            assert self.call("GET", f"/api/msg/send-msg?{query}")["errorcode"] == 0
        self.post("user/sign-out", token=viewer)

    def people_err(self) -> None:
        dead = "f" * 64
        self.tokens.append(dead)
        assert self.post("user/info", token=dead)["errorcode"] == 720
        assert self.call("GET", f"/api/user/info?token={dead}", token=dead)["errorcode"] == 720
        assert self.call("GET", "/api/user/info", authorization=f"Token {dead}")["errorcode"] == 720
        assert self.call("GET", f"/api/nothing/{self.numbers[2]}?token={dead}")["errorcode"] == 700
        assert self.call("PUT", f"/api/user/info?token={dead}")["errorcode"] == 700
        assert self.call("GET", f"/api/init?token={dead}", host="evil.example")["errorcode"] == 700
        wrong = self.post("user/sign-in-cl-by-phone", phoneNo=self.numbers[0], verifyCode="000000", token=dead)
        assert wrong["errorcode"] == 401
        self.call("GET", f"/nothing?token={dead}&phone={self.numbers[2]}")
        self.call("GET", f"/ws/channel?token={dead}")
        self.raw(f"GET /ws/elsewhere?token={dead} HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
        self.raw(f"GET /ws/channel?token={dead} HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
        self.raw(f"GE T /api/init?token={dead} nonsense\r\n")

    def raw(self, head: str) -> None:
        key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nHost: 127.0.0.1\r\n\r\n"
        with socket.create_connection(("127.0.0.1", self.venue.instance.port), timeout=5) as connection:
            connection.sendall((head + key).encode())
            connection.recv(4096)

    def somebody_tries_the_console(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.venue.instance.port, timeout=10)
        connection.request("GET", "/admin/login/")
        form = connection.getresponse()
        cookie = form.headers["Set-Cookie"].partition(";")[0]
        [field] = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', form.read().decode())
        body = urlencode({"csrfmiddlewaretoken": field, "username": self.numbers[0], "password": "geheimes-wort"})
        headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/admin/login/?next=/admin/", body, headers)
        assert connection.getresponse().status == 200
        connection.close()

    def we_fail(self) -> None:
        """The database's complaints quote the statement, and that quotes what people sent."""
        for table, endpoint in BROKEN.items():
            self.venue.sql(f"ALTER TABLE {table} RENAME TO broken")
            secrets = {"phoneNo": self.numbers[2], "liveId": 5, "token": self.tokens[0], "verifyCode": "135790"}
            self.failures[endpoint] = self.post(endpoint, **secrets)
            self.venue.sql(f"ALTER TABLE broken RENAME TO {table}")

    def a_worker_fails(self) -> None:
        """What cannot be sent: the number and the code are arguments of the job."""
        outbox = self.venue.instance.var / "outbox" / "sms.jsonl"
        outbox.rename(outbox.with_suffix(".before"))
        outbox.mkdir()
        ask = lambda: self.post("user/get-sms-verification-code", phoneNo=self.numbers[2])  # noqa: E731
        wait_until(lambda: ask()["errorcode"] == 0, 30, "a worker that is told in time")
        wait_until(lambda: "IsADirectoryError" in all_logs(self), 30, "the failure of the job in the log")


@pytest.fixture(scope="module")
def evening() -> Iterator[Evening]:
    with open_venue() as venue:
        evening = Evening(venue)
        evening.play()
        yield evening
        for phone in evening.phones:
            phone.switch_off()


@pytest.fixture(scope="module")
def written(evening: Evening) -> str:
    """Everything that any process has written to a log or to the console."""
    wait_until(
        lambda: all(str(failure["traceId"]) in all_logs(evening) for failure in evening.failures.values()), 20, "logs"
    )
    return all_logs(evening)


def all_logs(evening: Evening) -> str:
    var = evening.venue.instance.var
    files = [var / "console", *(var / "log").rglob("*")]
    return "\n".join(path.read_text(errors="replace") for path in files if path.is_file())


def lines(written: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in written.splitlines() if line.startswith("{")]


def test_no_token_is_written_down(evening, written):
    assert not [token for token in evening.tokens if token in written]
    assert not TOKEN_LIKE.search(written)


def test_no_phone_number_is_written_down(evening, written):
    assert not [number for number in evening.numbers if number in written]
    assert not PHONE_LIKE.search(written)


def test_no_code_is_written_down(evening, written):
    outbox = (evening.venue.instance.var / "outbox" / "sms.before").read_text().splitlines()
    codes = [json.loads(line)["code"] for line in outbox]
    assert codes
    assert not CODE_LIKE.search(written)
    assert not [code for code in [*codes, "135790"] if re.search(rf"(?<!\d){code}(?!\d)", written)]


def test_no_id_card_and_no_password_is_written_down(written):
    assert ID_CARD not in written
    assert "geheimes-wort" not in written


def test_no_query_string_is_written_down(written):
    assert not re.search(r"/\w[^\s\"']*\?", written)
    assert "打给我" not in written


def test_what_our_processes_write_is_json_with_request_ids(written):
    requests = [line for line in lines(written) if line["event"] == "request_finished"]
    assert len(requests) > 20
    assert all(re.fullmatch(r"[0-9a-f-]{36}", str(line["request_id"])) for line in requests)
    assert len({line["request_id"] for line in requests}) == len(requests)
    assert {"timestamp", "level", "logger", "event"} <= set(requests[0])


def test_a_failure_is_found_in_the_log_by_the_trace_id_of_its_answer(evening, written):
    for endpoint, answer in evening.failures.items():
        assert (answer["errorcode"], answer["errormsg"]) == (-1, "服务器开小差了")
        [failed] = [
            line
            for line in lines(written)
            if line["event"] == "request_failed" and line["request_id"] == answer["traceId"]
        ]
        assert failed["endpoint"] == endpoint
        assert "does not exist" in str(failed["exception"])
