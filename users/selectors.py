"""Reads about how people stand to each other. One query each, however many people."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Now

from heihei_site.api.paging import Page
from heihei_site.postgres.compiled import Compiled, Given
from users import names
from users.models import HEI_NUM_OFFSET, Block, Follow, KindChange, Session, User


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


def followed_by(viewer: int, people: Iterable[int]) -> set[int]:
    """Those of `people` whom the viewer follows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT followee_id FROM users_follow WHERE follower_id = %s AND followee_id = ANY(%s)",
            [viewer, list(people)],
        )
        return {followee for (followee,) in cursor.fetchall()}


def not_blocked(viewer: int | Given, person: str) -> Q:
    """True of rows whose `person` neither blocks the viewer nor is blocked. Asked for each row that is read, so that it
    costs a list the same however many people block or are blocked."""
    blocked = Block.objects.filter(user_id=viewer, target_id=OuterRef(person))
    blocking = Block.objects.filter(target_id=viewer, user_id=OuterRef(person))
    return ~Exists(blocked) & ~Exists(blocking)


def here(person: str) -> Q:
    """Neither banned nor about to be deleted (`UserQuerySet.people`)."""
    return Q(**{f"{person}is_active": True, f"{person}deletion_due_at": None})


@dataclass(frozen=True)
class People:
    """A page of a list, and how many there are in all."""

    page: list[User]
    total: int


def _listed(found: list[User], page: Page, counted: int) -> People:
    """`found` has one more than the page where there are more."""
    return People(found[: page.stop - page.start], page.total(len(found), counted))


# In the order of their moments and not of their ids, which any index of ids has, too: PostgreSQL would go through
# everybody's follows from the newest on to find somebody's.
@Compiled
def _followers(who: Given, viewer: Given) -> QuerySet[Follow]:
    follows = Follow.objects.filter(here("follower__"), not_blocked(viewer, "follower"), followee_id=who)
    return follows.select_related("follower").order_by("-created_at", "-pk")


@Compiled
def _following(who: Given, viewer: Given) -> QuerySet[Follow]:
    follows = Follow.objects.filter(here("followee__"), not_blocked(viewer, "followee"), follower_id=who)
    return follows.select_related("followee").order_by("-created_at", "-pk")


@Compiled
def _blocked(who: Given) -> QuerySet[Block]:
    return Block.objects.filter(here("target__"), user_id=who).select_related("target").order_by("-created_at", "-pk")


def followers(who: User, viewer: User, page: Page) -> People:
    """The newest first."""
    found = _followers(who.pk, viewer.pk, start=page.start, stop=page.stop + 1)
    return _listed([follow.follower for follow in found], page, who.follower_count)


def following(who: User, viewer: User, page: Page) -> People:
    """The newest first."""
    found = _following(who.pk, viewer.pk, start=page.start, stop=page.stop + 1)
    return _listed([follow.followee for follow in found], page, who.following_count)


def blocked_by(who: User, page: Page) -> People:
    """The newest first."""
    found = _blocked(who.pk, start=page.start, stop=page.stop + 1)
    return _listed([block.target for block in found], page, who.blocked_count)


@Compiled
def _of_kind(kind: Given, viewer: Given) -> QuerySet[User]:
    named: QuerySet[User] = User.objects.filter(here("")).exclude(display_name="")
    return named.filter(not_blocked(viewer, "pk"), kind=kind).order_by("-date_joined", "-pk")


def of_kind(kind: str, viewer: User, page: Page) -> People:
    """The newest first. The list ends after PEOPLE_DEPTH."""
    page = page.within(settings.PEOPLE_DEPTH)
    found = _of_kind(kind, viewer.pk, start=page.start, stop=min(page.stop + 1, settings.PEOPLE_DEPTH))
    counted = KindChange.objects.filter(kind=kind).aggregate(many=Sum("change"))["many"]
    return _listed(found, page, min(counted or 0, settings.PEOPLE_DEPTH))


