"""Reads about subjects. What somebody sees is shown, in a thread and a topic that are, by people who are here and with
whom there is no block (D18)."""

from collections.abc import Collection, Iterable

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet

from heihei_site.api.paging import Page
from heihei_site.postgres.compiled import Compiled, Given
from topics.models import Standing, Subject
from users.models import User
from users.selectors import here, not_blocked

SHOWN = Subject.State.SHOWN


def _by_somebody_here(viewer: Given, creator: str) -> Q:
    return here(f"{creator}__") & not_blocked(viewer, creator)


# A range of one topic or post where `=` would do, and an order that begins with it: only their own index can serve
# that. Else PostgreSQL may go back through the primary key, past everything that is newer elsewhere.
@Compiled
def _newest(topic: Given, viewer: Given) -> QuerySet[Subject]:
    posts = Subject.objects.filter(topic_id__gte=topic, topic_id__lte=topic, main=None, state=SHOWN)
    return posts.filter(_by_somebody_here(viewer, "creator")).order_by("topic_id", "-pk")


@Compiled
def _hottest(topic: Given, viewer: Given) -> QuerySet[Standing]:
    posts = Standing.objects.filter(topic_id=topic, listed=True).select_related("subject")
    return posts.filter(_by_somebody_here(viewer, "subject__creator")).order_by("-heat", "-subject")


@Compiled
def _replies(post: Given, viewer: Given) -> QuerySet[Subject]:
    replies = Subject.objects.filter(main_id__gte=post, main_id__lte=post, state=SHOWN)
    return replies.filter(_by_somebody_here(viewer, "creator")).order_by("main_id", "-pk")


@Compiled
def _one(subject: Given, viewer: Given) -> QuerySet[Subject]:
    in_a_thread = Q(main=None) | Q(main__state=SHOWN) & _by_somebody_here(viewer, "main__creator")
    shown = Subject.objects.filter(in_a_thread, pk=subject, state=SHOWN, topic__shown=True)
    return shown.filter(_by_somebody_here(viewer, "creator")).select_related("main", "creator")


def newest(topic_id: int, viewer: User, page: Page) -> list[Subject]:
    page = page.within(settings.POSTS_DEPTH)
    return _newest(topic_id, viewer.pk, start=page.start, stop=page.stop)


def hottest(topic_id: int, viewer: User, page: Page) -> list[Subject]:
    page = page.within(settings.POSTS_DEPTH)
    return [standing.subject for standing in _hottest(topic_id, viewer.pk, start=page.start, stop=page.stop)]


def replies(post_id: int, viewer: User, page: Page) -> list[Subject]:
    """All of its thread, the newest first."""
    page = page.within(settings.POSTS_DEPTH)
    return _replies(post_id, viewer.pk, start=page.start, stop=page.stop)


def find(subject_id: int, viewer: User) -> Subject | None:
    """A post or reply that this person may see, `main` and `creator` loaded."""
    return next(iter(_one(subject_id, viewer.pk)), None)


def find_shared(subject_id: int) -> Subject | None:
    """As anybody sees it who is nobody's friend or enemy, `creator` loaded."""
    in_a_thread = Q(main=None) | Q(here("main__creator__"), main__state=SHOWN)
    shown = Subject.objects.filter(in_a_thread, here("creator__"), pk=subject_id, state=SHOWN)
    return shown.select_related("creator").first()


_NEWEST_REPLIES = """
SELECT reply.* FROM unnest(%(posts)s) AS post (id) CROSS JOIN LATERAL (
    SELECT subject.* FROM topics_subject AS subject JOIN users_user AS creator ON creator.id = creator_id
    WHERE main_id BETWEEN post.id AND post.id AND state = 1 AND creator.is_active AND creator.deletion_due_at IS NULL
      AND NOT EXISTS (SELECT FROM users_block WHERE user_id = %(viewer)s AND target_id = creator_id)
      AND NOT EXISTS (SELECT FROM users_block WHERE target_id = %(viewer)s AND user_id = creator_id)
    ORDER BY main_id, subject.id DESC LIMIT %(most)s
) AS reply
ORDER BY reply.id DESC
"""


def newest_replies(posts: Iterable[Subject], viewer: User) -> dict[int, list[Subject]]:
    """The last few of each of the posts. One query."""
    given = {"posts": [post.pk for post in posts], "viewer": viewer.pk, "most": settings.REPLIES_SHOWN}
    found: dict[int, list[Subject]] = {}
    if given["posts"]:
        for reply in Subject.objects.raw(_NEWEST_REPLIES, given):
            found.setdefault(reply.post_id, []).append(reply)
    return found


def liked_by(viewer: User, subjects: Collection[int]) -> set[int]:
    """Those of the subjects that the viewer likes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT subject_id FROM topics_like WHERE user_id = %s AND subject_id = ANY(%s)",
            [viewer.pk, list(subjects)],
        )
        return {subject for (subject,) in cursor.fetchall()}


@Compiled
def _people(ids: Given) -> QuerySet[User]:
    people: QuerySet[User] = User.objects.filter(pk__any_of=ids)
    return people.order_by()


def people_of(subjects: Iterable[Subject]) -> list[User]:
    """Who wrote them, and whom they answer."""
    ids = {one for subject in subjects for one in (subject.creator_id, subject.reply_user_id) if one}
    return _people(list(ids)) if ids else []
