"""D7, D8: how names and values are spelled on the wire."""

import orjson
import pytest

from heihei_site.api import wire
from tests import factories

INT32_MAX = 2147483647


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("total_ticket", ["totalTicket"]),
        ("id", ["id"]),
        ("errorcode", ["errorcode"]),
        ("gift_uuid", ["gift_uuid"]),
        ("push_enable", ["push_enable"]),
        ("user_type", ["user_type", "userType"]),
        ("honour_sign", ["honour_sign"]),
        ("attr_file", ["attr_file"]),
        ("file_md5", ["file_md5"]),
        ("live_total_ticket", ["liveTotalTicket", "livetotalticket"]),
        ("replays", ["liveskback", "lookbacks"]),
        ("recommended", ["isrecomm"]),
        ("pay_tips", ["pay-tips"]),
        ("is_shut_up", ["isshutup"]),
        ("a_b_cd", ["aBCd"]),
    ],
)
def test_a_key_has_every_documented_spelling(name, spelled):
    assert wire.encode({name: "x"}) == dict.fromkeys(spelled, "x")


def test_keys_of_live_cards_in_lists_are_doubled():
    card = {"title": "t", "user_id": 5, "online_users": 1, "total_users": 2, "user_name": "n", "cover_url": "c"}
    doubled = {
        "title": "t", "liveName": "t", "userId": 5, "creatorId": 5, "userName": "n", "creatorName": "n",
        "coverUrl": "c", "creatorCover": "c", "onlineUsers": 1, "onlineUser": 1, "totalUsers": 2, "viewernum": 2,
    }  # fmt: skip
    assert wire.encode({"lives": [card]}) == {"lives": [doubled]}
    assert wire.encode({"replays": [card]}) == {"liveskback": [doubled], "lookbacks": [doubled]}
    assert wire.encode({"live": card}) == {
        "live": {"title": "t", "userId": 5, "onlineUsers": 1, "totalUsers": 2, "userName": "n", "coverUrl": "c"}
    }


def test_names_of_viewers_are_doubled_in_a_list_of_them():
    assert wire.encode({"users": [{"display_name": "a"}]}) == {"users": [{"displayName": "a", "name": "a"}]}
    assert wire.encode({"user": {"display_name": "a"}}) == {"user": {"displayName": "a"}}


def test_null_is_an_empty_text_at_every_depth():
    assert wire.encode({"a": None, "b": [None, {"c": None}]}) == {"a": "", "b": ["", {"c": ""}]}


def test_booleans_stay_booleans_and_texts_stay_texts():
    assert orjson.loads(wire.to_json({"a": True, "b": False, "c": "真", "d": 1.5})) == {
        "a": True,
        "b": False,
        "c": "真",
        "d": 1.5,
    }


@pytest.mark.parametrize(
    ("value", "sent"),
    [(0, 0), (INT32_MAX, INT32_MAX), (INT32_MAX + 1, INT32_MAX), (10**18, INT32_MAX), (-(10**18), -INT32_MAX - 1)],
)
def test_a_counter_stops_where_the_phone_would_overflow(value, sent):
    assert wire.encode({"total_ticket": value}) == {"totalTicket": sent}


@pytest.mark.parametrize(
    "key", ["id", "live_id", "room_id", "chat_id", "user_id", "msg_id", "hei_num", "time_stamp", "seq"]
)
def test_an_id_and_a_time_stay_exact(key):
    assert wire.encode({key: 2**53 - 1}) == {wire.camel(key): 2**53 - 1}


@pytest.mark.django_db
def test_a_rich_person_shows_the_greatest_number_a_phone_can_hold(api):
    rich = factories.person(points_earned=10**12, gold_given=2**31)
    card = api(rich).post("user/info")["result"]
    assert (card["allEarnPoint"], card["postCount"]) == (INT32_MAX, INT32_MAX)


@pytest.mark.parametrize(
    ("given", "declared", "found"),
    [
        ({"deviceType": "ios"}, ["deveiceType"], {"deveiceType": "ios"}),
        ({"devicesType": "ios"}, ["deveiceType"], {"deveiceType": "ios"}),
        ({"deviceType": "a", "deveiceType": "b"}, ["deveiceType"], {"deveiceType": "b"}),
        ({"locale": "zh"}, ["local"], {"local": "zh"}),
        ({"targetId": 1}, ["userId"], {"userId": 1}),
        ({"userId": 1}, ["targetId"], {"targetId": 1}),
        ({"userId": 1, "targetId": 2}, ["userId", "targetId"], {"userId": 1, "targetId": 2}),
        ({"userId": 1}, ["userId", "targetId"], {"userId": 1}),
        ({"avator": "x"}, ["avatar"], {"avatar": "x"}),
        ({"count": 3}, ["amount"], {"amount": 3}),
        ({"count": 3, "amount": 4}, ["amount", "count"], {"amount": 4, "count": 3}),
        ({"phone": "1"}, ["phoneNo"], {"phoneNo": "1"}),
        ({"other": 1}, ["amount"], {}),
    ],
)
def test_every_spelling_of_a_parameter_is_understood(given, declared, found):
    assert wire.with_synonyms(given, declared) == found


def test_a_parameter_has_its_documented_name():
    names = {
        name: wire.parameter_name(name) for name in ("gift_uuid", "device_type", "locale", "phone", "last_join_time")
    }
    assert names == {
        "gift_uuid": "gift_uuid",
        "device_type": "deveiceType",
        "locale": "local",
        "phone": "phoneNo",
        "last_join_time": "lastJoinTime",
    }
