"""Gifts and bullets through the front door: D19, D26–D28."""

from datetime import date, timedelta

import pytest
from django.db.models import F

from heihei_site.api.models import Repeat
from live.models import Live
from payment import ledger
from payment.models import Gift, Transfer
from payment.reconciliation import breaches
from tests import factories
from tests.answers import ok, refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("gifts")]
UUID = "0cc175b9c0f1b6a831c399e269772661"


def give(evening, gift=101, *, phone=None, **changes):
    said = {"giftId": gift, "liveId": evening.live.pk, "amount": 1, "gift_uuid": UUID} | changes
    return (phone or evening.viewers).get("live/buy-gift", **said)


def fly(evening, message="飞起来", *, phone=None, **changes):
    return (phone or evening.viewers).get(
        "live/buy-bullet", **({"liveId": evening.live.pk, "message": message} | changes)
    )


def later(seconds):
    """As if so many seconds had passed since every request."""
    ago = timedelta(seconds=seconds)
    Repeat.objects.update(first_at=F("first_at") - ago, last_at=F("last_at") - ago)


def purse(user):
    return tuple(ledger.balances(user.pk))


def nothing_happened(evening):
    """No gold, no points, no experience, no message, no count."""
    assert (purse(evening.viewer), purse(evening.owner)) == ((100, 0), (0, 0))
    assert evening.told == []
    for person in (evening.viewer, evening.owner):
        person.refresh_from_db()
        assert (person.experience, person.gold_given, person.points_earned) == (0, 0, 0)
    assert evening.row().total_tickets == 0
    assert list(breaches()) == []


class TestAGift:
    def test_moves_money_and_standing(self, evening):
        assert ok(give(evening, 104)) == {"errorcode": 0, "errormsg": "success", "gold": 95}
        assert (purse(evening.viewer), purse(evening.owner)) == ((95, 0), (0, 5))
        evening.viewer.refresh_from_db()
        evening.owner.refresh_from_db()
        assert (evening.viewer.experience, evening.viewer.gold_given, evening.viewer.points_earned) == (50, 5, 0)
        assert (evening.owner.experience, evening.owner.gold_given, evening.owner.points_earned) == (0, 0, 5)
        assert evening.row().total_tickets == 5
        assert list(breaches()) == []

    def test_is_seen_by_everybody_with_a_line_of_text(self, evening):
        """B47: without totalTicket the room would show an income of 0."""
        ok(give(evening, 102, amount=3))
        assert evening.shown("gift") == [
            {"room": evening.live.pk, "msgType": "gift", "roomId": evening.live.pk, "fromUserId": evening.viewer.pk,
             "fromUserName": "小白", "gender": "Female", "coverUrl": "", "giftId": 102,
             "gift": {"id": 102, "name": "棒棒糖", "type": 0, "desc": "甜你一下"}, "amount": 3, "gift_uuid": UUID,
             "totalTicket": 1}
        ]  # fmt: skip
        (line,) = evening.shown("text")
        assert (line["giftId"], line["text"], line["fromUserId"]) == (102, "送给主播 棒棒糖", evening.viewer.pk)
        assert [message["msgType"] for message in evening.told] == ["gift", "text"]

    def test_total_ticket_is_all_the_owner_ever_earned(self, evening):
        type(evening.owner).objects.filter(pk=evening.owner.pk).update(points_earned=1000)
        ok(give(evening, 104))
        assert evening.shown("gift")[0]["totalTicket"] == 1005
        card = ok(evening.viewers.get("live/get-live", liveId=evening.live.pk))["live"]
        assert (card["totalTickets"], card["liveTotalTicket"]) == (1005, 5)

    def test_at_the_last_gold_leaves_nothing(self, evening):
        assert ok(give(evening, 114))["gold"] == 1
        assert ok(give(evening, 101))["gold"] == 0
        refused(give(evening, 102), 740, "余额不足")

    def test_shows_in_ones_own_info(self, evening):
        ok(give(evening, 104))
        mine = ok(evening.viewers.get("user/info"))["result"]
        assert (mine["goldCount"], mine["postCount"], mine["experience"]) == (95, 5, 50)
        hers = ok(evening.owners.get("user/info"))["result"]
        assert (hers["point"], hers["allEarnPoint"]) == (5, 5)

    def test_needs_neither_amount_nor_uuid(self, evening):
        assert ok(give(evening, amount="", gift_uuid=""))["gold"] == 99
        assert evening.shown("gift")[0]["amount"] == 1

    def test_may_be_called_count(self, evening):
        ok(evening.viewers.get("live/buy-gift", giftId=101, liveId=evening.live.pk, count=7, gift_uuid=UUID))
        assert evening.shown("gift")[0]["amount"] == 7


