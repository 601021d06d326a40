"""A WebSocket client down to the bytes: what it sends may be wrong, and what it gets is shown as it came."""

import base64
import json
import os
import socket
import struct
from collections import deque
from contextlib import suppress
from typing import Any

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Phone:
    def __init__(self, port: int, path: str, *, receive_buffer: int = 0) -> None:
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect(("127.0.0.1", port))
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self._received = b""
        self._elements: deque[dict[str, Any]] = deque()
        while b"\r\n\r\n" not in self._received:
            self._need(len(self._received) + 1)
        head, self._received = self._received.split(b"\r\n\r\n", 1)
        self.status = int(head.split()[1])

    def send(self, opcode: int, payload: bytes = b"") -> None:
        mask = os.urandom(4)
        size = len(payload)
        if size < 126:
            length = bytes([0x80 | size])
        elif size < 65536:
            length = b"\xfe" + struct.pack(">H", size)
        else:
            length = b"\xff" + struct.pack(">Q", size)
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        self.socket.sendall(bytes([0x80 | opcode]) + length + mask + masked)

    def frame(self, seconds: float = 5) -> tuple[int, bytes]:
        """The next frame but server pings; (0, b"") when the connection is gone."""
        self.socket.settimeout(seconds)
        try:
            self._need(2)
            start = 2
            size = self._received[1]
            if size > 125:
                start = 4 if size == 126 else 10
                self._need(start)
                size = int.from_bytes(self._received[2:start], "big")
            self._need(start + size)
        except ConnectionError:
            return 0, b""
        opcode, payload = self._received[0] & 15, self._received[start : start + size]
        self._received = self._received[start + size :]
        return (opcode, payload) if opcode != PING else self.frame(seconds)

    def _need(self, size: int) -> None:
        while len(self._received) < size:
            if not (more := self.socket.recv(1 << 20)):
                raise ConnectionError
            self._received += more

    def element(self, seconds: float = 5) -> dict[str, Any]:
        """The next element, which may share a frame with others."""
        while not self._elements:
            opcode, payload = self.frame(seconds)
            assert opcode == TEXT, (opcode, payload)
            assert len(payload) <= 65536
            self._elements.extend(json.loads(payload))
        return self._elements.popleft()

    def numbered(self, seconds: float = 5) -> dict[str, Any]:
        """The next element with a number. What has none, the count of what is unread, may come before it."""
        while "seq" not in (found := self.element(seconds)):
            pass
        return found

    def elements(self, count: int, seconds: float = 5) -> list[dict[str, Any]]:
        return [self.element(seconds) for _ in range(count)]

    def message(self, seconds: float = 5) -> dict[str, Any]:
        return self.element(seconds)["msg"]

    def texts(self, count: int, seconds: float = 5) -> list[str]:
        return [self.message(seconds)["text"] for _ in range(count)]

    def hears_nothing(self, seconds: float = 0.3) -> bool:
        """False when there was something; that is gone then."""
        try:
            self.element(seconds)
        except TimeoutError:
            return True
        return False

    def hears_nothing_more(self) -> None:
        """Skip what is under way."""
        while not self.hears_nothing(0.1):
            pass

    def close_code(self, seconds: float = 5) -> int:
        opcode, payload = self.frame(seconds)
        while opcode == TEXT:
            opcode, payload = self.frame(seconds)
        assert opcode == CLOSE, (opcode, payload)
        return int(struct.unpack(">H", payload[:2])[0])

    def drop(self) -> None:
        with suppress(OSError):
            self.socket.close()
