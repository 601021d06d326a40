"""Where the two of a call hear each other: a room of the RTC vendor, made for one call and no other."""

from django.conf import settings
from django.db import transaction

from chat.models import Chat
from heihei_site.providers.rtc.rooms import Entry, Rooms

ROOMS = Rooms(
    name="chat", salt="chat.audio", people=lambda chat: chat.people, to_revoke=lambda age: Chat.objects.to_revoke(age)
)


def entry(chat_id: int, user_id: int) -> Entry:
    return ROOMS.entry(chat_id, user_id, settings.CHAT_TOKEN_LIFETIME)


def revoke_soon(chat: Chat) -> None:
    """Part of the transaction that ends the call; the vendor is asked after it."""
    from chat.tasks import revoke_chat  # tasks import the services

    Chat.objects.filter(pk=chat.pk).update(revocation_due=True)
    transaction.on_commit(lambda: ROOMS.hurry(revoke_chat, chat.pk), robust=True)