class TestTheSameGift:
    def test_is_charged_and_shown_once_however_often_it_is_sent(self, evening):
        """B45"""
        answers = [give(evening, 104) for _ in range(4)]
        assert answers == [{"errorcode": 0, "errormsg": "success", "gold": 95}] * 4
        assert (purse(evening.viewer), purse(evening.owner)) == ((95, 0), (0, 5))
        assert (len(evening.shown("gift")), len(evening.shown("text"))) == (1, 1)
        evening.viewer.refresh_from_db()
        assert (evening.viewer.experience, evening.row().total_tickets) == (50, 5)

    def test_even_much_later_and_after_others(self, evening):
        ok(give(evening, 104))
        ok(give(evening, 104, amount=2))
        later(100_000)
        assert ok(give(evening, 104))["gold"] == 95
        assert purse(evening.viewer) == (90, 0)

    def test_with_the_last_gold_is_answered_like_the_first_time(self, evening):
        for _ in range(3):
            assert ok(give(evening, 114))["gold"] == 1
        assert purse(evening.viewer) == (1, 0)

    @pytest.mark.parametrize("change", [{"amount": 2}, {"gift_uuid": UUID[::-1]}, {"giftId": 102}])
    def test_with_one_thing_changed_is_another(self, evening, change):
        ok(give(evening, 101))
        assert ok(give(evening, 101, **change))["gold"] == 98
        assert len(evening.shown("gift")) == 2

    def test_the_combo_counter_is_shown_and_never_multiplied(self, evening):
        """B46"""
        for amount in (1, 2, 3):
            ok(give(evening, 104, amount=amount))
        assert purse(evening.viewer) == (85, 0)
        assert [message["amount"] for message in evening.shown("gift")] == [1, 2, 3]
        assert ok(give(evening, 104, amount=2**31 - 1))["gold"] == 80

    def test_after_a_refusal_for_gold_can_be_sent_again(self, evening):
        refused(give(evening, 120), 740, "余额不足")
        factories.give_gold(evening.viewer, 1300)
        assert ok(give(evening, 120))["gold"] == 86
        assert len(evening.shown("gift")) == 1

    def test_without_a_uuid_is_the_same_within_three_seconds(self, evening):
        for _ in range(3):
            assert ok(give(evening, 104, gift_uuid=""))["gold"] == 95
            later(2)
        assert (purse(evening.viewer), len(evening.shown("gift"))) == ((95, 0), 1)
        later(1)
        assert ok(give(evening, 104, gift_uuid=""))["gold"] == 90

    def test_of_another_person_is_another(self, evening):
        rich = factories.person(gold=10)
        factories.inside(evening.live, rich)
        ok(give(evening, 101))
        assert ok(give(evening, 101, phone=evening.phone(rich)))["gold"] == 9

    def test_in_another_live_is_another(self, evening):
        other = factories.live(factories.person())
        factories.inside(other, evening.viewer)
        ok(give(evening, 101))
        assert ok(give(evening, 101, liveId=other.pk))["gold"] == 98


def over(evening):
    Live.objects.update(status=Live.Status.STOPPED)


def banned(evening):
    Live.objects.update(status=Live.Status.BANNED)


def left(evening):
    ok(evening.viewers.get("live/quit-live", liveId=evening.live.pk))


def dearer(evening):
    Gift.objects.update(gold=7)


def sold_no_more(evening):
    Gift.objects.update(active=False)


def younger(evening):
    type(evening.viewer).objects.filter(pk=evening.viewer.pk).update(birthday=date(2015, 5, 5))


CHANGES = (over, banned, left, dearer, sold_no_more, younger)


