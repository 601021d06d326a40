"""Following and blocking. Each is idempotent: the second time changes nothing and answers the same.

The totals of lists are counters on the person, changed only while the rows of both people are held.
"""

from collections import Counter

from django.db import connection, transaction
from django.db.models import F, Q

from heihei_site.api.errors import InvalidParameter, UserUnknown
from heihei_site.realtime.publish import telling
from users.models import Block, Follow, User
from users.selectors import blocked_between
from users.signals import blocked

BATCH = 500  # relations ended in one transaction


def _count(person: int, counter: str, change: int) -> None:
    User.objects.filter(pk=person).update(**{counter: F(counter) + change})


def _lock(*people: int) -> None:
    """In primary-key order, as every lock on people (see docs/architecture.md)."""
    list(User.objects.filter(pk__in=people).order_by("pk").select_for_update(no_key=True).values_list("pk"))


@transaction.atomic
def follow(*, user: User, target: User, live_id: int | None = None) -> None:
    """To who blocks you, you do not exist: UserUnknown (D18)."""
    if user == target:
        raise InvalidParameter
    _lock(user.pk, target.pk)
    if blocked_between(user.pk, target.pk):
        raise UserUnknown
    _, created = Follow.objects.get_or_create(follower=user, followee=target, defaults={"live_id": live_id})
    if created:
        _count(user.pk, "following_count", +1)
        _count(target.pk, "follower_count", +1)


@transaction.atomic
def unfollow(*, user: User, target: User) -> None:
    _lock(user.pk, target.pk)
    _drop_follow(user.pk, target.pk)


def _drop_follow(follower: int, followee: int) -> None:
    gone, _ = Follow.objects.filter(follower_id=follower, followee_id=followee).delete()
    if gone:
        _count(follower, "following_count", -1)
        _count(followee, "follower_count", -1)


@telling()
def block(*, user: User, target: User) -> None:
    """Blocking ends following in both directions, being in each other's rooms, and calls."""
    if user == target:
        raise InvalidParameter
    _lock(user.pk, target.pk)
    _, created = Block.objects.get_or_create(user=user, target=target)
    if created:
        _count(user.pk, "blocked_count", +1)
    _drop_follow(user.pk, target.pk)
    _drop_follow(target.pk, user.pk)
    if created:
        blocked.send(User, user=user, target=target)


@transaction.atomic
def unblock(*, user: User, target: User) -> None:
    _lock(user.pk, target.pk)
    _drop_block(user.pk, target.pk)


def _drop_block(user: int, target: int) -> None:
    gone, _ = Block.objects.filter(user_id=user, target_id=target).delete()
    if gone:
        _count(user, "blocked_count", -1)


def end_all(user: User) -> None:
    """Nobody follows or blocks this person any more, nor they anybody. In steps, each a transaction of its own: again
    does the rest."""
    while _end_some(user.pk):
        pass


@transaction.atomic
def _end_some(person: int) -> bool:
    follows = Follow.objects.filter(Q(follower_id=person) | Q(followee_id=person))[:BATCH]
    blocks = Block.objects.filter(Q(user_id=person) | Q(target_id=person))[:BATCH]
    follow_ids, block_ids = [row.pk for row in follows], [row.pk for row in blocks]
    followed = (one for row in follows for one in (row.follower_id, row.followee_id))
    _lock(person, *followed, *(row.user_id for row in blocks))
    fewer: Counter[tuple[str, int]] = Counter()
    held = Follow.objects.filter(pk__in=follow_ids)  # whoever unfollowed meanwhile has counted it already
    for follower, followee in held.values_list("follower_id", "followee_id"):
        fewer.update([("following_count", follower), ("follower_count", followee)])
    held.delete()
    blocked = Block.objects.filter(pk__in=block_ids)
    fewer.update(("blocked_count", blocker) for blocker in blocked.values_list("user_id", flat=True))
    blocked.delete()
    _count_down(fewer)
    return bool(follow_ids or block_ids)


def _count_down(fewer: Counter[tuple[str, int]]) -> None:
    """All people with the same change of the same counter at once."""
    alike: dict[tuple[str, int], list[int]] = {}
    for (counter, person), many in fewer.items():
        alike.setdefault((counter, many), []).append(person)
    for (counter, many), people in alike.items():
        User.objects.filter(pk__in=people).update(**{counter: F(counter) - many})


_COUNTED = """
SELECT users_user.id, followers.many, following.many, blocked.many
FROM users_user
LEFT JOIN (SELECT followee_id, count(*) AS many FROM users_follow GROUP BY 1) AS followers ON followee_id = id
LEFT JOIN (SELECT follower_id, count(*) AS many FROM users_follow GROUP BY 1) AS following ON follower_id = id
LEFT JOIN (SELECT user_id, count(*) AS many FROM users_block GROUP BY 1) AS blocked ON user_id = id
WHERE (follower_count, following_count, blocked_count)
      IS DISTINCT FROM (coalesce(followers.many, 0), coalesce(following.many, 0), coalesce(blocked.many, 0))
ORDER BY id
"""


def recount() -> list[int]:
    """Sets counters of people that do not agree with the rows; returns whose they were. Nobody's, unless something went
    wrong."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED)
        suspicious = [person for person, *_ in cursor.fetchall()]
    return [person for person in suspicious if _recounted(person)]


@transaction.atomic
def _recounted(person: int) -> bool:
    """Counted while the person is held, so that nothing is counted that somebody is just changing."""
    user = User.objects.select_for_update(no_key=True).get(pk=person)
    held = {
        "follower_count": user.followers.count(),
        "following_count": user.following.count(),
        "blocked_count": user.blocks.count(),
    }
    changed = any(getattr(user, counter) != many for counter, many in held.items())
    if changed:
        User.objects.filter(pk=person).update(**held)
    return changed
