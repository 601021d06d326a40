"""What two people wrote to each other, and how far each has read it."""

from heihei_site.realtime.groups import person
from heihei_site.realtime.publish import publish, telling
from messages.events import ConversationRead
from messages.selectors import blocked
from messages.services import entries


def read(*, owner_id: int, peer_id: int) -> None:
    """All that the other one wrote is read; they are told so. Nothing where it was read before."""
    with telling():
        if now_read := entries.read_from(owner_id=owner_id, peer_id=peer_id):
            newest, version = now_read
            if not blocked(owner_id, peer_id):
                event = ConversationRead(from_user_id=owner_id, read_msg_id=newest, version=version)
                publish(event, to=person(peer_id))
