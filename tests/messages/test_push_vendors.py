"""From a message to a phone, over the vendors' own protocols: what they are given is the documented payload, once,
whatever they do meanwhile."""

import json
from collections import Counter

import pytest

from messages import tasks
from messages.models import Push
from tests.answers import ok
from tests.messages.push_vendor import outcomes, pass_time, phone, sweep
from tests.messages.test_notices import like
from tests.providers import push_services

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def vendors(settings):
    """Getui and Apple in the place of the twins."""
    settings.QUIET_HOURS = (0, 0)
    with push_services.getui() as getui, push_services.apple() as apple:
        for name, value in (push_services.GETUI | push_services.APPLE).items():
            setattr(settings, name, value)
        settings.GETUI_API, settings.APNS_API = getui.url, apple.url
        settings.PROVIDERS = settings.PROVIDERS | {
            "getui": "heihei_site.providers.push.getui.GetuiPush",
            "apns": "heihei_site.providers.push.apns.ApnsPush",
        }
        yield getui, apple


def given_to(getui):
    """The payloads of Getui's messages by device."""
    return {one["audience"]["cid"][0]: json.loads(one["push_message"]["transmission"]) for one in getui.taken.values()}


def test_a_message_rings_an_android_phone_and_an_iphone_with_the_documented_payload(talk, vendors):
    getui, apple = vendors
    android, iphone = phone(talk.her), phone(talk.her, kind="apns", platform="ios")
    Push.objects.all().delete()
    iphone.push_token = "ab12" * 16
    iphone.save()
    msg_id = ok(talk.write("在吗"))["msgId"]
    sweep()
    payload = {
        "title": "小白", "text": "在吗", "action": "message", "link": "wmlives_heihei://message", "msgId": msg_id,
        "fromUserName": "小白", "fromUserId": talk.me.pk, "gender": "Female", "data": {},
    }  # fmt: skip
    assert given_to(getui) == {android.push_token: payload | {"deviceType": "android", "clientid": android.push_token}}
    (((token, collapse), shown),) = apple.shown.items()
    assert (token, collapse) == (iphone.push_token, f"im:{talk.me.pk}")
    assert shown.pop("aps")["alert"] == {"title": "小白", "body": "在吗"}
    assert shown == payload | {"deviceType": "ios", "clientid": iphone.push_token}
    assert outcomes() == ["SENT", "SENT"]


def test_what_has_no_words_and_what_others_did_ring_too(talk, vendors, gifts):
    getui, _ = vendors
    phone(talk.her)
    like(talk.her, talk.me)
    sweep()
    assert [payload["text"] for payload in given_to(getui).values()] == ["我给你点赞了，"]


def test_a_long_message_is_pushed_by_its_beginning(talk, vendors):
    getui, _ = vendors
    phone(talk.her)
    ok(talk.write("字" * 500))
    sweep()
    assert [payload["text"] for payload in given_to(getui).values()] == ["字" * 100 + "…"]


def test_the_writer_is_not_rung_for_their_own_message(talk, vendors):
    getui, _ = vendors
    phone(talk.me)
    ok(talk.write("在吗"))
    sweep()
    assert getui.taken == {} and outcomes() == []


def test_a_vendor_that_is_away_for_a_minute_delivers_all_of_it_after(talk, vendors):
    getui, apple = vendors
    phone(talk.her)
    iphone = phone(talk.her, kind="apns", platform="ios")
    iphone.push_token = "cd34" * 16
    iphone.save()
    getui.away = apple.away = True
    ok(talk.write("在吗"))
    for _ in range(3):
        sweep()
        pass_time(seconds=20)
    assert getui.taken == {} and apple.shown == {}
    assert outcomes() == ["WAITING", "WAITING"]
    getui.away = apple.away = False
    pass_time(minutes=5)
    tasks.push()
    assert (len(getui.taken), len(apple.shown), outcomes()) == (1, 1, ["SENT", "SENT"])


def test_a_worker_that_dies_before_it_notes_the_answer_rings_nobody_twice(talk, vendors, monkeypatch):
    """The vendor is given the same request id, and Apple's phone the same collapse id."""
    from messages.services import push_delivery

    getui, apple = vendors
    phone(talk.her)
    iphone = phone(talk.her, kind="apns", platform="ios")
    iphone.push_token = "ef56" * 16
    iphone.save()
    ok(talk.write("在吗"))
    with monkeypatch.context() as dying:
        dying.setattr(push_delivery, "_note_answers", lambda *_: None)
        sweep()
    assert outcomes() == ["WAITING", "WAITING"]
    pass_time(minutes=2)
    tasks.push()
    assert outcomes() == ["SENT", "SENT"]
    assert Counter(map(len, (getui.taken, apple.shown))) == {1: 2}
    assert sum(getui.calls) == len(apple.asked) == 2


def test_a_phone_that_deleted_the_app_is_forgotten_and_the_other_rings(talk, vendors):
    getui, _ = vendors
    gone, here = phone(talk.her), phone(talk.her)
    getui.gone = {gone.push_token}
    ok(talk.write("在吗"))
    sweep()
    assert set(given_to(getui)) == {here.push_token}
    assert sorted(outcomes()) == ["DEAD", "SENT"]
    assert [device.push_token for device in talk.her.devices.all()] == [here.push_token]
