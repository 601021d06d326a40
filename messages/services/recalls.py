"""Taking messages back: their writers within two minutes, we where a file turns out to be none."""

from django.conf import settings
from django.db.models.functions import Now

from heihei_site.api.errors import InvalidParameter, NotPermitted, TooLate
from heihei_site.realtime import storage
from heihei_site.realtime.groups import person
from heihei_site.realtime.models import StreamKind
from heihei_site.realtime.publish import publish, telling
from messages.events import MessageRecalled
from messages.models import InstantMessage
from messages.services import contents, history, push_delivery
from users.models import User

TAKEN_BACK = "消息已撤回"
REFUSED_FILE = "您发送的文件未通过检查，消息已被撤回"


def recall(*, user: User, msg_id: int) -> None:
    """Takes back what the person wrote. Again: nothing. InvalidParameter for what they did not write, NotPermitted for
    a gift, which is given, TooLate after RECALL_WITHIN."""
    with telling():
        message = hold(msg_id)
        if message is None or message.sender_id != user.pk or message.kind not in contents.WRITTEN:
            raise InvalidParameter
        if message.kind == InstantMessage.Kind.GIFT:
            raise NotPermitted
        if message.recalled_at is None:
            if message.now > message.created_at + settings.RECALL_WITHIN:
                raise TooLate
            _withdraw(message, "sender", TAKEN_BACK)


def take_back_file(msg_id: int) -> None:
    """A message whose file is none. Twice is once."""
    with telling():
        message = hold(msg_id)
        if message is not None and message.recalled_at is None:
            _withdraw(message, "file", REFUSED_FILE)


def hold(msg_id: int) -> InstantMessage | None:
    """As that of a repeated request its row is locked before all others."""
    rows = InstantMessage.objects.filter(pk=msg_id).annotate(now=Now())  # type: ignore[no-redef]
    return rows.select_for_update(no_key=True).first()


def _withdraw(message: InstantMessage, reason: str, to_writer: str) -> None:
    """Out of lists, history and what is replayed, and not pushed any more. Its row keeps what it said, for reports."""
    InstantMessage.objects.filter(pk=message.pk).update(recalled_at=Now())
    push_delivery.call_off(message.pk)
    history.withdraw(message.recipient_id, message.pk)
    for reader_id, text in ((message.sender_id, to_writer), (message.recipient_id, TAKEN_BACK)):
        event = MessageRecalled(
            from_user_id=message.sender_id,
            to_user_id=message.recipient_id,
            recalled_msg_id=message.pk,
            reason=reason,
            text=text,
        )
        storage.replace((StreamKind.PERSON.value, reader_id), message.pk, event)
        publish(event, to=person(reader_id))
