"""Rooms of the RTC vendor that are made for two people and one occasion: a call, a link to a broadcaster.

A token lets a phone in for a minute; a phone asks for another whenever it needs one. When the occasion is over, the
vendor throws both people out: a job asks until it has. Whoever comes back with a token that is still good is alone.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

import structlog
from celery import Task
from django.conf import settings
from django.db.models import Model, QuerySet
from django.utils.crypto import salted_hmac

from heihei_site.jobs import NoWorker, hand_over
from heihei_site.providers import registry
from heihei_site.providers.rtc.base import NotRemoved

GIVE_UP = 5  # failures in a row after which the vendor is taken to be away for all
AT_ONCE = 500  # asked about in one sweep

Occasion = TypeVar("Occasion", bound=Model)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Entry:
    """What lets a phone in; `expires` is a second of the epoch."""

    room: str
    token: str
    expires: int


@dataclass(frozen=True)
class Rooms(Generic[Occasion]):
    """One for each row of a model that has `revocation_due`; `name` is what the log calls such a row."""

    name: str
    salt: str
    people: Callable[[Occasion], Iterable[int]]
    to_revoke: Callable[[timedelta], QuerySet[Occasion]]  # over since less than that, with somebody to throw out

    def room_of(self, row_id: int) -> str:
        """The same every time; nothing that is known of the row leads to it."""
        return salted_hmac(self.salt, str(row_id), algorithm="sha256").hexdigest()[:32]

    def entry(self, row_id: int, user_id: int, lifetime: timedelta) -> Entry:
        expires = int(time.time() + lifetime.total_seconds())
        room = self.room_of(row_id)
        return Entry(room, registry.rtc().token(room=room, user_id=user_id, expires=expires), expires)

    def hurry(self, job: "Task[[int], None]", row_id: int) -> None:
        """Has a worker revoke now; without one it waits for the sweep."""
        try:
            hand_over(job, row_id)
        except NoWorker as error:
            log.warning(f"{self.name}_revoked_later", id=row_id, reason=str(error))

    def revoke(self, row_id: int) -> bool:
        """Has the vendor throw both people out. False where it did not: then it is asked again by the next sweep. Asks
        over the network; run twice, the second finds nothing to do."""
        due = self._due().filter(pk=row_id)
        occasion = due.first()
        if occasion is None:
            return True
        try:
            for user_id in self.people(occasion):
                registry.rtc().remove(room=self.room_of(row_id), user_id=user_id)
        except NotRemoved as error:
            log.warning(f"{self.name}_not_revoked", id=row_id, reason=str(error))
            return False
        due.update(revocation_due=False)
        return True

    def revoke_waiting(self) -> int:
        """Asks again for all that is still due. Returns how many are done."""
        done = failed = 0
        for row_id in list(self._due().values_list("pk", flat=True)[:AT_ONCE]):
            worked = self.revoke(row_id)
            done, failed = done + worked, 0 if worked else failed + 1
            if failed == GIVE_UP:
                break
        return done

    def _due(self) -> QuerySet[Occasion]:
        return self.to_revoke(settings.MIC_REVOKE_FOR)
