from hashlib import md5
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from heihei_site.api.errors import NotEnoughGold
from payment import ledger
from payment.catalogue import SEEDS, seed_gifts
from payment.models import Gift, GiftResource, Transfer
from payment.reconciliation import breaches
from payment.selectors import gift_list, gift_resources
from payment.services.gifts import Combo, GiftGiven, give
from payment.services.purchases import Paid, pay_for

pytestmark = pytest.mark.django_db
UUID = "0cc175b9c0f1b6a831c399e269772661"
SITE = "https://api.example.test"


def send(sender, receiver, gift, uuid=UUID, count=1, place="live:7", repeat_key=""):
    return give(
        sender_id=sender,
        receiver_id=receiver,
        place=place,
        gift=gift,
        combo=Combo(uuid, count),
        repeat_key=repeat_key,
    )


class TestGiving:
    def test_costs_the_sender_and_earns_the_receiver(self, person, lollipop):
        fan, anchor = person(gold=50), person()
        rose = Gift.objects.get(pk=103)
        assert send(fan, anchor, rose) == GiftGiven(gold_left=48, gold_spent=2, points=2, experience=20, fresh=True)
        assert ledger.balances(fan) == (48, 0)
        assert ledger.balances(anchor) == (0, 2)
        assert list(breaches()) == []

    def test_a_phone_that_retries_is_charged_once(self, person, lollipop):
        """B45"""
        fan, anchor = person(gold=50), person()
        first = send(fan, anchor, lollipop)
        send(fan, anchor, lollipop, count=2)
        again = send(fan, anchor, lollipop)
        assert again == GiftGiven(gold_left=first.gold_left, gold_spent=1, points=1, experience=10, fresh=False)
        assert ledger.balances(fan).gold == 48

    def test_the_combo_counter_is_not_a_quantity(self, person, lollipop):
        """B46"""
        fan, anchor = person(gold=50), person()
        assert send(fan, anchor, lollipop, count=30).gold_left == 49

    def test_unless_the_setting_says_so(self, person, lollipop, settings):
        settings.GIFT_AMOUNT_IS_QUANTITY = True
        fan, anchor = person(gold=50), person()
        assert send(fan, anchor, lollipop, count=30) == GiftGiven(
            gold_left=20, gold_spent=30, points=30, experience=300, fresh=True
        )

    @pytest.mark.parametrize("other", ["uuid", "count", "place", "gift", "sender"])
    def test_another_gift_is_charged(self, person, lollipop, other):
        fan, anchor = person(gold=50), person()
        send(fan, anchor, lollipop)
        changes = {
            "uuid": {"uuid": UUID[::-1]},
            "count": {"count": 2},
            "place": {"place": "chat:7"},
            "gift": {"gift": Gift.objects.get(pk=101)},
            "sender": {"sender": person(gold=50)},
        }[other]
        assert send(**{"sender": fan, "receiver": anchor, "gift": lollipop} | changes).fresh

    def test_without_a_uuid_the_callers_window_tells_requests_apart(self, person, lollipop):
        fan, anchor = person(gold=50), person()
        sent = [send(fan, anchor, lollipop, uuid="", repeat_key=key).fresh for key in ("a", "a", "b")]
        assert sent == [True, False, True]
        assert ledger.balances(fan).gold == 48

    def test_a_uuid_cannot_pass_for_a_window(self, person, lollipop):
        fan, anchor = person(gold=50), person()
        assert send(fan, anchor, lollipop, uuid="a").fresh
        assert send(fan, anchor, lollipop, uuid="", repeat_key="a").fresh

    @pytest.mark.parametrize("uuid", ["x" * 100_000, "\0", "\ud800", "礼物", "1:2:3"])
    def test_any_text_is_a_uuid(self, person, lollipop, uuid):
        fan, anchor = person(gold=50), person()
        assert [send(fan, anchor, lollipop, uuid=uuid).fresh for _ in range(2)] == [True, False]

    def test_who_has_too_little_gives_nothing(self, person, lollipop):
        fan, anchor = person(gold=1), person()
        with pytest.raises(NotEnoughGold), transaction.atomic():
            send(fan, anchor, Gift.objects.get(pk=103))
        assert ledger.balances(fan) == (1, 0)
        assert ledger.balances(anchor) == (0, 0)

    def test_points_follow_the_setting(self, person, lollipop, settings):
        fan, anchor = person(gold=50), person()
        settings.POINTS_PER_GOLD = 3
        assert send(fan, anchor, lollipop).points == 3
        settings.POINTS_PER_GOLD = 0
        assert send(fan, anchor, lollipop, count=2).points == 0
        assert ledger.balances(anchor).point == 3


