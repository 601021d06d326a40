from typing import Any, ClassVar

from django.utils import timezone

from heihei_site.providers import outbox


class OutboxRtc:
    """The development twin: what a vendor would have been asked for goes to `outbox/rtc.jsonl`. Its tokens open
    nothing anywhere."""

    development_only: ClassVar[bool] = True

    def token(self, *, room: str, user_id: int, expires: int) -> str:
        token = f"development-{room}-{user_id}-{expires}"
        self._note("token", room=room, user_id=user_id, expires=expires, token=token)
        return token

    def remove(self, *, room: str, user_id: int) -> None:
        self._note("remove", room=room, user_id=user_id)

    @staticmethod
    def _note(deed: str, **said: Any) -> None:
        time = timezone.localtime().isoformat(timespec="milliseconds")
        outbox.append("rtc", {"time": time, "deed": deed, **said})
