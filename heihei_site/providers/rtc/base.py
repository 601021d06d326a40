from typing import ClassVar, Protocol


class NotRemoved(Exception):
    """They may still be heard there. Says why in a word, never with a key."""


class Rtc(Protocol):
    """A media server where a few people hear each other at once. Its rooms are names; who comes first opens one."""

    development_only: ClassVar[bool]

    def token(self, *, room: str, user_id: int, expires: int) -> str:
        """Lets this person into this room until the given second of the epoch. Asks nobody."""
        ...

    def remove(self, *, room: str, user_id: int) -> None:
        """Throws them out; who is not there already is. NotRemoved where nobody knows whether it worked."""
        ...
