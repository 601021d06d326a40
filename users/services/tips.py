"""What operators say to one person, over whatever their phone shows."""

from collections.abc import Iterable

from heihei_site.realtime.groups import person
from heihei_site.realtime.publish import publish, telling
from users.events import Tip, TipShown
from users.models import User


def show(people: Iterable[User], tip: Tip) -> None:
    """Kept for who is away, as every personal message. Each for itself: nobody waits for all the others."""
    for user in people:
        with telling():
            publish(TipShown(message=tip), to=person(user))
