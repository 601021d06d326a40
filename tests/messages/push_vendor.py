"""People with phones that can be pushed to, a vendor that does as it is told, and time that passes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

from django.db.models import F
from django.db.models.functions import Now

from heihei_site.providers.push.base import Answer, Notification, Result
from heihei_site.realtime.events import Event, Kind, catalogue
from heihei_site.realtime.groups import person
from heihei_site.realtime.publish import publish, telling
from heihei_site.realtime.pushing import Push as Pushed
from messages import tasks
from messages.models import Push
from tests import factories
from users.models import Device, Session, User

ACCEPTED = Answer(Result.ACCEPTED)
LINKS = {(1, 0): "wmlives_heihei://message"}


@dataclass(frozen=True, kw_only=True)
class Rung(Event):
    """Whatever is pushed to people."""

    kind = Kind.PERSONAL
    msg_type = "toast"

    text: str = "在吗"
    links: dict[tuple[int, int], str] = field(default_factory=lambda: LINKS)
    collapse: str = ""
    rings: bool = False
    lifetime: int | None = None
    from_user_id: int = 0

    def payload(self) -> dict[str, Any]:
        return {"msg_type": self.msg_type, "text": self.text, "msg_id": self.msg_id}

    def push(self) -> Pushed:
        return Pushed(
            title="标题",
            text=self.text,
            action="message",
            links=self.links,
            from_user_id=self.from_user_id,
            collapse=self.collapse,
            rings=self.rings,
            lifetime=self.lifetime,
        )


catalogue.remove(Rung)


@dataclass
class Vendor:
    """`handed` is all that it was given, batch by batch. `answers` says what about each; a raised one about all."""

    development_only: ClassVar[bool] = True
    handed: list[list[Notification]] = field(default_factory=list)
    answer: Callable[[Notification], Answer] = lambda one: ACCEPTED

    def send(self, notifications: Sequence[Notification]) -> Sequence[Answer]:
        self.handed.append(list(notifications))
        return [self.answer(one) for one in notifications]

    @property
    def texts(self) -> list[str]:
        return [one.text for batch in self.handed for one in batch]

    @property
    def tokens(self) -> list[str]:
        return [one.token for batch in self.handed for one in batch]


def phone(user: User, *, version: str = "2.0.0", kind: str = "getui", platform: str = "android") -> Device:
    """Signed in, registered, and away."""
    session = Session.objects.create(
        user=user,
        digest=f"{user.pk} {user.sessions.count()}".encode(),
        expires_at=Now() + timedelta(days=30),
        client_version=version,
    )
    number = Device.objects.count()
    return Device.objects.create(
        user=user, session=session, push_kind=kind, push_token=f"token-{user.pk}-{number}", platform=platform
    )


def somebody(**device: Any) -> User:
    user = factories.person()
    phone(user, **device)
    return user


def tell(user: User, text: str = "在吗", **push: Any) -> None:
    with telling():
        publish(Rung(text=text, **push), to=person(user))


def pass_time(**time: float) -> None:
    """For all that waits, and for all that was sent."""
    ago = timedelta(**time)
    Push.objects.filter(outcome=Push.Outcome.WAITING).update(due_at=F("due_at") - ago)
    Push.objects.exclude(finished_at=None).update(finished_at=F("finished_at") - ago)


def sweep() -> None:
    """Six seconds later, as beat does it."""
    pass_time(seconds=6)
    tasks.push()
    tasks.push_to_many()


def outcomes() -> list[str]:
    """What became of each, in the order they were written."""
    return [Push.Outcome(outcome).name for outcome in Push.objects.order_by("pk").values_list("outcome", flat=True)]
