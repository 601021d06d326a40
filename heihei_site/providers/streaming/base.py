from datetime import datetime
from typing import Any, ClassVar, Protocol


class Unanswered(Exception):
    """The media server did not answer in time, or not as it should. The text says what is known, no secret."""


class Streaming(Protocol):
    """A media server for one-way live audio. `stream` is the stream's own name, not the topic of the live."""

    development_only: ClassVar[bool]

    def new_stream(self, owner_id: int) -> str:
        """A name that nobody can guess: who knows it can listen. It may ask the vendor, so not in a transaction.

        Raises Unanswered within what a phone waits (D9).
        """
        ...

    def publish_details(self, stream: str) -> dict[str, Any]:
        """The complete `qiniuObj` of the owner's app (D29), in the vendor's own spelling."""
        ...

    def push_address(self, stream: str) -> str: ...

    def play_address(self, stream: str) -> str:
        """What the app's player opens; never empty."""
        ...

    def hls_address(self, stream: str) -> str: ...

    def cut_off(self, stream: str) -> bool:
        """Nobody sends on this stream any more: for jobs. True if somebody did. Raises Unanswered."""
        ...

    def recording(self, stream: str, *, since: datetime, until: datetime) -> str:
        """The address of one file with all that was sent, beginning at `since`; empty where nothing was. For jobs:
        it may take minutes. The second time it makes the same. Raises Unanswered."""
        ...

    def forget(self, stream: str) -> None:
        """Deletes what was recorded, if anything. For jobs. Raises Unanswered."""
        ...
