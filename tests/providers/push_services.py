"""Getui and Apple as far as their protocols say, on loopback: they check who asks and what, and act once a name."""

import hashlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import h2.config
import h2.connection
import h2.events
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

APP_ID, APP_KEY, MASTER_SECRET = "app", "key", "master"
GETUI = {"GETUI_APP_ID": APP_ID, "GETUI_APP_KEY": APP_KEY, "GETUI_MASTER_SECRET": MASTER_SECRET}
_key = ec.generate_private_key(ec.SECP256R1())
APPLE_KEY = _key.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
APPLE = {"APNS_KEY": APPLE_KEY, "APNS_KEY_ID": "KEYID12345", "APNS_TEAM_ID": "TEAMID1234", "APNS_TOPIC": "com.heihei"}


@dataclass
class Getui:
    """`taken` is what went to devices, once a request id. `gone` are no devices of ours, `ignored` long unused ones."""

    url: str = ""
    taken: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[int] = field(default_factory=list)  # messages of each call that was let in
    sign_ins: int = 0
    tokens: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    ignored: set[str] = field(default_factory=set)
    away: bool = False

    def answer(self, path: str, headers: Any, body: dict[str, Any]) -> tuple[int, Any]:
        if self.away:
            return 502, "<html>Bad Gateway</html>"
        if path == f"/{APP_ID}/auth":
            return self._sign_in(body)
        if headers["token"] not in self.tokens:
            return 401, {"code": 10001, "msg": "token is invalid"}
        if path != f"/{APP_ID}/push/single/batch/cid":
            return 404, {"code": 20001, "msg": "no such path"}
        return self._push(body)

    def _sign_in(self, body: dict[str, Any]) -> tuple[int, Any]:
        signed = hashlib.sha256(f"{APP_KEY}{body['timestamp']}{MASTER_SECRET}".encode()).hexdigest()
        if body["sign"] != signed or body["appkey"] != APP_KEY or abs(int(body["timestamp"]) / 1000 - time.time()) > 60:
            return 403, {"code": 10005, "msg": "sign error"}
        self.sign_ins += 1
        token = f"token-{self.sign_ins}"
        self.tokens.add(token)
        return 200, {"code": 0, "data": {"token": token, "expire_time": str(int(time.time() * 1000) + 86_400_000)}}

    def _push(self, body: dict[str, Any]) -> tuple[int, Any]:
        messages = body["msg_list"]
        assert 0 < len(messages) <= 200 and all(10 <= len(one["request_id"]) <= 32 for one in messages)
        cids = [cid for one in messages for cid in one["audience"]["cid"]]
        if self.gone & set(cids):
            return 400, {"code": 20001, "msg": "target user is invalid"}
        self.calls.append(len(messages))
        data = {}
        for one in messages:
            (cid,) = one["audience"]["cid"]
            if cid not in self.ignored:
                self.taken.setdefault(one["request_id"], one)
            data[f"task-{one['request_id']}"] = {
                cid: "successed_ignore" if cid in self.ignored else "successed_offline"
            }
        return 200, {"code": 0, "msg": "success", "data": data}


@contextmanager
def getui() -> Iterator[Getui]:
    here = Getui()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, said = here.answer(self.path, self.headers, body)
            text = (said if isinstance(said, str) else json.dumps(said)).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    here.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield here
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Apple:
    """`shown` is what phones show, by token and collapse id: a later one replaces an earlier. `says` answers tokens."""

    url: str = ""
    shown: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)  # headers
    connections: int = 0
    says: dict[str, tuple[int, str]] = field(default_factory=dict)
    away: bool = False

    def answer(self, headers: dict[str, str], body: bytes) -> tuple[int, str]:
        self.asked.append(headers)
        bearer = headers["authorization"].removeprefix("bearer ")
        try:
            said = jwt.decode(bearer, _key.public_key(), algorithms=["ES256"])
        except jwt.InvalidTokenError:
            return 403, "InvalidProviderToken"
        if said["iss"] != "TEAMID1234" or jwt.get_unverified_header(bearer)["kid"] != "KEYID12345":
            return 403, "InvalidProviderToken"
        token = headers[":path"].removeprefix("/3/device/")
        if token in self.says:
            return self.says[token]
        if len(body) > 4096 or headers["apns-topic"] != "com.heihei" or len(headers["apns-collapse-id"]) > 64:
            return 400, "BadTopic"
        self.shown[token, headers["apns-collapse-id"]] = json.loads(body)
        return 200, ""


@contextmanager
def apple() -> Iterator[Apple]:
    here = Apple()
    listening = socket.create_server(("127.0.0.1", 0))
    here.url = f"http://127.0.0.1:{listening.getsockname()[1]}"

    def accept() -> None:
        while True:
            try:
                connected, _ = listening.accept()
            except OSError:
                return
            here.connections += 1
            threading.Thread(target=_talk, args=(here, connected), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield here
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()


def _talk(here: Apple, connected: socket.socket) -> None:
    """HTTP/2 from the first byte: the phone's maker does so after TLS, of which there is none on loopback."""
    if here.away:
        connected.close()
        return
    protocol = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
    protocol.initiate_connection()
    connected.sendall(protocol.data_to_send())
    requests: dict[int, tuple[dict[str, str], bytearray]] = {}
    while data := connected.recv(65536):
        for event in protocol.receive_data(data):
            match event:
                case h2.events.RequestReceived():
                    requests[event.stream_id] = (dict(event.headers), bytearray())
                case h2.events.DataReceived():
                    requests[event.stream_id][1].extend(event.data)
                    protocol.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                case h2.events.StreamEnded():
                    headers, body = requests.pop(event.stream_id)
                    status, reason = here.answer(headers, bytes(body))
                    protocol.send_headers(event.stream_id, [(":status", str(status))], end_stream=not reason)
                    if reason:
                        protocol.send_data(event.stream_id, json.dumps({"reason": reason}).encode(), end_stream=True)
        connected.sendall(protocol.data_to_send())
    connected.close()
