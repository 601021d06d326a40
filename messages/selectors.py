"""Reads about people who write to each other, and of what they said."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from heihei_site.api.paging import Page
from heihei_site.postgres.compiled import Compiled, Given
from messages.models import Entry, Mailbox
from users.models import Block, Follow, User


@dataclass(frozen=True)
class Addressee:
    """Somebody to write to, and how the two stand to each other."""

    person: User
    blocked: bool  # by either of the two (D18)
    follows_sender: bool
    followed_by_sender: bool


@Compiled
def _person(user_id: Given) -> QuerySet[User]:
    people: QuerySet[User] = User.objects.people().filter(pk=user_id)
    return people


def find_person(user_id: int) -> User | None:
    """None for who is banned."""
    return next(iter(_person(user_id)), None)


@Compiled
def _addressee(sender: Given, person: Given) -> QuerySet[Any]:
    there = OuterRef("pk")
    people: QuerySet[Any] = (
        User.objects.people()
        .filter(pk=person)
        .annotate(
            blocked=Exists(Block.objects.filter(Q(user=sender, target=there) | Q(user=there, target=sender))),
            follows_sender=Exists(Follow.objects.filter(follower=there, followee=sender)),
            followed_by_sender=Exists(Follow.objects.filter(follower=sender, followee=there)),
        )
    )
    return people


def find_addressee(sender_id: int, person_id: int) -> Addressee | None:
    """One query. None for who is not there and who is banned."""
    for person in _addressee(sender_id, person_id):
        return Addressee(person, person.blocked, person.follows_sender, person.followed_by_sender)
    return None


@Compiled
def _entries(owner: Given) -> QuerySet[Entry]:
    rows: QuerySet[Entry] = Entry.objects.filter(owner=owner).select_related("peer", "message")
    return rows.order_by("-changed_at", "-peer")


def entries(owner_id: int, page: Page) -> list[Entry]:
    """The rows of somebody's message list with their people and messages, the newest first."""
    return _entries(owner_id, start=page.start, stop=page.stop)


def unread_count(owner_id: int) -> int:
    return Mailbox.objects.filter(pk=owner_id).values_list("unread", flat=True).first() or 0


def blocked(one_id: int, other_id: int) -> bool:
    """By either of the two (D18)."""
    return Block.objects.filter(Q(user=one_id, target=other_id) | Q(user=other_id, target=one_id)).exists()


@dataclass(frozen=True)
class Conversation:
    """What the owner of a list and one other wrote to each other: its row, with the other one and the last message."""

    entry: Entry
    followed: bool
    read_msg_id: int  # of the owner's messages the other one has read those until this one


def conversations(owner_id: int, page: Page) -> list[Conversation]:
    """The newest first. Three queries: nobody is told how far those have read with whom they have fallen out."""
    rows = Entry.objects.filter(owner=owner_id, message__isnull=False).select_related("peer", "message")
    found = list(rows.order_by("-changed_at", "-peer")[page.start : page.stop])
    peers = [entry.peer_id for entry in found]
    followed = set(Follow.objects.filter(follower=owner_id, followee__in=peers).values_list("followee", flat=True))
    fallen_out = Block.objects.filter(
        Q(user=OuterRef("owner"), target=owner_id) | Q(user=owner_id, target=OuterRef("owner"))
    )
    theirs = Entry.objects.filter(~Exists(fallen_out), owner__in=peers, peer=owner_id)
    read = dict(theirs.values_list("owner", "read_until"))
    return [Conversation(each, each.peer_id in followed, read.get(each.peer_id, 0)) for each in found]
