"""Who may not speak in a room, and who says so: D44, contract_notes (d) Mute, I11."""

import pytest
from django.conf import settings

from heihei_site.api import throttles
from live.models import Guest, Live
from live.services import gifts as bullets
from payment import ledger
from payment.reconciliation import breaches
from tests import factories
from tests.answers import ok, refused
from tests.live.test_gifts import fly, nothing_happened
from tests.live.test_talk import say

pytestmark = pytest.mark.django_db
MUTED = (722, "您已被禁言")
FORBIDDEN = (711, "用户权限不足")
NO_LIVE = (731, "无效的直播")


def manager(evening, live=None):
    """Somebody inside whom the owner has appointed."""
    live = live or evening.live
    person = factories.person()
    factories.inside(live, person)
    phone = evening.phone(live.owner) if live != evening.live else evening.owners
    ok(phone.post("live/livemgr", liveId=live.pk, userId=person.pk, type=1))
    return person


def mute(evening, user, *, phone=None, **changes):
    said = {"liveId": evening.live.pk, "userId": user.pk} | changes
    return (phone or evening.owners).post("live/shutupuser", **said)


def unmute(evening, user, *, phone=None, **changes):
    said = {"liveId": evening.live.pk, "userId": user.pk} | changes
    return (phone or evening.owners).post("live/shutupopen", **said)


def asked(evening, user, *, phone=None, **changes):
    said = {"liveId": evening.live.pk, "userId": user.pk} | changes
    return (phone or evening.owners).get("live/isshutup", **said)


def muted_ones(evening):
    return set(Guest.objects.filter(live=evening.live, muted_at__isnull=False).values_list("user_id", flat=True))


class TestAMute:
    def test_is_told_to_the_room_and_silences_texts_and_bullets(self, evening, gifts):
        assert ok(mute(evening, evening.viewer)) == {"errorcode": 0, "errormsg": "success"}
        assert evening.shown("shutup-user") == [
            {"room": evening.live.pk, "msgType": "action", "action": "shutup-user", "comment": "被禁言",
             "roomId": evening.live.pk, "userId": evening.viewer.pk}
        ]  # fmt: skip
        evening.told.clear()
        refused(say(evening), *MUTED)
        refused(fly(evening), *MUTED)
        nothing_happened(evening)

    def test_holds_on_every_generation_of_phones(self, evening):
        ok(mute(evening, evening.viewer))
        for version in ("1.1.2", "1.5.0", "2.0.0"):
            refused(say(evening, phone=evening.phone(evening.viewer, version)), *MUTED)

    def test_leaves_gifts_and_likes_and_all_others_alone(self, evening, gifts):
        ok(mute(evening, evening.viewer))
        here = {"liveId": evening.live.pk}
        ok(evening.viewers.post("live/buy-gift", **here, giftId=101, gift_uuid="u", amount=1))
        ok(evening.viewers.post("live/live-like", **here, type=1))
        ok(say(evening, phone=evening.owners))

    def test_is_of_one_room(self, evening):
        other = factories.live()
        factories.inside(other, evening.viewer)
        ok(mute(evening, evening.viewer))
        ok(say(evening, roomId=other.pk, liveId=other.pk))

    def test_the_second_time_nothing_happens(self, evening):
        ok(mute(evening, evening.viewer))
        since = Guest.objects.get().muted_at
        ok(mute(evening, evening.viewer))
        assert Guest.objects.get().muted_at == since
        assert len(evening.shown("shutup-user")) == 1

    def test_of_somebody_outside_holds_when_they_come_in(self, evening):
        late = factories.person()
        ok(mute(evening, late))
        phone = evening.phone(late)
        ok(phone.post("live/join-live", liveId=evening.live.pk))
        refused(say(evening, phone=phone), *MUTED)
        assert evening.shown("text") == []

    def test_is_not_shaken_off_by_going_and_coming_back(self, evening):
        ok(mute(evening, evening.viewer))
        ok(evening.viewers.post("live/quit-live", liveId=evening.live.pk))
        ok(evening.viewers.post("live/join-live", liveId=evening.live.pk))
        refused(say(evening), *MUTED)

    def test_from_a_card_opened_outside_of_a_live_is_meant_for_ones_own(self, evening):
        """The 1.1 app sends `liveId=` there; 700 would be a toast about parameters (B63)."""
        ok(mute(evening, evening.viewer, phone=evening.phone(evening.owner, "1.1.2"), liveId=""))
        assert muted_ones(evening) == {evening.viewer.pk}
        phone = evening.phone(evening.owner, "1.1.2")
        assert ok(asked(evening, evening.viewer, phone=phone, liveId=""))["isshutup"] == 1
        ok(unmute(evening, evening.viewer, phone=phone, liveId=""))
        assert muted_ones(evening) == set()
        refused(mute(evening, evening.owner, phone=evening.viewers, liveId=""), *NO_LIVE)


