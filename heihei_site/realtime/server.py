"""The WebSocket side of uvicorn: `--ws heihei_site.realtime.server:Socket`."""

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

ABANDON_SECONDS = 10.0


class Socket(WebSocketsSansIOProtocol):
    """uvicorn waits for ever until a client has read what was written to it. A client of ours has
    ABANDON_SECONDS after the socket was closed, then connection and buffers go."""

    async def run_asgi(self) -> None:
        await super().run_asgi()
        self.loop.call_later(ABANDON_SECONDS, self.transport.abort)