class TestWhatWasPaidFor:
    """A phone that lost its answer asks again after things have changed: it is told what it was told first, and neither
    "failed" nor "the server is broken"."""

    @pytest.mark.parametrize("change", CHANGES)
    @pytest.mark.parametrize("uuid", [UUID, ""])
    def test_is_given_once_whatever_has_changed(self, evening, change, uuid):
        first = ok(give(evening, 104, gift_uuid=uuid))
        change(evening)
        shown = len(evening.shown("gift"))
        assert give(evening, 104, gift_uuid=uuid) == first
        assert (purse(evening.viewer), purse(evening.owner)) == ((95, 0), (0, 5))
        assert len(evening.shown("gift")) == shown == 1
        assert list(breaches()) == []

    @pytest.mark.parametrize("change", [over, banned, left, younger])
    def test_a_bullet_flies_once_whatever_has_changed(self, evening, change):
        first = ok(fly(evening, "飞起来"))
        change(evening)
        assert fly(evening, "飞起来") == first
        assert (purse(evening.viewer), len(evening.shown("barrage"))) == ((99, 0), 1)

    @pytest.mark.parametrize("uuid", [UUID, ""])
    def test_the_next_one_is_refused(self, evening, uuid):
        ok(give(evening, 104, gift_uuid=uuid, amount=1))
        over(evening)
        refused(give(evening, 104, gift_uuid=uuid, amount=2), 731, "无效的直播")
        later(3)
        if not uuid:
            refused(give(evening, 104, gift_uuid=uuid, amount=1), 731, "无效的直播")
        refused(fly(evening), 731, "无效的直播")
        assert purse(evening.viewer) == (95, 0)

    def test_a_refused_one_was_not_given_because_it_was_asked_for_twice(self, evening):
        over(evening)
        for _ in range(2):
            refused(give(evening, 104, gift_uuid=""), 731, "无效的直播")
            refused(fly(evening), 731, "无效的直播")
        nothing_happened(evening)

    def test_nobody_is_told_what_another_has_left(self, evening):
        ok(give(evening, 104))
        other = factories.person(gold=7)
        factories.inside(evening.live, other)
        over(evening)
        refused(give(evening, 104, phone=evening.phone(other)), 731, "无效的直播")


class TestARefusedGift:
    def test_without_the_gold(self, evening):
        refused(give(evening, 115), 740, "余额不足")
        nothing_happened(evening)

    def test_that_does_not_exist_or_is_retired(self, evening):
        Gift.objects.filter(pk=102).update(active=False)
        for gift in (999, 102, 0, 2**53 - 1):
            refused(give(evening, gift), 730, "礼物不存在")
        nothing_happened(evening)

    def test_from_outside(self, evening):
        stranger = factories.person(gold=5)
        phone = evening.phone(stranger)
        evening.told.clear()
        refused(give(evening, phone=phone), 506, "您不在该队伍")
        assert purse(stranger) == (5, 0)
        nothing_happened(evening)

    @pytest.mark.parametrize("status", [0, 2, 3, 4])
    def test_where_nothing_is_on_air(self, evening, status):
        Live.objects.update(status=status)
        refused(give(evening), 731, "无效的直播")
        nothing_happened(evening)

    def test_in_no_live(self, evening):
        refused(give(evening, liveId=5), 731, "无效的直播")
        refused(give(evening, liveId=""), 700, "参数错误")
        nothing_happened(evening)

    @pytest.mark.parametrize("birthday", [None, date(2015, 5, 5)])
    def test_of_minors(self, evening, birthday):
        type(evening.viewer).objects.filter(pk=evening.viewer.pk).update(birthday=birthday)
        refused(give(evening), 721, "用户账户异常")
        refused(fly(evening), 721, "用户账户异常")
        nothing_happened(evening)

    def test_of_minors_is_given_where_the_setting_says_so(self, evening, settings):
        settings.MINOR_PROTECTION = False
        type(evening.viewer).objects.filter(pk=evening.viewer.pk).update(birthday=None)
        ok(give(evening))
        ok(fly(evening))

    def test_to_oneself(self, evening):
        factories.give_gold(evening.owner, 10)
        refused(give(evening, phone=evening.owners), 700, "参数错误")
        assert purse(evening.owner) == (10, 0)
        assert evening.told == []

    @pytest.mark.parametrize("wrong", [{"amount": 0}, {"amount": -1}, {"amount": 2**31}, {"amount": "x"},
                                       {"giftId": ""}, {"giftId": "x"}, {"gift_uuid": "x" * 129}])  # fmt: skip
    def test_for_wrong_parameters(self, evening, wrong):
        refused(give(evening, **wrong), 700, "参数错误")
        nothing_happened(evening)


