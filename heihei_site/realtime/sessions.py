"""Whose socket this is. The app that owns tokens registers its store; sockets know nothing of tokens."""

from dataclasses import dataclass
from typing import Protocol

from heihei_site.api.clients import NEWEST, Generation


@dataclass(frozen=True)
class Connection:
    """One connect of a session; `number` grows with each, and the highest gets the messages (D11)."""

    user_id: int
    session_id: int
    number: int
    generation: Generation = NEWEST


class SessionStore(Protocol):
    def connect(self, token: str) -> Connection | None:
        """Take the session's next connection number; None when the token is not (or no longer) good."""
        ...

    def alive(self, session_ids: list[int]) -> set[int]:
        """Those of the sessions that have not ended."""
        ...


_registered: list[SessionStore] = []


def register(store: SessionStore) -> None:
    """There is one store; registering again replaces it."""
    _registered[:] = [store]


def store() -> SessionStore:
    return _registered[0]
