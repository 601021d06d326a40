"""topic/buy-gift: a gift for a voice, through the ledger."""

import pytest

from payment import ledger
from payment.models import Gift
from payment.reconciliation import breaches
from tests import factories, voices
from tests.answers import ok, refused
from tests.conftest import Api
from topics import params, selectors, tasks
from topics.models import Standing, Subject, Tally
from users.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("gifts")]


@pytest.fixture
def post(corner) -> Subject:
    return voices.subject(corner.topic, corner.rain)


def give(phone, subject, gift=104, **said):
    return phone.post("topic/buy-gift", subjectId=subject.pk, giftId=gift, **said)


def test_a_gift_costs_its_price_and_its_author_earns(corner, post):
    assert ok(give(corner.souths, post, gift_uuid="u", amount=3))["gold"] == 95
    assert (ledger.balances(corner.south.pk), ledger.balances(corner.rain.pk)) == ((95, 0), (0, 5))
    south, rain = (User.objects.get(pk=user.pk) for user in (corner.south, corner.rain))
    assert (south.gold_given, south.experience, rain.points_earned) == (5, 50, 5)
    assert voices.counts(post) == (0, 0, 0, 1)
    assert list(breaches()) == []


def test_the_same_gift_again_is_charged_and_counted_once(corner, post):
    for _ in range(3):
        assert ok(give(corner.souths, post, gift_uuid="u", amount=1))["gold"] == 95
    assert ok(give(corner.souths, post, gift_uuid="u", amount=2))["gold"] == 90
    for _ in range(3):  # without a key: the phone sends it again within seconds
        assert ok(give(corner.souths, post, gift=105))["gold"] == ledger.balances(corner.south.pk).gold
    assert voices.counts(post)[3] == 3


def test_a_gift_warms_by_what_it_costs(corner, post):
    tasks.fold()
    other = voices.subject(corner.topic, corner.rain)
    ok(give(corner.souths, post, gift_uuid="u"))
    tasks.fold()
    assert Standing.objects.get(pk=post.pk).heat > Standing.objects.get(pk=other.pk).heat


def test_who_has_not_enough_gives_nothing(corner, post):
    poor = factories.person(gold=1)
    refused(give(Api(poor), post), 740, "余额不足")
    refused(give(corner.rains, post), 700, "参数错误")
    refused(give(corner.souths, post, gift=99999), 730, "礼物不存在")
    refused(give(Api(factories.person(gold=9, birthday=None)), post), 721, "用户账户异常")
    assert ledger.balances(poor.pk).gold == 1
    assert not Tally.objects.filter(gifts=1).exists()


GONE = {"the post is gone": (100, "话题或帖子不存在"), "it is sold no more": (730, "礼物不存在")}


@pytest.mark.parametrize("meanwhile", ["its price is another", "it is sold no more", "the post is gone"])
@pytest.mark.parametrize("said", [{"gift_uuid": "u", "amount": 3}, {}], ids=["combo", "no key"])
def test_what_was_charged_is_answered_as_it_was_whatever_has_changed(corner, post, meanwhile, said):
    """The answer was lost, and the phone asks again."""
    assert ok(give(corner.souths, post, **said))["gold"] == 95
    if meanwhile == "the post is gone":
        ok(corner.rains.post("topic/delete-subject", subjectId=post.pk))
    else:
        Gift.objects.filter(pk=104).update(**({"gold": 6} if "price" in meanwhile else {"active": False}))
    assert ok(give(corner.souths, post, **said))["gold"] == 95
    assert ledger.balances(corner.south.pk).gold == 95
    if meanwhile != "its price is another":
        refused(give(corner.souths, post, gift_uuid="another"), *GONE[meanwhile])


def test_nobody_pays_for_what_is_gone_meanwhile(corner, post, monkeypatch):
    """It is deleted between the phone's request and the gift."""
    seen = selectors.find(post.pk, corner.south)
    ok(corner.rains.post("topic/delete-subject", subjectId=post.pk))
    monkeypatch.setattr(params.selectors, "find", lambda *_: seen)
    refused(give(corner.souths, post, gift_uuid="u"), 100, "话题或帖子不存在")
    assert ledger.balances(corner.south.pk).gold == 100
    assert list(breaches()) == []
