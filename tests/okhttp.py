"""OkHttp 2.4 as the shipped app uses it: un-encoded text, a keep-alive pool without retry, 2 s of patience.

Plain sockets, so that every byte on the wire is the one the phone sends (`android_client.md` 1.1–1.6 and 4.1–4.4).
"""

import base64
import gzip
import os
import re
import select
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import quote, urljoin, urlsplit

Params = Mapping[str, object | None]

CONNECT_SECONDS, READ_SECONDS = 5.0, 2.0
IDLE_CONNECTIONS, REDIRECTS = 5, 20
PERCENT_NOT_HEX = re.compile(r"%(?![0-9A-Fa-f]{2})")
IN_A_QUERY = "".join(map(chr, range(0x21, 0x7F))).translate({ord(char): None for char in "\"'<>+#"})


class NeverSent(Exception):
    """The address is no URI: the call fails inside the phone."""


class UnexpectedUrl(Exception):
    """IllegalArgumentException: no absolute http address."""


def joined(params: Params) -> str:
    """`key=value` joined by `&`, nothing encoded; a null is not sent, a boolean is a word."""
    return "&".join(f"{key}={_java(value)}" for key, value in params.items() if value is not None)


def form_body(params: Params) -> bytes:
    return joined(params).encode()


def query(params: Params) -> str:
    return canonical_query(joined(params))


def canonical_query(raw: str) -> str:
    """What OkHttp's `HttpUrl` makes of a raw query."""
    raw = re.sub(r"[\t\n\f\r]", "", raw).split("#", 1)[0]
    if re.search(r"[{}|^`]", raw) or PERCENT_NOT_HEX.search(raw):
        raise NeverSent(raw)
    return quote(raw.replace("+", " "), safe=IN_A_QUERY)


