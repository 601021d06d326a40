"""The WebSocket side of uvicorn: `--ws heihei_site.realtime.server:Socket`."""

import socket
from asyncio import BaseTransport
from collections.abc import Sequence
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import ProtocolError
from websockets.frames import Frame as WebSocketFrame
from websockets.frames import Opcode
from websockets.http11 import Request

from heihei_site.realtime import hub, metrics
from heihei_site.realtime.consumers import PIPE
from heihei_site.realtime.frames import Frame
from heihei_site.realtime.outlet import Outlet

ABANDON_SECONDS = 10.0
SEND_BUFFER = 64 * 1024  # bytes the kernel keeps for a client that does not read; it doubles them
FRAMES_A_SECOND = 50  # frames of any kind that a client may send in the long run
FRAMES_AT_ONCE = 500  # and in a burst
FLOOD = 1008
CODE_0 = b"\0\0"
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Socket(WebSocketsSansIOProtocol):
    """What real phones need that uvicorn does not do by itself.

    A CLOSE with code 0, as the 1.1 app sends at every reconnect, is an ordinary close (D10); uvicorn calls it an error.
    A handshake that cannot be read is answered; uvicorn would keep it waiting. A client that does not read has
    ABANDON_SECONDS after the socket was closed, then connection and buffers go; uvicorn would wait for ever. A client
    that floods us is closed with 1008. At the end of the process sockets are asked one by one to connect elsewhere;
    uvicorn would close them all at once, and all would come back at once.

    And speed: our application gets the connection itself (`Pipe`), so a frame is built once for a room and written
    once for each socket, without a coroutine and a queue in between.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.outlet: Outlet | None = None
        self._frames_left = float(FRAMES_AT_ONCE)
        self._frames_counted_at = self.loop.time()
        receive = self.conn.recv_frame

        def receive_leniently(frame: WebSocketFrame) -> None:
            if frame.opcode is Opcode.CLOSE and bytes(frame.data) == CODE_0:
                frame = WebSocketFrame(Opcode.CLOSE, b"")
            self._count_frame()
            receive(frame)

        self.conn.recv_frame = receive_leniently  # type: ignore[method-assign]

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.outlet is not None:
            self.outlet.hang_up()  # from here on the transport raises where it is written to
        super().connection_lost(exc)

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.handshake_complete:
            offered: dict[str, Any] = self.scope["extensions"]
            offered[PIPE] = Pipe(self)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if getattr(self.conn, "handshake_exc", None) is not None and not self.handshake_initiated:
            self.transport.write(BAD_REQUEST)
            self.transport.close()

    def _count_frame(self) -> None:
        now = self.loop.time()
        refilled = self._frames_left + (now - self._frames_counted_at) * FRAMES_A_SECOND
        self._frames_left, self._frames_counted_at = min(FRAMES_AT_ONCE, refilled) - 1, now
        if self._frames_left < 0:
            self.end(FLOOD)
            self.transport.pause_reading()
            raise ProtocolError("too many frames")  # what else has come is thrown away unread

    def handle_parser_exception(self) -> None:
        if not self.close_sent:
            super().handle_parser_exception()

    def keepalive_timeout(self) -> None:
        """Nobody is there to read what has not gone out yet; to wait for that would be for ever."""
        super().keepalive_timeout()
        self.transport.abort()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self.outlet is not None:
            self.outlet.pause()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.outlet is not None:
            self.outlet.resume()

    def end(self, code: int) -> None:
        """What `websocket.close` from the application does, at once and also where the client does not read."""
        if self.close_sent or self.transport.is_closing():
            return
        metrics.closes.labels(str(code)).inc()
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": ""})
        self.conn.send_close(code)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.close)

    def shutdown(self) -> None:
        if self.outlet is None or self.close_sent:
            super().shutdown()
        else:
            hub.drain()

    async def run_asgi(self) -> None:
        await super().run_asgi()
        self.outlet = None
        self.loop.call_later(ABANDON_SECONDS, self.transport.abort)


class Pipe:
    """The connection of one socket, for its outlet (`outlet.Pipe`)."""

    __slots__ = ("_protocol",)

    def __init__(self, protocol: Socket) -> None:
        self._protocol = protocol

    def open(self, outlet: Outlet) -> None:
        self._protocol.outlet = outlet
        if self._protocol.transport.is_closing():
            outlet.hang_up()
        elif self._protocol.writable.is_set():
            outlet.resume()

    def write(self, frames: Sequence[Frame]) -> None:
        if not self._protocol.close_sent:
            write = self._protocol.transport.write
            for frame in frames:
                write(frame.wire)

    def close(self, code: int) -> None:
        self._protocol.end(code)