class TestTakingItBack:
    def test_lets_them_speak_and_tells_the_room(self, evening):
        ok(mute(evening, evening.viewer))
        assert ok(unmute(evening, evening.viewer)) == {"errorcode": 0, "errormsg": "success"}
        ok(say(evening))
        assert [message["userId"] for message in evening.shown("shutup-open-user")] == [evening.viewer.pk]
        assert evening.shown("shutup-open-user")[0]["comment"] == "取消禁言"

    def test_of_who_is_not_muted_does_nothing(self, evening):
        ok(unmute(evening, evening.viewer))
        assert evening.told == []

    def test_and_muting_again_is_told_again(self, evening):
        for deed in (mute, unmute, mute):
            ok(deed(evening, evening.viewer))
        assert len(evening.shown("shutup-user")) == 2
        refused(say(evening), *MUTED)


class TestWhoMayMuteWhom:
    def test_owner_managers_and_operators_mute_viewers(self, evening):
        for phone in (evening.owners, evening.phone(manager(evening)), evening.phone(factories.person(is_staff=True))):
            ok(mute(evening, evening.viewer, phone=phone))
            assert muted_ones(evening) == {evening.viewer.pk}
            ok(unmute(evening, evening.viewer, phone=phone))
            assert muted_ones(evening) == set()

    def test_strangers_viewers_and_managers_of_another_live_do_not(self, evening):
        elsewhere = factories.live()
        other = factories.person()
        factories.inside(evening.live, other)
        for person in (factories.person(), other, manager(evening, elsewhere), elsewhere.owner, evening.viewer):
            phone = evening.phone(person)
            evening.told.clear()
            refused(mute(evening, evening.viewer, phone=phone), *FORBIDDEN)
            assert (muted_ones(evening), evening.told) == (set(), [])

    def test_nor_do_they_take_a_mute_back(self, evening):
        ok(mute(evening, evening.viewer))
        elsewhere = factories.live()
        for person in (factories.person(), evening.viewer, manager(evening, elsewhere), elsewhere.owner):
            phone = evening.phone(person)
            evening.told.clear()
            refused(unmute(evening, evening.viewer, phone=phone), *FORBIDDEN)
            assert (muted_ones(evening), evening.told) == ({evening.viewer.pk}, [])

    def test_nobody_mutes_the_owner(self, evening):
        operator, helper = factories.person(is_staff=True), manager(evening)
        for phone in (evening.owners, evening.phone(operator), evening.phone(helper)):
            refused(mute(evening, evening.owner, phone=phone), *FORBIDDEN)
        assert muted_ones(evening) == set()
        ok(say(evening, phone=evening.owners))

    def test_a_manager_mutes_no_other_manager_and_does_not_free_themselves(self, evening):
        one, other = manager(evening), manager(evening)
        refused(mute(evening, other, phone=evening.phone(one)), *FORBIDDEN)
        assert muted_ones(evening) == set()
        ok(mute(evening, one))  # the owner does
        refused(unmute(evening, one, phone=evening.phone(one)), *FORBIDDEN)
        refused(unmute(evening, one, phone=evening.phone(other)), *FORBIDDEN)
        assert muted_ones(evening) == {one.pk}
        ok(unmute(evening, one, phone=evening.phone(factories.person(is_staff=True))))
        assert muted_ones(evening) == set()

    def test_operators_are_muted_by_nobody(self, evening):
        operator = factories.person(is_staff=True)
        factories.inside(evening.live, operator)
        for phone in (evening.owners, evening.phone(factories.person(is_staff=True))):
            refused(mute(evening, operator, phone=phone), *FORBIDDEN)
        assert muted_ones(evening) == set()

    def test_a_manager_who_is_out_of_the_room_is_none_until_they_are_back(self, evening):
        """Kicked out, blocked, or gone home: the right is for who is there."""
        helper = manager(evening)
        phone = evening.phone(helper)
        ok(phone.post("live/quit-live", liveId=evening.live.pk))
        evening.told.clear()
        refused(mute(evening, evening.viewer, phone=phone), *FORBIDDEN)
        refused(asked(evening, evening.viewer, phone=phone), *FORBIDDEN)
        assert (muted_ones(evening), evening.told) == (set(), [])
        ok(phone.post("live/join-live", liveId=evening.live.pk))
        ok(mute(evening, evening.viewer, phone=phone))

    def test_a_dismissed_manager_mutes_nobody(self, evening):
        helper = manager(evening)
        ok(evening.owners.post("live/livemgr", liveId=evening.live.pk, userId=helper.pk, type=0))
        refused(mute(evening, evening.viewer, phone=evening.phone(helper)), *FORBIDDEN)
        assert muted_ones(evening) == set()


