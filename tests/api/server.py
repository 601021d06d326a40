"""The real ASGI application, Edge included, on a port of its own, and HTTP to it down to the bytes."""

import json
import socket
import threading
import time
from collections.abc import Iterable
from typing import Any

import uvicorn

from heihei_site.api.server import Http
from heihei_site.asgi import application


class Server:
    """uvicorn as `manage.py up` runs it, in a thread of this process."""

    def __init__(self) -> None:
        config = uvicorn.Config(application, host="127.0.0.1", port=0, http=Http, lifespan="off", log_config=None)
        self._uvicorn = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._uvicorn.run, daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._uvicorn.started:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        self.port: int = self._uvicorn.servers[0].sockets[0].getsockname()[1]

    def stop(self) -> None:
        self._uvicorn.should_exit = True
        self._thread.join(10)

    def send(self, head: bytes, body: Iterable[bytes] = ()) -> tuple[int, dict[str, Any]]:
        """Status and answer of a request given as its bytes; `head` without the Host line and the blank one."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(head + b"\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            for piece in body:
                connection.sendall(piece)
            received = b"".join(iter(lambda: connection.recv(65536), b""))
        return int(received.split()[1]), answer_in(received)

    def post(self, path: str, body: bytes | Iterable[bytes], *headers: str) -> tuple[int, dict[str, Any]]:
        length = [f"Content-Length: {len(body)}"] if isinstance(body, bytes) else []
        head = "\r\n".join([f"POST {path} HTTP/1.1", *length, *headers]).encode()
        return self.send(head, [body] if isinstance(body, bytes) else body)


def answer_in(received: bytes) -> dict[str, Any]:
    return dict(json.loads(received.partition(b"\r\n\r\n")[2]))
