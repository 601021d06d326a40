"""What was found out about the file of a message after it was sent (D38)."""

from typing import Any

from heihei_site.realtime import storage
from heihei_site.realtime.models import StreamKind
from heihei_site.realtime.publish import telling
from messages.models import InstantMessage
from messages.services import contents, recalls


def learn(sender: object, *, used_by: str, accepted: bool, seconds: float | None, **_: Any) -> None:
    """For `uploads.signals.examined`; twice is once. What is no file is taken back. Of sound the length is what was
    measured, for everybody who reads it from now on."""
    if not used_by.startswith(contents.UPLOADS_OF_MESSAGES):
        return
    msg_id = int(used_by.removeprefix(contents.UPLOADS_OF_MESSAGES))
    if not accepted:
        recalls.take_back_file(msg_id)
    elif seconds is not None:
        _set_right(msg_id, max(round(seconds), 1))


def _set_right(msg_id: int, length: int) -> None:
    with telling():
        message = recalls.hold(msg_id)
        if message is None or message.content.get("length", length) == length:
            return
        InstantMessage.objects.filter(pk=msg_id).update(content={**message.content, "length": length})
        for reader_id in sorted((message.sender_id, message.recipient_id)):
            storage.amend(
                (StreamKind.PERSON.value, reader_id), msg_id, lambda said: said["content"].update(length=length)
            )
