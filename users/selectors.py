"""Reads about how people stand to each other. One query each, however many people."""

from collections.abc import Iterable

from django.db.models import Q

from users.models import Block, Follow


def blocked_between(one: int, other: int) -> bool:
    """Whether either of the two has blocked the other (D18)."""
    return Block.objects.filter(Q(user_id=one, target_id=other) | Q(user_id=other, target_id=one)).exists()


def blocks_with(person: int) -> set[int]:
    """Everybody whom the person blocked or who blocked the person."""
    pairs = Block.objects.filter(Q(user_id=person) | Q(target_id=person)).values_list("user_id", "target_id")
    return {other for pair in pairs for other in pair} - {person}


def followed_by(viewer: int, people: Iterable[int]) -> set[int]:
    """Those of `people` whom the viewer follows."""
    return set(Follow.objects.filter(follower_id=viewer, followee_id__in=people).values_list("followee_id", flat=True))