class TestRefusals:
    @pytest.mark.parametrize("call", ["shutupuser", "shutupopen"])
    @pytest.mark.parametrize("status", [2, 3, 4])
    def test_in_a_live_that_is_over_nobody_is_muted_any_more(self, evening, call, status):
        Live.objects.update(status=status)
        refused(evening.owners.post(f"live/{call}", liveId=evening.live.pk, userId=evening.viewer.pk), *NO_LIVE)
        assert (muted_ones(evening), evening.told) == (set(), [])

    def test_before_it_is_on_air_they_are(self, evening):
        Live.objects.update(status=Live.Status.TO_START)
        ok(mute(evening, evening.viewer))

    @pytest.mark.parametrize("call", ["shutupuser", "shutupopen", "isshutup"])
    def test_of_nobody_and_of_no_live(self, evening, call):
        here = {"liveId": evening.live.pk, "userId": evening.viewer.pk}
        post = evening.owners.post
        refused(post(f"live/{call}", **here | {"userId": 5}), 710, "用户不存在")
        refused(post(f"live/{call}", **here | {"userId": ""}), 700, "参数错误")
        refused(post(f"live/{call}", **here | {"userId": "x"}), 700, "参数错误")
        refused(post(f"live/{call}", **here | {"liveId": 5}), *NO_LIVE)
        refused(post(f"live/{call}", **here | {"liveId": "x"}), 700, "参数错误")
        banned = factories.person(is_active=False)
        refused(post(f"live/{call}", **here | {"userId": banned.pk}), 710, "用户不存在")
        assert (Guest.objects.count(), evening.told) == (0, [])


class TestAsking:
    def test_says_1_for_who_is_muted_and_2_for_who_is_not(self, evening):
        assert ok(asked(evening, evening.viewer)) == {"errorcode": 0, "errormsg": "success", "isshutup": 2}
        ok(mute(evening, evening.viewer))
        assert ok(asked(evening, evening.viewer))["isshutup"] == 1
        ok(unmute(evening, evening.viewer))
        assert ok(asked(evening, evening.viewer))["isshutup"] == 2

    def test_is_for_who_may_mute_and_for_oneself(self, evening):
        ok(mute(evening, evening.viewer))
        for person in (manager(evening), factories.person(is_staff=True), evening.viewer):
            assert ok(asked(evening, evening.viewer, phone=evening.phone(person)))["isshutup"] == 1
        elsewhere = factories.live()
        other = factories.person()
        factories.inside(evening.live, other)
        for person in (other, factories.person(), elsewhere.owner, manager(evening, elsewhere)):
            refused(asked(evening, evening.viewer, phone=evening.phone(person)), *FORBIDDEN)


