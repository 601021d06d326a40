from typing import ClassVar, Protocol


class Unreachable(Exception):
    """The vendor did not say in time. Says why in the vendor's own word, never about whom."""


class RealName(Protocol):
    development_only: ClassVar[bool]

    def matches(self, *, name: str, idcard: str) -> bool:
        """Whether the id card is that of somebody of this name. Unreachable where nobody says; a phone waits."""
        ...
