"""The WebSocket side of uvicorn: `--ws heihei_site.realtime.server:Socket`."""

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode

ABANDON_SECONDS = 10.0
CODE_0 = b"\0\0"
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Socket(WebSocketsSansIOProtocol):
    """What real phones need that uvicorn does not do by itself.

    A CLOSE with code 0, as the 1.1 app sends at every reconnect, is an ordinary close (D10); uvicorn calls it an error.
    A handshake that cannot be read is answered; uvicorn would keep it waiting. A client that does not read has
    ABANDON_SECONDS after the socket was closed, then connection and buffers go; uvicorn would wait for ever.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        receive = self.conn.recv_frame

        def receive_leniently(frame: Frame) -> None:
            if frame.opcode is Opcode.CLOSE and bytes(frame.data) == CODE_0:
                frame = Frame(Opcode.CLOSE, b"")
            receive(frame)

        self.conn.recv_frame = receive_leniently  # type: ignore[method-assign]

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if getattr(self.conn, "handshake_exc", None) is not None and not self.handshake_initiated:
            self.transport.write(BAD_REQUEST)
            self.transport.close()

    async def run_asgi(self) -> None:
        await super().run_asgi()
        self.loop.call_later(ABANDON_SECONDS, self.transport.abort)
