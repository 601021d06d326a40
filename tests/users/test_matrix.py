"""Every endpoint of these modules × everybody who may not call it: the expected code, and nothing changed (I11).

The calls are those of `tests/scenarios`, which would succeed. A new endpoint needs a line in EXPECTED.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from heihei_site import urls
from heihei_site.api.endpoints import Endpoints
from tests import factories
from tests.scenarios import scenarios
from users import auth
from users.models import Session, User
from users.services import words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("jobs_elsewhere")]
MODULES = ("init", "user", "sms", "sys", "social", "payment")
OK, DEAD = 0, 720


@dataclass(frozen=True)
class Expected:
    """What a call is answered: `stranger` to who has no good token, whatever is wrong with it; `minor` to a minor."""

    stranger: int = DEAD
    minor: int = OK


CLOSED, OPEN = Expected(), Expected(stranger=OK)
EXPECTED = {
    "init": OPEN,
    "payment/cash-info": CLOSED,
    "payment/create-order": Expected(minor=721),
    "payment/get-alipay-info": CLOSED,
    "payment/list-p2g-package": CLOSED,
    "payment/list-package": CLOSED,
    "payment/order-notify": CLOSED,
    "payment/p2g": CLOSED,
    "payment/pay-req": Expected(minor=721),
    "payment/statement": CLOSED,
    "payment/statistic": CLOSED,
    "payment/verify-alipay": CLOSED,
    "sms/register-phone": OPEN,
    "sms/verify-phone": OPEN,
    "social/get-banner": CLOSED,
    "social/gift-resources": CLOSED,
    "sys/oss-token": CLOSED,
    "sys/update": OPEN,
    "sys/upload-log": OPEN,
    "user/bind-phone": CLOSED,
    "user/block-user": CLOSED,
    "user/delete-account": CLOSED,
    "user/export-data": CLOSED,
    "user/follow": CLOSED,
    "user/get-config": CLOSED,
    "user/get-sms-verification-code": OPEN,
    "user/info": CLOSED,
    "user/isinlive": CLOSED,
    "user/list-active-user": CLOSED,
    "user/list-blocked-user": CLOSED,
    "user/list-follower": CLOSED,
    "user/list-following": CLOSED,
    "user/list-user-byType": CLOSED,
    "user/push-device-info": CLOSED,
    "user/report-user": CLOSED,
    "user/search": CLOSED,
    "user/sign-in": OPEN,
    "user/sign-in-cl-by-phone": OPEN,
    "user/sign-out": CLOSED,
    "user/unblock-user": CLOSED,
    "user/unfollow": CLOSED,
    "user/update": CLOSED,
    "user/update-config": CLOSED,
    "user/usearch": CLOSED,
    "user/user-gold": CLOSED,
}


def nobody(user: User) -> str | None:
    return None


def stranger(user: User) -> str:
    """A token that looks like one and never was one."""
    return secrets.token_hex(32)


def signed_out(user: User) -> str:
    token = factories.token(user)
    auth.end_sessions(user)
    return token


def signed_in_elsewhere(user: User) -> str:
    token = factories.token(user)
    factories.token(user)
    return token


def too_long_ago(user: User) -> str:
    token = factories.token(user)
    Session.objects.filter(user=user).update(expires_at=timezone.now())
    return token


def banned(user: User) -> str:
    """By somebody who did not get to ending the sign-ins."""
    token = factories.token(user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    return token


def deleted(user: User) -> str:
    token = factories.token(user)
    User.objects.filter(pk=user.pk).update(deletion_due_at=timezone.now() + timedelta(days=15))
    return token


def erased(user: User) -> str:
    token = factories.token(user)
    long_ago = timezone.now() - timedelta(days=1)
    User.objects.filter(pk=user.pk).update(deletion_due_at=long_ago, erased_at=long_ago, is_active=False)
    return token


STRANGERS: list[Callable[[User], str | None]] = [
    nobody, stranger, signed_out, signed_in_elsewhere, too_long_ago, banned, deleted, erased
]  # fmt: skip


def test_every_endpoint_of_these_modules_has_its_line():
    assert urls.urlpatterns  # imports every module that declares endpoints
    assert set(EXPECTED) == {each.path for each in Endpoints.registry if each.path.split("/")[0] in MODULES}


@pytest.mark.parametrize("who", STRANGERS, ids=lambda who: who.__name__)
@pytest.mark.parametrize("path", [path for path, expected in EXPECTED.items() if expected.stranger])
def test_who_may_not_call_is_told_so_and_changes_nothing(api, gifts, told, path, who):
    user, params = scenarios[path]()
    token = who(user or factories.person())
    told.clear()
    for call in (api().get, api().post):
        before = contents()
        answer = call(path, **params, **({"token": token} if token else {}))
        assert answer == {"errorcode": EXPECTED[path].stranger, "errormsg": "token无效"}
        assert (contents(), told) == (before, [])


@pytest.mark.parametrize("who", STRANGERS, ids=lambda who: who.__name__)
@pytest.mark.parametrize("path", [path for path, expected in EXPECTED.items() if not expected.stranger])
def test_where_everybody_may_call_a_bad_token_hinders_nobody(api, gifts, told, path, who):
    _, params = scenarios[path]()
    token = who(factories.person())
    answer = api().post(path, **params, **({"token": token} if token else {}))
    assert answer["errorcode"] == 0, answer


@pytest.mark.parametrize("path", EXPECTED)
def test_a_minor_may_do_what_costs_nothing(api, gifts, told, path):
    user, params = scenarios[path]()
    words.blocked_in("")
    if user is not None:
        User.objects.filter(pk=user.pk).update(birthday=date(2015, 5, 5))
    phone = api(user)
    before = contents()
    answer = phone.post(path, **params)
    assert answer["errorcode"] == EXPECTED[path].minor, answer
    if EXPECTED[path].minor:
        assert contents() == before


def contents() -> list[tuple[str, int, int]]:
    """Every table of ours, by how many rows it has and what is in them."""
    with connection.cursor() as cursor:
        tables = sorted(connection.introspection.table_names(cursor))
        each = (
            f"SELECT '{table}', count(*), coalesce(sum(hashtextextended(row::text, 0)), 0) FROM \"{table}\" AS row"
            for table in tables
        )
        cursor.execute(" UNION ALL ".join(each))
        return sorted(cursor.fetchall())
