"""D5: who is asking."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests import factories
from users.models import Session

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api.kit")]
DEAD = {"errorcode": 720, "errormsg": "token无效"}
NOBODY = {"errorcode": 0, "errormsg": "success", "userId": 0}


@pytest.fixture
def anna():
    return factories.person("anna")


@pytest.fixture
def ben():
    return factories.person("ben")


def ok(user) -> dict[str, object]:
    return {"errorcode": 0, "errormsg": "success", "userId": user.pk}


def test_the_token_parameter_is_the_credential(call, anna):
    token = factories.token(anna)
    assert call("kit/who", f"token={token}") == ok(anna)
    assert call("kit/who", query=f"token={token}", method="GET") == ok(anna)
    assert call("kit/who", f'{{"token":"{token}"}}', "application/json") == ok(anna)


def test_without_a_token_a_closed_endpoint_refuses_and_an_open_one_answers(call):
    assert call("kit/who") == DEAD
    assert call("kit/who-if-anyone") == NOBODY


def test_the_parameter_goes_before_the_header(call, anna, ben):
    header = {"token": factories.token(ben)}
    assert call("kit/who", f"token={factories.token(anna)}", **header) == ok(anna)


def test_a_stale_header_does_not_harm_a_good_parameter(call, anna):
    """The 1.1 app keeps the token header of the process's start."""
    assert call("kit/who", f"token={factories.token(anna)}", token="stale") == ok(anna)


def test_a_good_header_does_not_save_a_bad_parameter(call, anna):
    good = factories.token(anna)
    assert call("kit/who", "token=bad", token=good) == DEAD
    assert call("kit/who", "token=", token=good) == DEAD


def test_the_header_counts_where_the_parameter_is_absent(call, anna):
    assert call("kit/who", token=factories.token(anna)) == ok(anna)


def test_tools_may_use_the_authorization_header(call, anna, ben):
    token = factories.token(anna)
    assert call("kit/who", authorization=f"Token {token}") == ok(anna)
    assert call("kit/who", authorization=f"token   {token} ") == ok(anna)
    assert call("kit/who", authorization=f"Token {token}", token=factories.token(ben)) == ok(ben)


@pytest.mark.parametrize("scheme", ["Bearer", "Basic", "", "Tokens"])
def test_other_authorization_schemes_are_nobody(call, anna, scheme):
    assert call("kit/who", authorization=f"{scheme} {factories.token(anna)}") == DEAD


@pytest.mark.parametrize(
    "token", ["x", "0" * 64, "' or 1=1", "%00", "中文", "a" * 5000, "null", "None", "%FF", "%ED%A0%80", "1"]
)
def test_a_token_that_is_none_is_nobody(call, token):
    assert call("kit/who", f"token={token}") == DEAD
    assert call("kit/who-if-anyone", f"token={token}") == NOBODY


@pytest.mark.parametrize("token", ["null", "[]", "{}", "1", "true", '{"a":[1]}'])
def test_a_token_that_is_no_text_is_nobody(call, token):
    assert call("kit/who", f'{{"token":{token}}}', "application/json") == DEAD


def test_a_token_is_long_random_and_stored_hashed(anna):
    tokens = {factories.token(anna) for _ in range(20)}
    assert len(tokens) == 20
    assert all(len(bytes.fromhex(token)) == 32 for token in tokens)
    [session] = Session.objects.all()
    assert len(bytes(session.digest)) == 32
    assert bytes(session.digest).hex() not in tokens


def test_a_new_sign_in_ends_the_earlier_one(call, anna):
    first, second = factories.token(anna), factories.token(anna)
    assert call("kit/who", f"token={first}") == DEAD
    assert call("kit/who", f"token={second}") == ok(anna)


def test_several_devices_where_the_setting_allows_them(call, anna, settings):
    settings.SINGLE_DEVICE_SIGN_IN = False
    first, second = factories.token(anna), factories.token(anna)
    assert call("kit/who", f"token={first}") == call("kit/who", f"token={second}") == ok(anna)


def test_a_token_dies_after_thirty_days_without_use(call, anna):
    token = factories.token(anna)
    lifetime = Session.objects.get().expires_at - timezone.now()
    assert timedelta(days=30) - timedelta(minutes=1) < lifetime <= timedelta(days=30)
    Session.objects.update(expires_at=timezone.now())
    assert call("kit/who", f"token={token}") == DEAD


def test_use_slides_the_thirty_days_but_writes_at_most_hourly(call, anna):
    token = factories.token(anna)
    recently = timezone.now() + timedelta(days=30) - timedelta(minutes=59)
    Session.objects.update(expires_at=recently)
    assert call("kit/who", f"token={token}") == ok(anna)
    assert Session.objects.get().expires_at == recently
    Session.objects.update(expires_at=timezone.now() + timedelta(seconds=5))
    assert call("kit/who", f"token={token}") == ok(anna)
    assert Session.objects.get().expires_at > timezone.now() + timedelta(days=29)


def test_a_banned_persons_token_is_dead(call, anna):
    token = factories.token(anna)
    type(anna).objects.filter(pk=anna.pk).update(is_active=False)
    assert call("kit/who", f"token={token}") == DEAD


def test_a_deed_with_a_bad_token_does_nothing(api, anna, told):
    phone = api()
    assert phone.post("live/create-live", title="x", token="bad") == DEAD
    assert phone.post("user/follow", userId=anna.pk) == DEAD
    assert not anna.lives.exists()
    assert not told
