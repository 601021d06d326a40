from typing import ClassVar, Protocol


class NotSent(Exception):
    """The message has not gone out, or nobody knows. Says why in the vendor's own word, never to whom or what."""


class NeverSent(NotSent):
    """The vendor will not send it later either: a number that is none, a template that is not approved, a quota."""


class Sms(Protocol):
    development_only: ClassVar[bool]

    def send_code(self, phone: str, code: str) -> None:
        """Hands one message to the vendor; NotSent where that failed."""
        ...
