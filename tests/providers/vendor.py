"""A vendor's HTTP server, here. It answers what a test tells it to, and remembers what it was asked."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Says:
    """One answer. A body that is no text is sent as JSON; with `drip` it comes byte by byte, so many seconds apart."""

    body: Any
    status: int = 200
    after: float = 0.0
    drip: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Vendor:
    url: str
    answers: dict[str, Says] = field(default_factory=dict)  # by path
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)  # method, path, parameters
    headers: list[Message] = field(default_factory=list)


@contextmanager
def vendor() -> Iterator[Vendor]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            here.asked.append((self.command, address.path, dict(parse_qsl(address.query) + parse_qsl(body))))
            here.headers.append(self.headers)
            says = here.answers[address.path]
            time.sleep(says.after)
            text = says.body if isinstance(says.body, str) else json.dumps(says.body)
            try:
                self.answer(says, text.encode())
            except OSError:  # nobody listens any more
                self.close_connection = True

        def answer(self, says: Says, body: bytes) -> None:
            self.send_response(says.status)
            self.send_header("Content-Type", "text/plain")  # as WeChat does
            self.send_header("Content-Length", str(len(body)))
            for name, value in says.headers.items():
                self.send_header(name, value)
            self.end_headers()
            for part in [body] if not says.drip else [bytes([byte]) for byte in body]:
                self.wfile.write(part)
                time.sleep(says.drip)

        do_POST = do_DELETE = do_GET

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    here = Vendor(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
