"""One socket's way out: straight to the connection while it takes what it is given, else through a bounded queue."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from django.conf import settings

from heihei_site.realtime.frames import Frame
from heihei_site.realtime.sessions import Connection
from heihei_site.realtime.storage import Key

ENDED = 4401  # bad token, or its session has ended
TOO_SLOW = 4429  # reconnect and resume
TRY_AGAIN = 1012
TOO_MANY = 1008  # of its session's sockets the oldest
OVER = 1000  # a guest's room


class Pipe(Protocol):
    """The server's end of a connection. It calls `pause` and `resume` of its outlet as its buffer fills and drains."""

    def open(self, outlet: "Outlet") -> None: ...

    def write(self, frames: Sequence[Frame]) -> None: ...

    def close(self, code: int) -> None: ...


class Outlet:
    """Paused until its pipe opens."""

    __slots__ = (
        "_close_code",
        "_closed",
        "_drained",
        "_opened",
        "_paused_since",
        "_pipe",
        "_waiting",
        "_waiting_bytes",
        "connection",
        "feeds",
        "leave_at",
        "lookup",
        "moved",
        "resuming",
    )

    def __init__(self, pipe: Pipe, connection: Connection) -> None:
        self.connection = connection
        self.feeds: set[Key] = set()
        self.resuming: set[Key] = set()  # streams that are replayed before they are joined
        self.lookup = asyncio.Lock()
        self.moved: set[int] = set()  # rooms entered or left since the lookup of memberships began
        self.leave_at = float("inf")  # loop time at which it is asked to connect anew
        self._pipe = pipe
        self._waiting: deque[Frame] = deque()
        self._waiting_bytes = 0
        self._paused_since: float | None = asyncio.get_running_loop().time()
        self._drained: asyncio.Event | None = None
        self._opened = self._closed = False
        self._close_code = 0

    def open(self) -> None:
        """The handshake is answered: let out what came meanwhile."""
        self._opened = True
        if self._close_code:
            self._pipe.close(self._close_code)
        elif not self._closed:
            self._pipe.open(self)

    def put(self, frames: Sequence[Frame]) -> None:
        if self._closed:
            return
        for frame in frames:
            if self._paused_since is None:
                self._pipe.write((frame,))
                continue
            self._waiting.append(frame)
            self._waiting_bytes += len(frame)
        if self._waiting_bytes > settings.SOCKET_QUEUE_BYTES:
            self.close(TOO_SLOW)

    def close(self, code: int) -> None:
        """Nothing more is sent but this; the first code stands."""
        if self._closed:
            return
        self._close_code = code
        self.hang_up()
        if self._opened:
            self._pipe.close(code)

    def hang_up(self) -> None:
        """The other end is gone."""
        self._closed = True
        self._waiting.clear()
        self._waiting_bytes = 0
        self._tell_drained()

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def close_code(self) -> int:
        """0 as long as it was not us who closed it."""
        return self._close_code

    @property
    def waiting_bytes(self) -> int:
        return self._waiting_bytes

    def check(self, now: float) -> None:
        """Every few seconds: who does not read, or has stayed long enough, has to connect anew."""
        if self._paused_since is not None and now - self._paused_since > settings.SOCKET_SEND_TIMEOUT:
            self.close(TOO_SLOW)
        elif now > self.leave_at:
            self.close(TRY_AGAIN)

    async def drained(self) -> None:
        """Until the connection takes more, or the socket is closed."""
        while self._paused_since is not None and not self._closed:
            self._drained = self._drained or asyncio.Event()
            await self._drained.wait()

    # --- called by the pipe ---------------------------------------------------------------------------------

    def pause(self) -> None:
        if self._paused_since is None:
            self._paused_since = asyncio.get_running_loop().time()

    def resume(self) -> None:
        """A frame's worth of bytes at a time, as long as the pipe takes them."""
        self._paused_since = None
        while self._waiting and self._paused_since is None:
            burst = [self._waiting.popleft()]
            size = len(burst[0])
            while self._waiting and size + len(self._waiting[0]) <= settings.SOCKET_FRAME_BYTES:
                burst.append(self._waiting.popleft())
                size += len(burst[-1])
            self._waiting_bytes -= size
            self._pipe.write(burst)
        if self._paused_since is None:
            self._tell_drained()

    def _tell_drained(self) -> None:
        if self._drained is not None:
            self._drained.set()
            self._drained = None
