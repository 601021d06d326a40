"""Showing and taking away: by who made it, by operators, by whoever looked into the file.

Who changes what is shown of a thread holds the post's row alone; replies hold it together (`posts.hold_thread`).
"""

from django.db import transaction

from topics.models import NOTHING, Standing, Subject, Tally
from topics.services import counting

State = Subject.State


def delete(*, subject: Subject) -> None:
    """By its author: final. The second time nothing happens."""
    _change(subject.pk, State.DELETED, but=(State.DELETED,))


def hide(subject_id: int) -> bool:
    """By operators. False where it is not shown."""
    return _change(subject_id, State.HIDDEN, but=(State.HIDDEN, State.DELETED, State.REFUSED))


def show(subject_id: int) -> bool:
    """What operators have hidden. False where they have not."""
    return _change(subject_id, State.SHOWN, but=(State.SHOWN, State.DELETED, State.REFUSED))


def refuse(subject_id: int) -> bool:
    """The file was not what it said. False where nobody sees it any more anyway."""
    return _change(subject_id, State.REFUSED, but=(State.DELETED, State.REFUSED))


@transaction.atomic
def _change(subject_id: int, state: Subject.State, *, but: tuple[Subject.State, ...]) -> bool:
    subject = Subject.objects.filter(pk=subject_id).first()
    if subject is None:  # an operator took it out of the database
        return False
    post = Subject.objects.select_for_update(no_key=True).get(pk=subject.post_id)
    reply = Subject.objects.select_for_update(no_key=True).filter(pk=subject_id) if not subject.is_post else ()
    subject = next(iter(reply), post)
    if subject.state in but:
        return False
    change = (state == State.SHOWN) - (subject.state == State.SHOWN)
    Subject.objects.filter(pk=subject_id).update(state=state)
    if not change:
        return True
    if subject.is_post:
        _count_post(subject, change)
    else:
        _count_reply(subject, post, change)
    return True


def _count_post(post: Subject, change: int) -> None:
    """A topic counts what there is to hear in it: the post, and its thread with it."""
    Standing.objects.filter(pk=post.pk).update(listed=change > 0)
    thread = post.thread.filter(state=State.SHOWN).count()
    counting.add(Tally(topic_id=post.topic_id, replies=change * (1 + thread)))


def _count_reply(reply: Subject, post: Subject, change: int) -> None:
    topic_id = post.topic_id if post.state == State.SHOWN else NOTHING
    tallies = [Tally(subject_id=post.pk, topic_id=topic_id, replies=change)]
    if reply.replied_id != post.pk:
        tallies.append(Tally(subject_id=reply.replied_id or NOTHING, replies=change))
    counting.add(*tallies)
