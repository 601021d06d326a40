from typing import Any, ClassVar, Protocol


class Streaming(Protocol):
    """A media server for one-way live audio. `stream` is the stream's own name, not the topic of the live."""

    development_only: ClassVar[bool]

    def new_stream(self, owner_id: int) -> str:
        """A name that nobody can guess: who knows it can listen."""
        ...

    def publish_details(self, stream: str) -> dict[str, Any]:
        """The complete `qiniuObj` of the owner's app (D29), in the vendor's own spelling."""
        ...

    def push_address(self, stream: str) -> str: ...

    def play_address(self, stream: str) -> str:
        """What the app's player opens; never empty."""
        ...

    def hls_address(self, stream: str) -> str: ...