def _java(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass
class Response:
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        charset = re.search(r"charset=[\"']?([\w-]+)", self.headers.get("content-type", ""))
        try:
            return self.content.decode(charset[1] if charset else "utf-8", "replace")
        except LookupError:
            return self.content.decode("utf-8", "replace")


def _dial(host: str, port: int, own_address: str) -> socket.socket:
    return socket.create_connection((host, port), CONNECT_SECONDS, (own_address, 0) if own_address else None)


class Connection:
    def __init__(self, host: str, port: int, own_address: str) -> None:
        self.host, self.port = host, port
        self.socket = _dial(host, port, own_address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(READ_SECONDS)
        self.stream = self.socket.makefile("rb")

    def server_has_closed(self) -> bool:
        return bool(select.select([self.socket], [], [], 0)[0])

    def abort(self) -> None:
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.stream.close()
        self.socket.close()


class Http:
    """The connection pool of one app process. `own_address`: the phone's, where that matters (127.x.y.z)."""

    def __init__(self, own_address: str = "") -> None:
        self._own_address = own_address
        self._idle: list[Connection] = []
        self._running: dict[object, Connection] = {}
        self._lock = threading.Lock()

    def get(self, url: str, params: Params, headers: Params, *, once: bool = True) -> Response | None:
        """None: no answer. `once`: the same request sent again meanwhile cancels this one."""
        address = url if url.endswith("?") else url + "?"
        return self._follow("GET", address + joined(params), headers, None, once)

    def post(self, url: str, body: bytes, headers: Params, *, form: str) -> Response | None:
        headers = {**headers, "Content-Type": form, "Content-Length": len(body)}
        return self._follow("POST", url, headers, body, True)

    def close(self) -> None:
        with self._lock:
            connections, self._idle = self._idle, []
        for connection in connections:
            connection.abort()

    def _follow(self, method: str, url: str, headers: Params, body: bytes | None, once: bool) -> Response | None:
        for _ in range(REDIRECTS):
            response = self._exchange(method, url, headers, body, once)
            moved = response.headers.get("location") if response else None
            if not response or not moved or response.status not in (300, 301, 302, 303, 307, 308):
                return response
            if response.status in (307, 308) and method != "GET":
                return response
            url, method, body = urljoin(url, moved), "GET", None
            headers = {name: value for name, value in headers.items() if not name.startswith("Content-")}
        return None

    def _exchange(self, method: str, url: str, headers: Params, body: bytes | None, once: bool) -> Response | None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise UnexpectedUrl(url)
        try:
            target = (parts.path or "/") + ("?" + canonical_query(url.split("?", 1)[1]) if "?" in url else "")
        except NeverSent:
            return None
        own = {"Host": parts.netloc, "Connection": "Keep-Alive", "Accept-Encoding": "gzip"}
        lines = {**headers, **own, "User-Agent": "okhttp/2.4.0"}
        head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{key}: {value}\r\n" for key, value in lines.items())
        connection: Connection | None = None
        try:
            connection = self._take(method, parts.hostname, parts.port or 80)
            self._cancel_twin((method, url, body) if once else None, connection)
            connection.socket.sendall(head.encode() + b"\r\n" + (body or b""))
            response = _read_response(connection.stream)
        except (OSError, ValueError):
            if connection:
                connection.abort()
            return None
        finally:
            with self._lock:
                self._running = {key: busy for key, busy in self._running.items() if busy is not connection}
        self._give_back(connection, response)
        return response

    def _take(self, method: str, host: str, port: int) -> Connection:
        """Only a POST looks whether the server has closed a pooled connection meanwhile."""
        while True:
            with self._lock:
                fitting = [pooled for pooled in self._idle if (pooled.host, pooled.port) == (host, port)]
                if fitting:
                    self._idle.remove(fitting[-1])
            if not fitting:
                return Connection(host, port, self._own_address)
            if method == "GET" or not fitting[-1].server_has_closed():
                return fitting[-1]
            fitting[-1].abort()

    def _cancel_twin(self, request: object, connection: Connection) -> None:
        if request is None:
            return
        with self._lock:
            twin = self._running.get(request)
            self._running[request] = connection
        if twin:
            twin.socket.shutdown(socket.SHUT_RDWR)

    def _give_back(self, connection: Connection, response: Response) -> None:
        with self._lock:
            keep = response.headers.get("connection", "").lower() != "close" and len(self._idle) < IDLE_CONNECTIONS
            if keep:
                self._idle.append(connection)
        if not keep:
            connection.abort()


def _read_response(stream: BinaryIO) -> Response:
    status = int(_line(stream).split(" ", 2)[1])
    headers = _read_headers(stream)
    content = _read_content(stream, status, headers)
    if headers.get("content-encoding", "").lower() == "gzip":
        content = gzip.decompress(content)
    return Response(status, headers, content)


def _read_headers(stream: BinaryIO) -> dict[str, str]:
    headers: dict[str, str] = {}
    while line := _line(stream):
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return headers


def _read_content(stream: BinaryIO, status: int, headers: dict[str, str]) -> bytes:
    if status in (204, 304):
        return b""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        content = b""
        while size := int(_line(stream).split(";")[0], 16):
            content += _exactly(stream, size)
            _line(stream)
        _read_headers(stream)
        return content
    if "content-length" in headers:
        return _exactly(stream, int(headers["content-length"]))
    headers["connection"] = "close"
    return stream.read()


def _line(stream: BinaryIO) -> str:
    line = stream.readline(65536)
    if not line.endswith(b"\n"):
        raise ConnectionError("unexpected end of stream")
    return line.decode("latin-1").rstrip("\r\n")


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise ConnectionError("unexpected end of stream")
    return data


CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


class WebSocket:
    """okhttp-ws: a reader thread that hands over texts. It never sends a data frame."""

    def __init__(
        self,
        url: str,
        *,
        on_text: Callable[[str], None],
        on_crash: Callable[[str], None],
        on_end: Callable[[], None] = lambda: None,
        own_address: str = "",
    ) -> None:
        self.on_text, self.on_crash, self.on_end = on_text, on_crash, on_end
        self.unanswered = 0
        self.close_code: int | None = None
        self._sending = threading.Lock()
        self._socket, self._stream = _handshake(url, own_address)
        self.connected = True
        threading.Thread(target=self._read, daemon=True, name="okhttp-ws").start()

    def ping(self, payload: bytes = b"ping") -> None:
        self.unanswered += 1
        self.send(PING, payload)

    def close_with_zero(self) -> None:
        """What the app does before it reconnects: status code 0, which no RFC allows."""
        self.send(CLOSE, b"\x00\x00")

    def drop(self) -> None:
        """The network is gone: no CLOSE."""
        self._hang_up()

    def send(self, opcode: int, payload: bytes) -> None:
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
        size = len(payload)
        length = bytes([0x80 | size]) if size < 126 else struct.pack("!BH", 0xFE, size)
        if size > 0xFFFF:
            length = struct.pack("!BQ", 0xFF, size)
        try:
            with self._sending:
                self._socket.sendall(bytes([0x80 | opcode]) + length + mask + masked)
        except OSError:
            self._hang_up()

    def _read(self) -> None:
        message = b""
        try:
            while True:
                final, opcode, payload = _read_frame(self._stream)
                if opcode == BINARY:
                    return self.on_crash("Listener failed to call close on message payload")
                if opcode in (TEXT, CONTINUATION):
                    message += payload
                    if final:
                        text, message = message.decode(), b""
                        self.on_text(text)
                elif not self._control(opcode, payload):
                    return None
        except (OSError, ValueError, struct.error):
            return None
        finally:
            self._hang_up()
            self.on_end()

    def _control(self, opcode: int, payload: bytes) -> bool:
        """False when the conversation is over."""
        if opcode == PING:
            self.send(PONG, payload)
        elif opcode == PONG:
            self.unanswered = 0
            if payload != b"ping":
                self.on_crash(f"onPong: payload {payload!r}")
                return False
        elif opcode == CLOSE:
            self.close_code = int.from_bytes(payload[:2], "big")
            self.send(CLOSE, payload[:2] or b"\x00\x00")
            return False
        return True

    def _hang_up(self) -> None:
        self.connected = False
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def _handshake(url: str, own_address: str) -> tuple[socket.socket, BinaryIO]:
    parts = urlsplit(url)
    if parts.scheme != "ws" or not parts.hostname:
        raise UnexpectedUrl(url)
    connected = _dial(parts.hostname, parts.port or 80, own_address)
    lines = [
        f"GET {parts.path}?{canonical_query(parts.query)} HTTP/1.1",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        "Sec-WebSocket-Version: 13",
        f"Host: {parts.netloc}",
        "Accept-Encoding: gzip",
        "User-Agent: okhttp/2.4.0",
    ]
    connected.sendall("\r\n".join([*lines, "", ""]).encode())
    stream = connected.makefile("rb")
    status = _line(stream).split(" ", 2)[1]
    _read_headers(stream)
    if status != "101":
        connected.close()
        raise ConnectionRefusedError(f"handshake answered with {status}")
    connected.settimeout(None)
    return connected, stream


def _read_frame(stream: BinaryIO) -> tuple[bool, int, bytes]:
    first, second = _exactly(stream, 2)
    if second & 0x80 or first & 0x70:
        raise ValueError("masked, or an extension nobody asked for")
    size = second
    if size == 126:
        (size,) = struct.unpack("!H", _exactly(stream, 2))
    elif size == 127:
        (size,) = struct.unpack("!Q", _exactly(stream, 8))
    payload = _exactly(stream, size)
    if first & 0x0F == CLOSE and payload and not 1000 <= int.from_bytes(payload[:2], "big") < 5000:
        raise ValueError("close code")
    return bool(first & 0x80), first & 0x0F, payload
