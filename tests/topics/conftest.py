"""A topic, two people with a phone each, and uploads on a disk of each test's own."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import factories, voices
from tests.answers import ok
from tests.conftest import Api
from topics.models import Subject, Topic
from users.models import User


@pytest.fixture(autouse=True)
def disk(settings: Any, tmp_path: Path) -> Path:
    options = {**settings.STORAGES["uploads"], "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "uploads": options}
    return tmp_path


@dataclass
class Corner:
    """Where 小雨 talks and 阿南 listens."""

    topic: Topic
    rain: User
    south: User
    rains: Api
    souths: Api

    def post(self, title: str = "晚安", phone: Api | None = None, **changes: Any) -> dict[str, Any]:
        """小雨 posts, if nothing else is said."""
        said = {"topicId": self.topic.pk, "title": title, "samples": voices.SAMPLES, "length": 4, **changes}
        if "sign" not in said:
            said["sign"] = voices.upload(self.rain)
        return (phone or self.rains).post("topic/create-subject", **said)

    def posted(self, title: str = "晚安", **changes: Any) -> Subject:
        return Subject.objects.get(pk=ok(self.post(title, **changes))["subject"]["id"])

    def reply(self, to: Subject, **changes: Any) -> dict[str, Any]:
        """阿南 answers."""
        said = {"subjectId": to.pk, "samples": voices.SAMPLES, **changes}
        if "sign" not in said:
            said["sign"] = voices.upload(self.south)
        return self.souths.post("topic/reply-subject", **said)

    def replied(self, to: Subject) -> Subject:
        return Subject.objects.get(pk=ok(self.reply(to))["subject"]["id"])


@pytest.fixture
def corner(api: Callable[..., Api], db: None) -> Corner:
    rain = factories.person("小雨", cover_url="http://cdn/a.jpg", experience=2404)
    south = factories.person("阿南", gender="Male", gold=100)
    return Corner(voices.topic("接口对接"), rain, south, api(rain), api(south))


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Any) -> Callable[[], Any]:
    """`with committed():` what happens inside starts its jobs at its end, as at a commit."""
    return lambda: django_capture_on_commit_callbacks(execute=True)
