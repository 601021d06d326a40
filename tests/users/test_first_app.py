"""What people with the shipped 1.1 app would have suffered (android_client.md 6), in what these modules answer."""

from collections.abc import Iterator
from typing import Any

import pytest

from heihei_site.api.endpoints import Endpoints
from tests import factories
from tests.answers import ok
from tests.scenarios import scenarios
from users.services import relations

pytestmark = pytest.mark.django_db
CARDS = [
    ("user/info", "result"),
    ("user/list-follower", "result"),
    ("user/list-following", "result"),
    ("user/list-blocked-user", "result"),
    ("user/list-user-byType", "result"),
    ("user/list-active-user", "result"),
    ("user/search", "users"),
]


@pytest.fixture
def phone(api):
    """Of somebody who knows people that have said nothing about themselves but a name."""
    me = factories.person("我")
    for number in range(3):
        her = factories.person(f"新{number}", gender="Unspecified", birthday=None, kind="Anchor")
        factories.token(her)
        relations.follow(user=her, target=me)
        relations.follow(user=me, target=her)
    relations.block(user=me, target=factories.person(gender="Unspecified", birthday=None))
    return api(me, version="1.1.2")


def answered(phone: Any, path: str) -> dict[str, Any]:
    me = ok(phone.get("user/info"))["result"]["id"]
    said = {"userId": me, "type": "Anchor", "queryParameter": "新", "curUserId": me, "offset": 0, "limit": 20}
    return ok(phone.get(path, **said))


def values(answer: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(answer, dict):
        for name, value in answer.items():
            yield from values(value, name)
    elif isinstance(answer, list):
        for value in answer:
            yield from values(value, key)
    else:
        yield key, answer


@pytest.mark.parametrize(("path", "key"), CARDS)
def test_nobody_is_called_null(phone, path, key):
    """B31: where nothing was said there is an empty text."""
    answer = answered(phone, path)
    assert answer[key]
    for name, value in values(answer):
        assert value is not None, name
        assert value not in ("null", "None"), name


@pytest.mark.parametrize(("path", "key"), CARDS)
def test_nobody_turns_into_a_man(phone, path, key):
    """B32: the app takes a missing gender for Male; one that was never said is Unspecified."""
    found = answered(phone, path)[key]
    for card in found if isinstance(found, list) else [found]:
        assert card["gender"] in ("Female", "Unspecified")


@pytest.mark.parametrize(("path", "key"), CARDS)
def test_nobody_is_signed_out_by_looking_at_people(phone, path, key):
    """B33: the app keeps any `token` it finds in a card of its own user as its new one. I12: nor a phone number."""
    text = str(answered(phone, path))
    assert "'token'" not in text
    assert "'phone'" not in text
    assert str(phone.token) not in text


@pytest.mark.parametrize(("path", "key"), CARDS)
def test_buttons_for_following_and_blocking_show_what_is_so(phone, path, key):
    """B30: 1 is not true for the app."""
    found = answered(phone, path)[key]
    for card in found if isinstance(found, list) else [found]:
        assert type(card["isFollowed"]) is bool
        assert type(card["isBlocked"]) is bool
        assert card["isBlocked"] is (path == "user/list-blocked-user")


def test_who_has_just_signed_in_is_signed_in(api, code_for):
    """B34, B35: without userInfo.id the app stays outside; below six characters its button stays grey."""
    code = code_for("13912345678")
    assert len(code) == 6
    answer = ok(api().post("user/sign-in-cl-by-phone", phoneNo="13912345678", verifyCode=code))
    assert answer["userInfo"]["id"] >= 10_001
    assert answer["needRegist"] is True
    assert "token" not in answer["userInfo"]
    assert all(value is not None for _, value in values(answer))


def test_a_report_from_a_room_unblocks_nobody_and_a_follow_from_a_list_is_not_refused(api):
    """B54, B63: as the app sends them."""
    me, her, him = (factories.person() for _ in range(3))
    phone = api(me, version="1.1.2")
    ok(phone.raw("user/block-user", f"token={phone.token}&userId={her.pk}".encode()))
    ok(phone.raw("user/unblock-user", f"token={phone.token}&userId={her.pk}&reportType=2".encode()))
    assert [card["id"] for card in ok(phone.get("user/list-blocked-user"))["result"]] == [her.pk]
    ok(phone.raw("user/follow", f"token={phone.token}&userId={him.pk}&liveId=".encode()))
    assert ok(phone.get("user/info", uid=him.pk, cuid=me.pk))["result"]["isFollowed"] is True


def test_the_update_at_every_start_wipes_no_signature(api):
    """B66: it is sent before user/info has told the app the signature; the place is always empty."""
    me = factories.person("我", description="签名", address="长沙", latlng="1,2")
    phone = api(me, version="1.1.2")
    body = f"token={phone.token}&displayName=我&description=&gender=Female&birthDay=1990-01-01&address=&latlng=3,4"
    ok(phone.raw("user/update", body.encode()))
    card = ok(phone.get("user/info"))["result"]
    assert (card["description"], card["address"], card["modifyCount"]) == ("签名", "长沙", 0)


def test_every_refusal_is_a_sentence_in_chinese():
    """B69: the app shows it as it is."""
    paths = [path for path in scenarios if path.startswith(("user/", "sms/", "social/", "sys/"))]
    declared = {each.path: each for each in Endpoints.registry}
    for path in paths:
        for refusal in declared[path].refusals:
            text = refusal.text_at(path)
            assert any("\u4e00" <= character <= "\u9fff" for character in text), (path, refusal)
