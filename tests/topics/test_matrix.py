"""Every endpoint of topics and records × everybody who may not call it: the expected code, and nothing changed (I11).

The calls are those of `tests/scenarios`, which would succeed. A new endpoint needs a line in EXPECTED.
"""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.utils import timezone

from heihei_site import urls
from heihei_site.api.endpoints import Endpoints
from records.models import Record
from tests import factories
from tests.scenarios import scenarios
from tests.users.test_matrix import STRANGERS, contents
from topics.models import Subject
from topics.services import topics
from users.models import Block, User
from users.services import words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("jobs_elsewhere")]
MODULES = ("topic", "record")
UNKNOWN, NOT_THERE = 100, 757
# What somebody is told whom the maker of the subject or record blocks, or where its maker is banned or leaving.
EXPECTED: dict[str, int | None] = {
    "record/delete-record": None,  # one's own
    "record/read-record": NOT_THERE,
    "record/refresh-record": None,
    "record/upload-record": None,
    "topic/buy-gift": UNKNOWN,
    "topic/create-subject": None,
    "topic/delete-subject": None,
    "topic/get-subject": UNKNOWN,
    "topic/like-subject": UNKNOWN,
    "topic/listen-subject": UNKNOWN,
    "topic/reply-subject": UNKNOWN,
    "topic/subject-detail": UNKNOWN,
    "topic/topic-detail": None,
    "topic/topic-list": None,
    "topic/unlike-subject": UNKNOWN,
    "topic/update-subject": None,
}
ABOUT_ANOTHERS = [path for path, refusal in EXPECTED.items() if refusal]


def test_every_endpoint_of_these_modules_has_its_line():
    assert urls.urlpatterns  # imports every module that declares endpoints
    assert set(EXPECTED) == {each.path for each in Endpoints.registry if each.path.split("/")[0] in MODULES}


@pytest.mark.parametrize("path", EXPECTED)
def test_who_may_not_call_is_told_so_and_changes_nothing(api, gifts, told, path):
    """Everybody who has no good token, whatever is wrong with it."""
    user, params = scenarios[path]()
    tokens = [who(user) for who in STRANGERS]
    told.clear()
    before = contents()
    for token in tokens:
        answer = api().post(path, **params, **({"token": token} if token else {}))
        assert answer == {"errorcode": 720, "errormsg": "token无效"}
    assert (contents(), told) == (before, [])


def makers() -> set[int]:
    """Of what the calls are about."""
    posts = Subject.objects.filter(main=None).values_list("creator_id", flat=True)
    return {*posts, *Record.objects.values_list("user_id", flat=True)}


def blocks_the_caller(user: User) -> None:
    Block.objects.bulk_create(Block(user_id=maker, target=user) for maker in makers())


def is_blocked_by_the_caller(user: User) -> None:
    Block.objects.bulk_create(Block(user=user, target_id=maker) for maker in makers())


def is_banned(user: User) -> None:
    User.objects.filter(pk__in=makers()).update(is_active=False)


def is_leaving(user: User) -> None:
    User.objects.filter(pk__in=makers()).update(deletion_due_at=timezone.now() + timedelta(days=15))


def has_deleted_it(user: User) -> None:
    Subject.objects.update(state=Subject.State.DELETED)
    Record.objects.update(status=Record.Status.DELETED)


MAKER: list[Callable[[User], None]] = [
    blocks_the_caller, is_blocked_by_the_caller, is_banned, is_leaving, has_deleted_it
]  # fmt: skip


@pytest.mark.parametrize("maker", MAKER, ids=lambda maker: f"whose maker {maker.__name__}")
@pytest.mark.parametrize("path", ABOUT_ANOTHERS)
def test_what_is_not_there_for_somebody_is_unknown_and_stays_as_it_was(api, gifts, told, path, maker):
    user, params = scenarios[path]()
    maker(user)
    phone = api(user)
    told.clear()
    before = contents()
    answer = phone.post(path, **params)
    assert answer["errorcode"] == EXPECTED[path], answer
    assert (contents(), told) == (before, [])


@pytest.mark.parametrize("path", [path for path in ABOUT_ANOTHERS if path.startswith("topic/")])
def test_so_is_what_was_said_in_a_topic_that_operators_hid(api, gifts, told, path):
    user, params = scenarios[path]()
    topics.Topic.objects.update(shown=False)
    topics.shown.forget()
    phone = api(user)
    before = contents()
    assert phone.post(path, **params)["errorcode"] == UNKNOWN
    assert contents() == before


@pytest.mark.parametrize("path", ["topic/update-subject", "topic/delete-subject"])
def test_what_is_anothers_is_not_changed(api, gifts, told, path):
    _, params = scenarios[path]()
    phone = api(factories.person())
    before = contents()
    assert phone.post(path, **params) == {"errorcode": 711, "errormsg": "用户权限不足"}
    assert contents() == before


@pytest.mark.parametrize("path", EXPECTED)
def test_a_minor_may_do_what_costs_nothing(api, gifts, told, path):
    user, params = scenarios[path]()
    words.blocked_in("")
    User.objects.filter(pk=user.pk).update(birthday=date(2015, 5, 5))
    phone = api(user)
    before = contents()
    answer = phone.post(path, **params)
    assert answer["errorcode"] == (721 if path == "topic/buy-gift" else 0), answer
    if path == "topic/buy-gift":
        assert contents() == before
