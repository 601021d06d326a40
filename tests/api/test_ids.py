"""D6 and interface rule 9: ids come as numbers or as text, and an odd one is the caller's mistake, never ours."""

import json

import pytest

from heihei_site.api.ids import unguessable_id
from live.models import Live
from tests import factories

WRONG = {"errorcode": 700, "errormsg": "参数错误"}
ODD = [
    "abc", "1e3", "-1", "1" + "0" * 20, "", " ", "true", "1.5", "1.0", "+1", "0x10", "1_000", "１２", "٣", "1 ", "1\n",
    "9" * 5000, "NaN", "null", "[1]", "1,2", "'", "1;drop table",
]  # fmt: skip
ODD_JSON = [True, False, None, 1.5, 1.0, -1, 2**53, 2**63, 10**20, 1e300, [], [1], {}, {"id": 1}, "", "x" * 5000]


@pytest.mark.urls("tests.api.kit")
@pytest.mark.parametrize("given", [0, 1, "1", "007", 2**53 - 1, str(2**53 - 1)])
def test_an_id_is_a_number_or_its_text(call, given):
    answer = call("kit/read", json.dumps({"id": given}), "application/json")
    assert (answer["errorcode"], answer["id"]) == (0, int(given))


@pytest.mark.urls("tests.api.kit")
@pytest.mark.parametrize("given", ODD)
def test_an_odd_id_in_a_form_is_a_wrong_parameter(api, given):
    assert api().post("kit/read", id=given) == WRONG


@pytest.mark.urls("tests.api.kit")
@pytest.mark.parametrize("given", ODD_JSON, ids=repr)
def test_an_odd_id_in_json_is_a_wrong_parameter(call, given):
    assert call("kit/read", json.dumps({"id": given}), "application/json") == WRONG


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "name", "unknown"),
    [
        ("live/join-live", "liveId", {731}),
        ("live/get-live", "liveId", {731}),
        ("live/heart-beat", "liveId", {731}),
        ("live/buy-gift", "giftId", {730, 731}),
        ("user/follow", "userId", {710}),
        ("user/info", "uid", {710}),
    ],
)
def test_an_id_that_is_nobodys_is_unknown_and_an_odd_one_is_wrong(api, path, name, unknown):
    phone = api(factories.person())
    others = {"isCreator": 0, "liveId": factories.live().pk, "giftId": 101}
    for given in (0, 1, 5, 2**31 - 1, 2**31, 2**53 - 1, "0000000000000001"):
        assert phone.post(path, **others | {name: given})["errorcode"] in unknown, given
    for given in ("abc", "1e3", "-1", 10**20, "true", "1.5"):
        assert phone.post(path, **others | {name: given})["errorcode"] == 700, given


@pytest.mark.django_db
def test_an_empty_id_is_none_given(api):
    """B63: required ones are then missing, optional ones absent."""
    me = factories.person()
    assert api(me).post("live/join-live", liveId="") == WRONG
    assert api(me).post("user/info", uid="")["result"]["id"] == me.pk


@pytest.mark.django_db
def test_ids_are_exact_json_numbers(api):
    live = factories.live(id=2**53 - 1)
    card = api(live.owner).post("live/get-live", liveId=str(live.pk))["live"]
    assert (card["liveId"], card["roomId"], card["userId"]) == (2**53 - 1, 2**53 - 1, live.owner_id)


@pytest.mark.django_db
def test_people_are_numbered_from_10001_and_hei_numbers_from_1000001(api):
    person = factories.person()
    assert 10001 <= person.pk < 2**31
    card = api(person).post("user/info")["result"]
    assert card["heiNum"] - 1000001 == card["id"] - 10001


@pytest.mark.django_db
def test_the_number_of_a_live_cannot_be_guessed():
    ids = {unguessable_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(0 < number < 2**52 for number in ids)
    assert max(ids) - min(ids) > 2**51
    assert Live._meta.pk.default is unguessable_id
