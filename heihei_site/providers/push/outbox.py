from collections.abc import Sequence
from typing import ClassVar

from django.utils import timezone

from heihei_site.providers import outbox
from heihei_site.providers.push.base import Answer, Notification, Result


class OutboxPush:
    """The development twin: pushes go to `outbox/push.jsonl`, and as with the vendors each goes once."""

    development_only: ClassVar[bool] = True

    def send(self, notifications: Sequence[Notification]) -> Sequence[Answer]:
        for each in notifications:
            if not (each.repeated and _was_sent(each)):
                outbox.append("push", _line(each))
        return [Answer(Result.ACCEPTED)] * len(notifications)


def _line(one: Notification) -> dict[str, object]:
    return {
        "time": timezone.localtime().isoformat(timespec="milliseconds"),
        "userId": one.user_id,
        "deviceType": one.platform,
        "clientid": one.token,
        "payload": one.payload,
    }


def _was_sent(one: Notification) -> bool:
    """A device gets a message once, so both together are the request."""
    request = (one.token, one.payload["msgId"])
    return any((line["clientid"], line["payload"]["msgId"]) == request for line in outbox.lines("push"))