class TestPaying:
    def test_a_bullet_earns_the_anchor_points(self, person):
        fan, anchor = person(gold=5), person()
        deed = {"user_id": fan, "receiver_id": anchor, "gold": 1, "reason": "bullet", "key": "bullet:1"}
        assert pay_for(**deed) == Paid(gold_left=4, points=1, fresh=True)
        assert pay_for(**deed) == Paid(gold_left=4, points=1, fresh=False)
        assert ledger.balances(anchor).point == 1

    def test_a_new_name_earns_nobody(self, person):
        someone = person(gold=10)
        paid = pay_for(user_id=someone, receiver_id=None, gold=10, reason="rename", key="rename:1")
        assert paid == Paid(gold_left=0, points=0, fresh=True)
        assert Transfer.objects.get(key="rename:1").entries.count() == 2


class TestCatalogue:
    def test_fills_whole_pages_of_the_dialog(self):
        """B42, D28"""
        seed_gifts()
        assert list(Gift.objects.values_list("pk", flat=True)) == list(range(101, 121))

    def test_knows_only_animations_the_app_can_play(self):
        """B43"""
        seed_gifts()
        types = list(Gift.objects.values_list("type", flat=True))
        assert {t: types.count(t) for t in set(types)} == {0: 15, 1: 1, 2: 1, 3: 1, 4: 1, 5: 1}
        with pytest.raises(IntegrityError), transaction.atomic():
            Gift.objects.filter(pk=101).update(type=6)

    def test_prices(self):
        assert [(SEEDS[0].id, SEEDS[0].gold), (SEEDS[-1].id, SEEDS[-1].gold)] == [(101, 1), (120, 1314)]
        assert [seed.gold for seed in SEEDS] == sorted(seed.gold for seed in SEEDS)

    def test_seeding_again_keeps_what_operators_changed(self, django_assert_max_num_queries):
        seed_gifts()
        Gift.objects.filter(pk=101).update(name="大黄瓜", gold=9, active=False)
        Gift.objects.get(pk=102).delete()
        seed_gifts()
        assert Gift.objects.filter(pk=101, name="大黄瓜", gold=9, active=False).exists()
        assert (Gift.objects.count(), GiftResource.objects.count()) == (20, 20)

    def test_every_picture_is_there(self):
        seed_gifts()
        for gift in Gift.objects.all():
            gift.full_clean()
            for picture in (gift.image, gift.icon):
                assert Path(finders.find(picture)).read_bytes().startswith(b"\x89PNG")

    def test_a_picture_that_is_not_there_is_not_accepted(self):
        seed_gifts()
        gift = Gift.objects.get(pk=101)
        gift.image = "gifts/nowhere.png"
        with pytest.raises(ValidationError):
            gift.full_clean()
        gift.image = "https://cdn.example.test/a.png"
        gift.full_clean()


class TestGiftList:
    def test_is_what_the_phone_reads(self, lollipop, django_assert_num_queries):
        with django_assert_num_queries(1):
            gifts = gift_list(SITE)
        assert len(gifts) == 20
        assert gifts[1] == {
            "id": 102,
            "name": "棒棒糖",
            "gold": 1,
            "exp": 10,
            "cl": [255, 224, 236],
            "image": f"{SITE}/static/gifts/102.png",
            "icon": f"{SITE}/static/gifts/102-icon.png",
            "type": 0,
        }

    def test_hides_retired_gifts_and_keeps_the_operators_order(self, lollipop):
        Gift.objects.filter(pk=101).update(active=False)
        Gift.objects.filter(pk=120).update(order=1)
        assert [gift["id"] for gift in gift_list(SITE)] == [120, *range(102, 120)]

    def test_leaves_addresses_alone(self, lollipop):
        Gift.objects.filter(pk=101).update(image="https://cdn.example.test/a.png")
        assert gift_list(SITE)[0]["image"] == "https://cdn.example.test/a.png"


class TestGiftResources:
    def test_of_all_gifts(self, lollipop, django_assert_num_queries):
        with django_assert_num_queries(1):
            files = gift_resources(None, SITE)
        assert [file["id"] for file in files["resources"]] == list(range(101, 121))
        assert files["history_gift_res"] == []
        picture = Path(finders.find("gifts/101.png")).read_bytes()
        assert files["resources"][0] == {
            "id": 101,
            "attr_file": f"{SITE}/static/gifts/101.png",
            "file_md5": md5(picture, usedforsecurity=False).hexdigest(),
        }

    def test_of_some_gifts_and_of_none(self, lollipop):
        assert [file["id"] for file in gift_resources([102, 999], SITE)["resources"]] == [102]
        assert gift_resources([], SITE) == {"resources": [], "history_gift_res": []}

    def test_superseded_and_retired_ones_are_history(self, lollipop):
        GiftResource.objects.filter(gift=101).update(current=False)
        GiftResource.objects.create(gift_id=101, attr_file="https://cdn.example.test/new.zip")
        Gift.objects.filter(pk=102).update(active=False)
        files = gift_resources([101, 102], SITE)
        assert [(file["id"], file["attr_file"], file["file_md5"]) for file in files["resources"]] == [
            (101, "https://cdn.example.test/new.zip", "")
        ]
        assert [file["id"] for file in files["history_gift_res"]] == [101, 102]