@Compiled
def _active(viewer: Given) -> QuerySet[Session]:
    later = Session.objects.filter(user=OuterRef("user")).filter(
        Q(active_at__gt=OuterRef("active_at")) | Q(active_at=OuterRef("active_at"), pk__gt=OuterRef("pk"))
    )
    signed_in = Session.objects.filter(here("user__"), ~Exists(later), expires_at__gt=Now())
    others = signed_in.filter(not_blocked(viewer, "user")).exclude(user_id=viewer).exclude(user__display_name="")
    return others.select_related("user").order_by("-active_at", "-pk")


def active(viewer: User, page: Page) -> list[User]:
    """Who is signed in, but for the viewer: whose phone was last heard of comes first. The list ends after
    PEOPLE_DEPTH."""
    return [user for user, _ in just_active(viewer, page)]


def just_active(viewer: User, page: Page) -> list[tuple[User, datetime]]:
    """The same people, and when their phones were heard of."""
    page = page.within(settings.PEOPLE_DEPTH)
    return [(session.user, session.active_at) for session in _active(viewer.pk, start=page.start, stop=page.stop)]


# Whose name is or begins with the text is read in order from one index; only where these are few, whose name has it
# somewhere is looked up in the other. At most SEARCH_CANDIDATES are looked at, so that what everybody has in their name
# costs what a rare name does (docs/adr/0009-search.md).
_SEARCH = """
WITH people AS NOT MATERIALIZED (
    SELECT id, users_name_key(display_name) COLLATE "C" AS key, display_name, follower_count AS fans
    FROM users_user WHERE is_active AND deletion_due_at IS NULL
), known AS (
    SELECT id, fans, 0 AS rank FROM people WHERE id = %(number)s
    UNION ALL (SELECT id, fans, 1 FROM people WHERE key = %(key)s ORDER BY id LIMIT %(most)s)
    UNION ALL (
        SELECT id, fans, 2 FROM people WHERE key LIKE %(beginning)s ORDER BY key, id LIMIT %(most)s
    )
), matched AS (
    SELECT * FROM known
    UNION ALL (
        SELECT id, fans, 3 FROM people
        WHERE users_name_grams(display_name) @> %(grams)s AND strpos(key, %(key)s) > 0
        LIMIT CASE WHEN (SELECT count(*) FROM known) < %(most)s THEN %(most)s ELSE 0 END
    )
), best AS (
    SELECT id, min(rank) AS rank, max(fans) AS fans FROM matched GROUP BY id
), page AS (
    SELECT id, rank, fans FROM best
    WHERE NOT EXISTS (SELECT FROM users_block WHERE user_id = %(viewer)s AND target_id = best.id)
      AND NOT EXISTS (SELECT FROM users_block WHERE target_id = %(viewer)s AND user_id = best.id)
    ORDER BY rank, fans DESC, id LIMIT %(size)s OFFSET %(start)s
)
SELECT users_user.* FROM page JOIN users_user USING (id) ORDER BY rank, fans DESC, id
"""


def search(text: str, viewer: User, page: Page) -> list[User]:
    """Whose heiNum it is, whose name it is, whose name begins with it, whose name has it in it (D20); of these the most
    followed first. Nobody with whom there is a block."""
    key = names.searched_as(text)
    given = {
        "viewer": viewer.pk,
        "key": key,
        "number": _id_of(key),
        "beginning": re.sub(r"([\\%_])", r"\\\1", key) + "%",
        "grams": names.grams(key),
        "most": settings.SEARCH_CANDIDATES,
        "size": page.stop - page.start,
        "start": page.start,
    }
    return list(User.objects.raw(_SEARCH, given))


def _id_of(text: str) -> int:
    """Whose heiNum the text is; 0 where it is none."""
    number = int(text) - HEI_NUM_OFFSET if re.fullmatch("[0-9]{7,10}", text) else 0
    return number if 0 < number < 2**31 else 0
