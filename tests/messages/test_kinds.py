"""Pictures, sounds, videos and gifts between two people: interface.md 21, D14, D19, D26, D38."""

import json

import pytest
from django.conf import settings as django_settings

from heihei_site.uploads.models import Upload
from messages.models import InstantMessage
from payment import ledger
from payment.models import Gift, Transfer
from tests import factories
from tests.answers import ok, refused
from tests.messages.conftest import nothing_happened, told
from tests.messages.test_lists import shown
from tests.races.crowd import at_once, codes, same_phone
from tests.uploads.conftest import disk, put  # noqa: F401
from users.models import Block, User

pytestmark = pytest.mark.django_db

SHOWN = {"image": ("img", "[图片]"), "audio": ("audio", "[语音]"), "video": ("video", "[视频]")}
PLACES = list(SHOWN)


def show(talk, kind, sign, **changes):
    length = changes.pop("length", 3)
    return talk.write(msgType=kind, content=json.dumps({"sign": sign, "length": length}), **changes)


class TestAFile:
    @pytest.mark.parametrize("kind", PLACES)
    def test_is_sent_by_its_sign_and_the_server_says_where_it_is(self, talk, signs, kind):
        answer = ok(show(talk, kind, signs(kind), clientMsgId="k"))
        place, line = SHOWN[kind]
        url = Upload.objects.get().url
        content = {place: url, "length": 3} if kind == "audio" else {place: url}
        assert url.startswith("http")
        (hers,), (mine,) = told(talk.her), told(talk.me)
        assert (hers["msg"]["content"], hers["msg"]["msgType"]) == (content, kind)
        assert mine["msg"] == hers["msg"] | {"clientMsgId": "k"}
        assert answer["msgId"] == hers["msg"]["msgId"]
        assert Upload.objects.get().used_by == f"im:{answer['msgId']}"
        assert shown(talk.hers) == [("text", 1, line, False)]

    def test_says_to_clients_that_do_not_know_it_what_it_is(self, talk, signs):
        for kind in PLACES:
            ok(show(talk, kind, signs(kind)))
        assert [element["msg"]["tips"][:6] for element in told(talk.her)] == [
            "【图片消息】",
            "【声音消息】",
            "【视频消息】",
        ]

    def test_sent_again_is_the_same_message(self, talk, signs):
        sign = signs("image")
        first = ok(show(talk, "image", sign, clientMsgId="k"))
        assert ok(show(talk, "image", sign, clientMsgId="k")) == first
        Upload.objects.update(accepted=False)
        assert ok(show(talk, "image", sign, clientMsgId="k")) == first
        assert len(told(talk.her)) == 1

    def test_is_used_once(self, talk, signs):
        sign = signs("image")
        ok(show(talk, "image", sign))
        refused(show(talk, "image", sign), 102, "文件验证失败")
        assert len(told(talk.her)) == 1

    def test_is_a_file_of_that_kind_of_the_sender(self, talk, signs):
        mine, hers = signs("image"), signs("audio", talk.hers)
        for kind, sign in (("audio", mine), ("video", mine), ("audio", hers), ("image", "x"), ("image", "字" * 500)):
            refused(show(talk, kind, sign), 102, "文件验证失败")
        assert nothing_happened()
        assert not Upload.objects.exclude(used_by="").exists()

    @pytest.mark.parametrize("wrong", [{}, {"sign": ""}, {"sign": 1}, {"img": "http://evil/x.jpg"}, {"text": "x"}])
    def test_is_named_by_a_sign_and_no_address(self, talk, wrong):
        for kind in PLACES:
            refused(talk.write(msgType=kind, content=json.dumps({"length": 3, **wrong})), 700, "参数错误")
        assert nothing_happened()

    @pytest.mark.parametrize("length", [0, -1, 301, None, "x", True, [], 1e300])
    def test_of_sound_has_a_length(self, talk, signs, length):
        sign = signs("audio")
        refused(show(talk, "audio", sign, length=length), 700, "参数错误")
        assert nothing_happened()
        ok(show(talk, "audio", sign, length="15"))
        assert told(talk.her)[0]["msg"]["content"]["length"] == 15

    def test_to_somebody_blocked_stays_free(self, talk, signs):
        sign = signs("image")
        Block.objects.create(user=talk.her, target=talk.me)
        refused(show(talk, "image", sign), 711, "用户权限不足")
        Block.objects.all().delete()
        ok(show(talk, "image", sign))


