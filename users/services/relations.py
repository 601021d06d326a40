"""Following, blocking, reporting. Each is idempotent: the second time changes nothing and answers the same."""

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from heihei_site.api.errors import InvalidParameter, UserUnknown
from users.models import Block, Follow, Report, User
from users.selectors import blocked_between


def _count_followers(follower: int, followee: int, change: int) -> None:
    """Both counters, in primary-key order as every lock on people (see docs/architecture.md)."""
    for person in sorted((follower, followee)):
        counter = "following_count" if person == follower else "follower_count"
        User.objects.filter(pk=person).update(**{counter: F(counter) + change})


def _lock(*people: int) -> None:
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
        _count_followers(user.pk, target.pk, +1)


@transaction.atomic
def unfollow(*, user: User, target: User) -> None:
    _lock(user.pk, target.pk)
    _drop_follow(user.pk, target.pk)


def _drop_follow(follower: int, followee: int) -> None:
    gone, _ = Follow.objects.filter(follower_id=follower, followee_id=followee).delete()
    if gone:
        _count_followers(follower, followee, -1)


@transaction.atomic
def block(*, user: User, target: User) -> None:
    """Blocking ends following in both directions."""
    if user == target:
        raise InvalidParameter
    _lock(user.pk, target.pk)
    Block.objects.get_or_create(user=user, target=target)
    _drop_follow(user.pk, target.pk)
    _drop_follow(target.pk, user.pk)


def unblock(*, user: User, target: User) -> None:
    Block.objects.filter(user=user, target=target).delete()


def report(*, user: User, target: User, kind: int) -> None:
    """One open report per reason; the same again is the same report (D17)."""
    if user == target:
        raise InvalidParameter
    Report.objects.get_or_create(
        reporter=user, target=target, kind=kind, handled=False, defaults={"created_at": timezone.now()}
    )
