"""Whom a message can be for: people by what they are to somebody."""

from django.db.models import Q

from heihei_site.realtime.groups import Audience
from users.models import Block, Follow, User

FOLLOWERS = "followers"


def followers(user: User) -> Audience:
    """Everyone who follows them when the workers get there, a moment later."""
    return Audience(FOLLOWERS, user.pk)


def followers_after(user_id: int, follower_id: int, limit: int) -> list[int]:
    """For `realtime.audiences`. Nobody with whom there is a block (D18)."""
    blocked = Block.objects.filter(user_id=user_id).values("target_id")
    blocking = Block.objects.filter(target_id=user_id).values("user_id")
    found = Follow.objects.filter(followee_id=user_id, follower_id__gt=follower_id)
    found = found.exclude(Q(follower_id__in=blocked) | Q(follower_id__in=blocking))
    return list(found.order_by("follower_id").values_list("follower_id", flat=True)[:limit])
