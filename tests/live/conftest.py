"""A room with its owner and a viewer, and phones whose every call is committed as in life."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from live.models import Live, Member
from tests import factories
from tests.conftest import Api
from users.models import User


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Any) -> Callable[[], Any]:
    """`with committed():` what happens inside is told to the sockets at its end, as at a commit."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.fixture
def api(committed: Callable[[], Any]) -> Callable[..., Api]:
    class Committing(Api):
        def get(self, path: str, **params: Any) -> dict[str, Any]:
            with committed():
                return super().get(path, **params)

        def post(self, path: str, **params: Any) -> dict[str, Any]:
            with committed():
                return super().post(path, **params)

        def raw(self, *args: Any) -> dict[str, Any]:
            with committed():
                return super().raw(*args)

    return Committing


@dataclass
class Evening:
    """A live on air with its owner, one viewer inside, and a phone each."""

    live: Live
    owner: User
    viewer: User
    owners: Api
    viewers: Api
    make_phone: Callable[..., Api]
    told: list[dict[str, Any]]

    def phone(self, user: User, version: str = "2.0.0") -> Api:
        return self.make_phone(user, version=version)

    def shown(self, kind: str) -> list[dict[str, Any]]:
        """The messages of a type, or actions of a name, that the room was told; their ids checked and left out."""
        found = [dict(message) for message in self.told if kind in (message.get("action"), message.get("msgType"))]
        assert all(message.pop("msgId") > 0 for message in found)
        return found

    def row(self) -> Live:
        return Live.objects.get(pk=self.live.pk)

    def inside(self) -> set[int]:
        return set(Member.objects.inside().filter(live=self.live).values_list("user_id", flat=True))

    def silent(self, **by: float) -> None:
        """As if the owner's last heart-beat had been that much earlier."""
        ago = timedelta(**by)
        Live.objects.filter(pk=self.live.pk).update(owner_deadline=F("owner_deadline") - ago)
        Member.objects.filter(live=self.live, user=self.owner).update(lease_until=F("lease_until") - ago)

    def asleep(self, user: User, **by: float) -> None:
        """As if this viewer's last heart-beat had been that much earlier."""
        Member.objects.filter(live=self.live, user=user).update(lease_until=F("lease_until") - timedelta(**by))


@pytest.fixture
def evening(api: Callable[..., Api], told: list[dict[str, Any]], db: None) -> Evening:
    owner, viewer = factories.person("阿嘿", cover_url="http://cdn/a.jpg"), factories.person("小白", gold=100)
    live = factories.live(owner)
    factories.inside(live, viewer)
    phones = api(owner, version="2.0.0"), api(viewer, version="2.0.0")
    told.clear()
    return Evening(live, owner, viewer, *phones, api, told)
