"""Reads about how people stand to each other. One query each, however many people."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection
from django.db.models import Q

from heihei_site.postgres.compiled import Given
from users.models import Block


@dataclass(frozen=True)
class Relation:
    """How the first of two people stands to the other."""

    follows: bool
    blocks: bool
    is_blocked: bool

    @property
    def blocked(self) -> bool:
        """Whether either has blocked the other (D18)."""
        return self.blocks or self.is_blocked


_RELATION = """
SELECT EXISTS (SELECT FROM users_follow WHERE follower_id = %(one)s AND followee_id = %(other)s),
       EXISTS (SELECT FROM users_block WHERE user_id = %(one)s AND target_id = %(other)s),
       EXISTS (SELECT FROM users_block WHERE user_id = %(other)s AND target_id = %(one)s)
"""


def relation(one: int, other: int) -> Relation:
    with connection.cursor() as cursor:
        cursor.execute(_RELATION, {"one": one, "other": other})
        return Relation(*cursor.fetchone())


def blocked_between(one: int, other: int) -> bool:
    """Whether either of the two has blocked the other (D18)."""
    return relation(one, other).blocked


def blocks_with(person: int | Given) -> Q:
    """True of rows whose `owner` blocked the person or was blocked: for filters over lists."""
    blocked = Block.objects.filter(user_id=person).values("target_id")
    blocking = Block.objects.filter(target_id=person).values("user_id")
    return Q(owner_id__in=blocked) | Q(owner_id__in=blocking)


def followed_by(viewer: int, people: Iterable[int]) -> set[int]:
    """Those of `people` whom the viewer follows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT followee_id FROM users_follow WHERE follower_id = %s AND followee_id = ANY(%s)",
            [viewer, list(people)],
        )
        return {followee for (followee,) in cursor.fetchall()}
