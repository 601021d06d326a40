"""Bans against sign-ins, and the end of one against the next."""

from datetime import timedelta

import pytest
from django.utils import timezone

from heihei_site.api.errors import AccountAbnormal
from heihei_site.providers.identity.base import Account
from live.models import Live
from live.services import rooms
from tests import factories
from tests.races.crowd import at_once, same_phone
from users.models import Ban, Identity
from users.services import bans, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


def test_who_signs_in_while_they_are_banned_is_out_in_the_end():
    """Whichever came first."""
    for _ in range(6):
        user = factories.person()
        account = Account("Wechat", f"o{user.pk}")
        Identity.objects.create(user=user, source="Wechat", open_id=account.open_id)

        def comes_in():
            try:
                return sign_in.sign_in_by_account(account=account, now=timezone.now()).token  # noqa: B023
            except AccountAbnormal:
                return ""

        at_once([comes_in, lambda: bans.ban(user), comes_in])  # noqa: B023
        user.refresh_from_db()
        assert (user.is_active, user.sessions.count()) == (False, 0)


def test_a_ban_that_is_over_does_not_end_the_next():
    for _ in range(6):
        user = factories.person()
        bans.ban(user, until=timezone.now() - timedelta(seconds=1))
        at_once([bans.end_over, lambda: bans.ban(user), bans.end_over])  # noqa: B023
        user.refresh_from_db()
        assert not user.is_active
        assert Ban.objects.in_force().filter(user=user).count() == 1


def test_of_many_who_notice_that_a_ban_is_over_one_lets_them_in():
    user = factories.person()
    bans.ban(user, until=timezone.now() - timedelta(seconds=1))
    assert sorted(at_once([bans.end_over] * 8)) == [0] * 7 + [1]
    user.refresh_from_db()
    assert user.is_active


def test_who_opens_a_live_while_they_are_barred_has_none_in_the_end(api):
    for _ in range(6):
        over = factories.live(status=Live.Status.STOPPED)
        phone = api(over.owner)
        opens = lambda: same_phone(phone).post("live/create-live", title="t")  # noqa: B023,E731
        opened, _, again = at_once([opens, lambda: rooms.ban_live(over, barred=True), opens])  # noqa: B023
        assert {opened["errorcode"], again["errorcode"]} <= {0, 721}
        assert not Live.objects.open().filter(owner=over.owner).exists()
