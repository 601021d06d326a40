"""What of a live people see who follow a link to it: the socket's door, and what it shows."""

import orjson
import pytest
from django.db.models.functions import Now

from heihei_site.realtime.events import element
from live import guests, sharing
from live.events import (
    AudienceChanged,
    BulletSent,
    GiftSent,
    Liked,
    LiveStopped,
    RoomText,
    SystemSaid,
    TitleChanged,
    ToastShown,
    UserMuted,
    by,
)
from live.serializers import told_card
from tests import factories

pytestmark = pytest.mark.django_db
door = guests.Doorkeeper()


def query(live, **more):
    return {"liveid": str(live.pk), "sign": sharing.signature(live.pk), **more}


@pytest.mark.parametrize("status", [0, 1])
def test_a_link_opens_a_live_that_goes_on_or_is_about_to(status):
    live = factories.live(status=status)
    assert door.room_of(query(live)) == live.pk


def test_nothing_else_does():
    live, over = factories.live(), factories.live(status=2)
    silent = factories.live(owner_deadline=Now())
    for wrong in (query(over), query(silent), query(live, sign=""), query(live, liveid=str(over.pk)), {}):
        assert door.room_of(wrong) is None
    assert door.room_of(query(live, sign=sharing.signature(live.pk, now=0))) is None


def shown(event):
    made = door.shown(element(event))
    return made and orjson.loads(made)["msg"]


@pytest.fixture
def live():
    return factories.live(factories.person("阿嘿"))


def test_what_people_say_and_give_is_shown_with_their_names_and_without_their_numbers(live):
    who = factories.person("小白", cover_url="http://cdn/b.jpg")
    said, name = {"room_id": live.pk, **by(who)}, {"fromUserName": "小白", "coverUrl": "http://cdn/b.jpg"}
    gift = {"id": 101, "name": "小黄瓜", "type": 0, "desc": "x"}
    given = GiftSent(**said, gift_id=101, gift=gift, amount=3, gift_uuid="u", total_ticket=9)
    assert shown(RoomText(**said, text="你好")) == {"kind": "text", **name, "text": "你好"}
    assert shown(given) == {"kind": "gift", **name, "gift": {"id": 101, "name": "小黄瓜"}, "amount": 3}
    flown = BulletSent(**said, birth_day="1990-01-01", text="飞", total_ticket=9)
    assert shown(flown) == {"kind": "barrage", **name, "text": "飞"}
    assert shown(Liked(**said, birth_day="1990-01-01", text="点亮了")) == {"kind": "like", **name, "text": "点亮了"}


def test_what_becomes_of_the_room_is_shown(live):
    assert shown(LiveStopped(room_id=live.pk, live=told_card(live))) == {"kind": "stop-live"}
    assert shown(TitleChanged(room_id=live.pk, live_id=live.pk, title="新")) == {"kind": "live-change", "title": "新"}
    seats = {"room_seat_count": 8, "room_locked_count": 0}
    counted = AudienceChanged(version=1, room_id=live.pk, live_id=live.pk, total_count=5, **seats, users=[])
    assert shown(counted) == {"kind": "list-live-users", "totalCount": 5}


def test_what_is_for_members_is_not(live):
    """D13; and a text that only says a gift once more."""
    who = factories.person()
    assert shown(SystemSaid(room_id=live.pk, text="x")) is None
    assert shown(ToastShown(room_id=live.pk, text="x", expire_time=3)) is None
    assert shown(UserMuted(room_id=live.pk, user_id=who.pk)) is None
    assert shown(RoomText(room_id=live.pk, **by(who), text="送给主播 玫瑰", gift_id=103)) is None
