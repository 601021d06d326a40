from typing import ClassVar, Protocol


class Sms(Protocol):
    development_only: ClassVar[bool]

    def send_code(self, phone: str, code: str) -> None: ...
