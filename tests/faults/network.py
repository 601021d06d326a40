"""A stretch of network between a process and Valkey, which may swallow what passes without hanging up."""

import asyncio
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

BYTES = 65536


class Stretch:
    """Listens on a unix socket of its own and passes on to another."""

    def __init__(self, place: Path, target: str) -> None:
        self.url = f"unix://{place}?db=0"
        self._place, self._target = place, target
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()
        self._age = 0  # connections of an earlier age pass nothing any more
        self._swallows = False

    def forget(self) -> None:
        """No byte of the present connections gets through again, either way; new ones work. So does a firewall that
        was restarted."""
        self._age += 1

    @contextmanager
    def swallowing(self) -> Iterator[None]:
        """New connections are taken, and answered as little as the old ones. Those stay dead afterwards."""
        self._swallows = True
        try:
            yield
        finally:
            self._age += 1
            self._swallows = False

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        age = self._age
        there, back = await asyncio.open_unix_connection(self._target)
        ways = [self._pump(reader, back, age), self._pump(there, writer, age)]
        for task in map(asyncio.create_task, ways):
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, age: int) -> None:
        with suppress(OSError):
            while data := await source.read(BYTES):
                if age == self._age and not self._swallows:
                    sink.write(data)
                    await sink.drain()
            if age == self._age and not self._swallows:
                sink.close()

    def open(self) -> None:
        self._thread.start()
        serving = asyncio.start_unix_server(self._pass, self._place)
        self._server = asyncio.run_coroutine_threadsafe(serving, self._loop).result(5)

    def close(self) -> None:
        async def hang_up() -> None:
            self._server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(hang_up(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()


@contextmanager
def stretch_to(redis_url: str) -> Iterator[Stretch]:
    with tempfile.TemporaryDirectory(prefix="heihei-net-") as folder:
        stretch = Stretch(Path(folder) / "valkey.sock", urlsplit(redis_url).path)
        stretch.open()
        try:
            yield stretch
        finally:
            stretch.close()