class TestABullet:
    def test_the_owners_own_costs_them_and_earns_them_nothing(self, evening):
        factories.give_gold(evening.owner, 10)
        assert ok(fly(evening, phone=evening.owners))["gold"] == 9
        assert purse(evening.owner) == (9, 0)
        assert len(evening.shown("barrage")) == 1

    def test_costs_one_gold_and_flies(self, evening):
        assert ok(fly(evening)) == {"errorcode": 0, "errormsg": "success", "gold": 99}
        assert (purse(evening.viewer), purse(evening.owner)) == ((99, 0), (0, 1))
        assert evening.shown("barrage") == [
            {"room": evening.live.pk, "msgType": "barrage", "roomId": evening.live.pk, "fromUserId": evening.viewer.pk,
             "fromUserName": "小白", "gender": "Female", "birthDay": "1990-01-01", "coverUrl": "", "text": "飞起来",
             "totalTicket": 1}
        ]  # fmt: skip
        assert len(evening.told) == 1
        evening.viewer.refresh_from_db()
        assert (evening.viewer.experience, evening.viewer.gold_given, evening.row().total_tickets) == (10, 1, 1)

    def test_sent_three_times_two_seconds_apart_is_one(self, evening):
        for _ in range(3):
            assert ok(fly(evening))["gold"] == 99
            later(2)
        assert (purse(evening.viewer), len(evening.shown("barrage"))) == ((99, 0), 1)

    def test_after_three_seconds_is_a_new_one(self, evening):
        ok(fly(evening))
        later(3)
        assert ok(fly(evening))["gold"] == 98
        assert len(evening.shown("barrage")) == 2

    def test_other_words_are_another(self, evening):
        ok(fly(evening))
        assert ok(fly(evening, "再飞"))["gold"] == 98

    def test_a_bullet_and_a_text_of_the_same_words_are_two_things(self, evening):
        ok(fly(evening))
        ok(evening.viewers.post("msg/send-msg", text="飞起来", roomId=evening.live.pk, liveId=evening.live.pk))
        assert (len(evening.shown("barrage")), len(evening.shown("text"))) == (1, 1)

    def test_costs_what_the_setting_says(self, evening, settings):
        settings.BULLET_GOLD = 7
        assert ok(fly(evening))["gold"] == 93
        assert purse(evening.owner) == (0, 7)

    def test_without_gold_does_not_fly_and_flies_at_once_when_there_is_some(self, evening):
        poor = factories.person()
        factories.inside(evening.live, poor)
        phone = evening.phone(poor)
        evening.told.clear()
        refused(fly(evening, phone=phone), 740, "余额不足")
        nothing_happened(evening)
        factories.give_gold(poor, 1)
        assert ok(fly(evening, phone=phone))["gold"] == 0
        assert len(evening.shown("barrage")) == 1

    def test_from_outside_or_to_an_ended_live_is_refused(self, evening):
        stranger = evening.phone(factories.person(gold=5))
        evening.told.clear()
        refused(fly(evening, phone=stranger), 506, "您不在该队伍")
        Live.objects.update(status=2)
        refused(fly(evening), 731, "无效的直播")
        nothing_happened(evening)

    @pytest.mark.parametrize("message", ["", "  ", "字" * 501, "a\0b"])
    def test_of_nothing_or_too_much_is_refused(self, evening, message):
        refused(fly(evening, message), 700, "参数错误")
        nothing_happened(evening)


class TestTheCatalogue:
    def test_has_two_full_pages(self, evening):
        """B42, B43"""
        answer = ok(evening.viewers.get("live/gift-info"))
        assert [gift["id"] for gift in answer["gifts"]] == list(range(101, 121))
        assert answer["gifts"][0] == {
            "id": 101, "name": "小黄瓜", "gold": 1, "exp": 10, "cl": [223, 240, 204],
            "image": "http://testserver/static/gifts/101.png", "icon": "http://testserver/static/gifts/101-icon.png",
            "type": 0}  # fmt: skip
        assert {gift["type"] for gift in answer["gifts"]} == {0, 1, 2, 3, 4, 5}
        assert answer["expireTime"] == 60

    @pytest.mark.parametrize(
        ("asked", "found"), [("", 20), ("101", 1), ("101,102", 2), ("101,102,", 2), ("999", 0), ("101,999,101", 1)]
    )
    def test_files_of_gifts(self, evening, asked, found):
        answer = ok(evening.viewers.get("social/gift-resources", giftIds=asked))
        assert len(answer["resources"]) == found
        assert answer["historyGiftRes"] == []
        for file in answer["resources"]:
            assert set(file) == {"id", "attr_file", "file_md5"}
            assert file["attr_file"] == f"http://testserver/static/gifts/{file['id']}.png"
            assert len(file["file_md5"]) == 32

    @pytest.mark.parametrize("asked", ["x", "101;102", "-1", "1" * 10, "101," * 300])
    def test_files_of_nonsense_are_refused(self, evening, asked):
        refused(evening.viewers.get("social/gift-resources", giftIds=asked), 700, "参数错误")


def test_everybody_who_is_told_a_total_is_told_a_growing_one(evening):
    for amount in range(1, 6):
        ok(give(evening, 101, amount=amount))
        ok(fly(evening, f"第{amount}"))
    totals = [message["totalTicket"] for message in evening.told if "totalTicket" in message]
    assert totals == list(range(1, 11))
    assert Transfer.objects.filter(reason__in=["gift", "bullet"]).count() == 10
