"""Where an owner and a viewer hear each other: a room of the RTC vendor, made for one link and no other."""

from django.conf import settings
from django.db import transaction

from heihei_site.providers.rtc.rooms import Entry, Rooms
from live.models import MicLink

ROOMS = Rooms(
    name="mic_link",
    salt="live.mic_link",
    people=lambda link: (link.live.owner_id, link.user_id),
    to_revoke=lambda age: MicLink.objects.to_revoke(age).select_related("live"),
)


def entry(link: MicLink, user_id: int) -> Entry:
    return ROOMS.entry(link.pk, user_id, settings.MIC_TOKEN_LIFETIME)


def revoke_soon(link: MicLink) -> None:
    """Part of the transaction that ends the link; the vendor is asked after it."""
    from live.tasks import revoke_mic_link  # tasks import the services

    MicLink.objects.filter(pk=link.pk).update(revocation_due=True)
    transaction.on_commit(lambda: ROOMS.hurry(revoke_mic_link, link.pk), robust=True)
