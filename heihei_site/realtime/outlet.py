"""One socket's way out: a bounded queue and the task that empties it."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings

from heihei_site.realtime.sessions import Connection

Send = Callable[[dict[str, Any]], Awaitable[None]]

ENDED = 4401  # bad token, or its session has ended
TOO_SLOW = 4429  # reconnect and resume
TRY_AGAIN = 1012


class Outlet:
    """What waits while a write is going travels as one array in the next frame (D10)."""

    def __init__(self, send: Send, connection: Connection) -> None:
        self.connection = connection
        self.rooms: set[int] = set()
        self.lookup = asyncio.Lock()
        self.moved: set[int] = set()  # rooms entered or left since the lookup of memberships began
        self._send = send
        self._queue: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._wake = asyncio.Event()
        self._gone = False
        self._close_code = 0
        self._queue_bytes: int = settings.SOCKET_QUEUE_BYTES
        self._frame_bytes: int = settings.SOCKET_FRAME_BYTES

    def put(self, element: bytes) -> None:
        if self._gone or self._close_code:
            return
        self._waiting_bytes += len(element) + 1
        if self._waiting_bytes > self._queue_bytes:
            self.close(TOO_SLOW)
            return
        self._queue.append(element)
        self._wake.set()

    def close(self, code: int) -> None:
        """Nothing more is sent but this; the first code stands."""
        self._close_code = self._close_code or code
        self._forget()

    def hang_up(self) -> None:
        """The other end is gone."""
        self._gone = True
        self._forget()

    async def open(self) -> None:
        """Answer the handshake."""
        if not self._gone:
            await self._send({"type": "websocket.accept"})

    async def write(self) -> None:
        """Send until either end closes the socket or a frame takes longer than SOCKET_SEND_TIMEOUT."""
        try:
            while not self._gone and not self._close_code:
                await self._wake.wait()
                while self._queue:
                    async with asyncio.timeout(settings.SOCKET_SEND_TIMEOUT):
                        await self._send({"type": "websocket.send", "text": self._frame()})
                self._wake.clear()
            if not self._gone:
                async with asyncio.timeout(settings.SOCKET_SEND_TIMEOUT):
                    await self._send({"type": "websocket.close", "code": self._close_code})
        except (TimeoutError, OSError):  # too slow to be told so, or disconnected between two frames
            self.hang_up()

    def _frame(self) -> str:
        """The next frame, at most SOCKET_FRAME_BYTES long unless a single element is longer."""
        elements = [self._queue.popleft()]
        size = len(elements[0]) + 2
        while self._queue and size + len(self._queue[0]) + 1 <= self._frame_bytes:
            size += len(self._queue[0]) + 1
            elements.append(self._queue.popleft())
        self._waiting_bytes -= size - 1
        return (b"[" + b",".join(elements) + b"]").decode()

    def _forget(self) -> None:
        self._queue.clear()
        self._waiting_bytes = 0
        self._wake.set()