class TestAGift:
    @pytest.fixture(autouse=True)
    def rich(self, talk, gifts):
        factories.give_gold(talk.me, 10)
        self.gift = Gift.objects.get(pk=104)  # 咖啡, 5 gold

    def give(self, talk, gift_id=104, **changes):
        return talk.write(msgType="gift", content=json.dumps({"giftId": gift_id}), **changes)

    def purse(self, talk):
        """My gold, her points, the gifts paid for."""
        gifts = Transfer.objects.filter(reason="gift").count()
        return ledger.balances(talk.me.pk).gold, ledger.balances(talk.her.pk).point, gifts

    def test_is_paid_with_its_message(self, talk):
        ok(self.give(talk, clientMsgId="k"))
        (hers,) = told(talk.her)
        assert hers["msg"]["content"] == {"text": "我送你咖啡", "giftId": 104}
        assert self.purse(talk) == (5, 5, 1)
        me, her = User.objects.get(pk=talk.me.pk), User.objects.get(pk=talk.her.pk)
        assert (me.gold_given, me.experience, her.points_earned) == (5, 50, 5)
        assert shown(talk.hers) == [("text", 1, "我送你咖啡", False)]

    def test_sent_again_is_paid_once(self, talk):
        first = ok(self.give(talk, clientMsgId="k"))
        assert ok(self.give(talk, clientMsgId="k")) == first
        assert ok(self.give(talk, 101, clientMsgId="k")) == first
        assert self.purse(talk) == (5, 5, 1)

    def test_sent_again_is_answered_though_there_is_no_gold_left(self, talk):
        first = ok(self.give(talk, clientMsgId="k"))
        ok(self.give(talk, clientMsgId="l"))
        assert ok(self.give(talk, clientMsgId="k")) == first

    def test_without_a_name_sent_again_at_once_is_paid_once(self, talk):
        """As in rooms (D26)."""
        first = ok(self.give(talk))
        assert ok(self.give(talk)) == first
        assert self.purse(talk) == (5, 5, 1)
        assert ["clientMsgId" in element["msg"] for element in told(talk.me)] == [False]

    @pytest.mark.django_db(transaction=True)
    def test_sent_20_times_at_once_is_paid_once(self, talk):
        said = {"toUserId": talk.her.pk, "msgType": "gift", "content": '{"giftId":104}', "clientMsgId": "k"}
        answers = at_once([lambda: same_phone(talk.mine).post("msg/send-msg", **said)] * 20, together=20)
        assert codes(answers) == {0: 20}
        assert (self.purse(talk), len(told(talk.her))) == ((5, 5, 1), 1)

    @pytest.mark.django_db(transaction=True)
    def test_of_20_at_once_as_many_are_sent_as_there_is_gold_for(self, talk):
        def deed(number):
            said = {"toUserId": talk.her.pk, "msgType": "gift", "content": '{"giftId":104}', "clientMsgId": f"{number}"}
            return lambda: same_phone(talk.mine).post("msg/send-msg", **said)

        answers = at_once([deed(number) for number in range(20)], together=20)
        assert codes(answers) == {0: 2, 740: 18}
        assert (self.purse(talk), len(told(talk.her)), InstantMessage.objects.count()) == ((0, 10, 2), 2, 2)

    def test_nobody_can_pay_for_is_no_message(self, talk):
        refused(self.give(talk, 120), 740, "余额不足")
        assert nothing_happened() and self.purse(talk) == (10, 0, 0)

    def test_of_a_minor_is_none(self, talk, settings):
        assert django_settings.MINOR_PROTECTION
        User.objects.filter(pk=talk.me.pk).update(birthday=None)
        refused(self.give(talk), 721, "用户账户异常")
        assert nothing_happened() and self.purse(talk) == (10, 0, 0)

    def test_to_somebody_blocked_costs_nothing(self, talk):
        Block.objects.create(user=talk.me, target=talk.her)
        refused(self.give(talk), 711, "用户权限不足")
        assert nothing_happened() and self.purse(talk) == (10, 0, 0)

    @pytest.mark.parametrize("gift_id", [0, 999, 2**31, -1])
    def test_that_is_none_is_refused(self, talk, gift_id):
        refused(self.give(talk, gift_id), 730, "礼物不存在")
        assert nothing_happened()

    @pytest.mark.parametrize("gift_id", ["x", "", None, [], True, {}])
    def test_is_named_by_a_number(self, talk, gift_id):
        refused(self.give(talk, gift_id), 700, "参数错误")
        assert nothing_happened()

    def test_that_is_not_sold_any_more_is_refused(self, talk):
        Gift.objects.filter(pk=104).update(active=False)
        refused(self.give(talk), 730, "礼物不存在")


def test_blocked_words_are_stars_to_both(talk):
    from users.models import BlockedWord
    from users.services import words

    BlockedWord.objects.create(word="官方")
    words.listed.changed()
    ok(talk.write("我是官方"))
    words.listed.changed()
    assert [element["msg"]["content"]["text"] for element in (*told(talk.me), *told(talk.her))] == ["我是**"] * 2
