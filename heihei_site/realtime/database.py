"""Questions to the database from the event loop, in few threads of their own: neither a storm of reconnecting
phones nor a slow query reaches what delivers messages, or takes every connection the database has."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, TypeVarTuple, cast

from channels.db import database_sync_to_async

Args = TypeVarTuple("Args")
Answer = TypeVar("Answer")

_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="realtime-database")


async def ask(question: Callable[[*Args], Answer], *args: *Args) -> Answer:
    in_thread = database_sync_to_async(question, thread_sensitive=False, executor=_threads)
    return cast(Answer, await in_thread(*args))