class TestABullet:
    def test_of_who_was_muted_while_it_flew_is_not_charged(self, evening, gifts, monkeypatch):
        """The first look finds them free to speak, the one with the live's row held does not."""
        ok(mute(evening, evening.viewer))
        evening.told.clear()
        seen = bullets.speaker

        def unaware(live_id, user_id):
            place = seen(live_id, user_id)
            place.muted = False
            return place

        monkeypatch.setattr(bullets, "speaker", unaware)
        refused(fly(evening), *MUTED)
        nothing_happened(evening)

    def test_without_gold_is_refused_for_the_mute_and_not_for_the_gold(self, evening, gifts):
        poor = factories.person()
        factories.inside(evening.live, poor)
        ok(mute(evening, poor))
        refused(fly(evening, phone=evening.phone(poor)), *MUTED)

    def test_that_was_charged_before_the_mute_gets_its_first_answer_again(self, evening, gifts):
        first = ok(fly(evening))
        ok(mute(evening, evening.viewer))
        assert fly(evening) == first
        assert (ledger.balances(evening.viewer.pk).gold, len(evening.shown("barrage"))) == (99, 1)
        refused(fly(evening, "另一条"), *MUTED)
        assert ledger.balances(evening.viewer.pk).gold == 99
        assert list(breaches()) == []


class TestAFloodedRoom:
    @pytest.fixture
    def flooded(self, evening, settings):
        settings.ROOM_TEXTS_OF_ALL = "3/10 seconds"
        for number in range(3):
            ok(say(evening, f"第{number}句"))
        evening.told.clear()

    def test_hears_nobody_but_owner_managers_and_operators(self, evening, flooded):
        operator = factories.person(is_staff=True)
        factories.inside(evening.live, operator)
        helper = manager(evening)
        refused(say(evening, "再来"), 429, "操作太频繁")
        other = factories.person()
        factories.inside(evening.live, other)
        refused(say(evening, "我呢", phone=evening.phone(other)), 429, "操作太频繁")
        assert evening.shown("text") == []
        for person in (evening.owner, operator, helper):
            ok(say(evening, f"安静 {person.pk}", phone=evening.phone(person)))
        assert len(evening.shown("text")) == 3

    def test_does_not_keep_another_one_from_talking(self, evening, flooded):
        other = factories.live()
        factories.inside(other, evening.viewer)
        ok(say(evening, roomId=other.pk, liveId=other.pk))

    def test_lets_everything_but_texts_through(self, evening, gifts, flooded):
        ok(fly(evening))
        ok(evening.viewers.post("live/live-like", liveId=evening.live.pk, type=1))

    def test_is_not_made_by_who_is_outside_or_muted(self, evening, settings):
        """Else a few accounts would silence any room for 10 s at a time."""
        settings.ROOM_TEXTS_OF_ALL = "3/10 seconds"
        loud = factories.person()
        factories.inside(evening.live, loud)
        ok(mute(evening, loud))
        phones = [evening.phone(loud), evening.phone(factories.person())]
        for number in range(5):
            refused(say(evening, f"吵{number}", phone=phones[0]), *MUTED)
            refused(say(evening, f"吵{number}", phone=phones[1]), 506, "您不在该队伍")
        ok(say(evening))

    def test_needs_redis_and_without_it_everybody_talks(self, evening, settings):
        settings.ROOM_TEXTS_OF_ALL = "1/10 seconds"
        settings.RATE_LIMITS_URL = "redis://127.0.0.1:1/0"
        throttles._limiter.cache_clear()
        try:
            for number in range(3):
                ok(say(evening, f"第{number}句"))
        finally:
            throttles._limiter.cache_clear()
        assert len(evening.shown("text")) == 3

    def test_is_more_than_a_busy_evening(self):
        per_person, of_all = (int(rate.split("/")[0]) for rate in (settings.ROOM_TEXTS, settings.ROOM_TEXTS_OF_ALL))
        assert of_all >= 5 * per_person
