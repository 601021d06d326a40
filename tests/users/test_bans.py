"""Who is banned, for how long, and what they are told (D5, I9)."""

from datetime import datetime, timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from heihei_site.api.wire import clock
from tests import factories
from tests.answers import ok, refused
from users.auth import forget_expired_sessions
from users.ban_models import Misdeed
from users.models import Ban, BannedToken, Session, User
from users.services import bans
from users.tasks import end_bans, erase_accounts, forget_sessions

pytestmark = pytest.mark.django_db
PHONE = "13912345678"
WEEK = timedelta(days=7)


@pytest.fixture
def her():
    return factories.person("她", phone=PHONE)


@pytest.fixture
def operator():
    return User.objects.create_user("chef", "", "x", is_staff=True)


@pytest.fixture
def sign_in(api, code_for, settings):
    settings.SMS_RESEND_SECONDS = 0
    return lambda: api().post("user/sign-in-cl-by-phone", phoneNo=PHONE, verifyCode=code_for(PHONE))


@pytest.fixture
def by_account(api):
    said = {"accountSource": "Wechat", "accountToken": "dev-o1", "openId": "o1"}
    return lambda: api().post("user/sign-in", **said)


def in_a_week() -> datetime:
    return timezone.now() + WEEK


def time_passes(**by):
    Ban.objects.update(since=F("since") - timedelta(**by), until=F("until") - timedelta(**by))


def is_out(user: User) -> bool:
    user.refresh_from_db()
    return not user.is_active


class TestWhatTheyAreTold:
    def test_is_the_operators_words_and_when_it_is_over(self, sign_in, her):
        until = in_a_week()
        bans.ban(her, reason="第三次刷屏", shown="您因刷屏被封禁", until=until)
        refused(sign_in(), 721, f"您因刷屏被封禁。解封时间：{clock(until)}")

    def test_is_what_the_kind_says_where_operators_say_nothing(self, sign_in, her):
        bans.ban(her, kind=Misdeed.FRAUD)
        refused(sign_in(), 721, "您的账号因发布欺诈或广告信息被封禁。解封时间：永久封禁")

    def test_is_told_who_comes_with_another_account(self, by_account):
        assert ok(by_account())["token"]
        bans.ban(User.objects.get(), shown="违规。")
        refused(by_account(), 721, "违规。解封时间：永久封禁")

    def test_never_holds_what_operators_note_for_themselves(self, sign_in, api, her):
        phone = api(her)
        bans.ban(her, reason="线人举报")
        assert "线人" not in str(sign_in()) + str(phone.get("user/info"))

    def test_an_old_token_tells_it_too(self, api, her):
        phone = api(her)
        bans.ban(her, shown="违规", until=None)
        refused(phone.get("user/info"), 720, "违规。解封时间：永久封禁")
        assert phone.get("init", ap="heihei")["errorcode"] == 0  # where anybody may come it bothers nobody

    def test_is_told_to_nobody_else(self, api, her):
        bans.ban(her, shown="违规")
        refused(api().get("user/info"), 720, "token无效")
        stranger = api()
        stranger.token = "0" * 64
        refused(stranger.get("user/info"), 720, "token无效")

    def test_ends_with_the_ban_though_the_sign_in_does_not_come_back(self, api, her):
        phone = api(her)
        bans.ban(her, shown="违规")
        bans.lift_ban(her)
        refused(phone.get("user/info"), 720, "token无效")
        assert not BannedToken.objects.exists()

    def test_of_who_was_banned_by_hand_there_are_no_words(self, sign_in, her):
        User.objects.update(is_active=False)
        refused(sign_in(), 721, "用户账户异常")
        bans.lift_ban(her)
        ok(sign_in())

    def test_an_old_token_is_kept_no_longer_than_it_would_have_lived(self, api, her, settings):
        phone = api(her)
        bans.ban(her, shown="违规")
        forget_sessions()
        refused(phone.get("user/info"), 720, "违规。解封时间：永久封禁")
        BannedToken.objects.update(created_at=F("created_at") - settings.TOKEN_LIFETIME)
        forget_sessions()
        refused(phone.get("user/info"), 720, "token无效")


class TestTheEnd:
    def test_comes_by_itself(self, sign_in, her, api):
        bans.ban(her, until=in_a_week())
        time_passes(days=6, hours=23)
        assert end_bans() == 0
        assert is_out(her)
        time_passes(hours=2)
        assert end_bans() == 1
        assert not is_out(her)
        ok(api(factories.person()).get("user/info", uid=her.pk))
        ok(sign_in())
        assert end_bans() == 0

    def test_is_not_waited_for(self, sign_in, her):
        """No sweep has been by."""
        bans.ban(her, until=in_a_week())
        time_passes(days=7)
        ok(sign_in())
        assert not is_out(her)
        ban = Ban.objects.get()
        assert (ban.ended_at, ban.lifted_by) == (ban.until, None)

    def test_never_comes_where_it_is_for_ever(self, sign_in, her):
        bans.ban(her)
        time_passes(days=10_000)
        assert end_bans() == 0
        assert sign_in()["errorcode"] == 721

    def test_is_the_later_of_two(self, sign_in, her):
        bans.ban(her, shown="短", until=timezone.now() + timedelta(days=1))
        until = in_a_week()
        bans.ban(her, shown="长", until=until)
        bans.ban(her, shown="又短", until=timezone.now() + timedelta(days=1))
        refused(sign_in(), 721, f"长。解封时间：{clock(until)}")
        time_passes(days=2)
        assert end_bans() == 0  # nobody is let in
        assert Ban.objects.filter(ended_at=None).count() == 1
        assert sign_in()["errorcode"] == 721
        time_passes(days=6)
        ok(sign_in())
        assert Ban.objects.count() == 3

    def test_for_ever_is_later_than_any_day(self, sign_in, her):
        bans.ban(her, shown="永远")
        bans.ban(her, until=in_a_week())
        time_passes(days=8)
        end_bans()
        refused(sign_in(), 721, "永远。解封时间：永久封禁")

    def test_of_a_ban_by_hand_is_not_that_of_a_later_one(self, sign_in, her):
        """As bans were before they had rows."""
        User.objects.filter(pk=her.pk).update(is_active=False)
        bans.ban(her, until=in_a_week())
        time_passes(days=8)
        end_bans()
        assert is_out(her)
        bans.lift_ban(her)
        assert not is_out(her)

    def test_comes_when_an_operator_says_so_and_all_is_noted(self, sign_in, her, operator):
        bans.ban(her, until=in_a_week(), by=operator, reason="骂人")
        bans.ban(her)
        bans.lift_ban(her, by=operator)
        ok(sign_in())
        first, second = Ban.objects.order_by("pk")
        assert (first.by, first.reason, first.lifted_by, second.by, second.lifted_by) == (
            operator, "骂人", operator, None, operator)  # fmt: skip
        assert first.ended_at == second.ended_at > first.since

    def test_lifting_leaves_what_was_over_as_it_was(self, her, operator):
        bans.ban(her, until=in_a_week())
        time_passes(days=8)
        end_bans()
        bans.lift_ban(her, by=operator)
        assert Ban.objects.get().lifted_by is None

    def test_of_one_that_fails_keeps_no_other(self, monkeypatch):
        people = [factories.person() for _ in range(3)]
        for person in people:
            bans.ban(person, until=in_a_week())
        time_passes(days=7)
        look = bans._look_again

        def fails(user_id):
            if user_id == people[0].pk:
                raise RuntimeError
            return look(user_id)

        monkeypatch.setattr(bans, "_look_again", fails)
        assert end_bans() == 2
        assert [is_out(person) for person in people] == [True, False, False]


class TestWhoLeftForGood:
    @pytest.fixture
    def gone(self, her, api):
        api(her)
        bans.ban(her, reason="骗子阿嘿", shown="您骗人", until=in_a_week())
        User.objects.update(deletion_due_at=timezone.now() - timedelta(days=1))
        return her

    def test_does_not_come_back_when_a_ban_is_over(self, gone):
        time_passes(days=8)
        assert end_bans() == 0
        assert is_out(gone)

    def test_leaves_when_it_was_and_nothing_said(self, gone):
        assert erase_accounts() == 1
        ban = Ban.objects.get()
        assert (ban.reason, ban.shown, ban.until is not None) == ("", "", True)
        assert not BannedToken.objects.exists()


def test_a_ban_ends_the_sign_ins_of_one_person(api, her):
    api(her)
    other = api(factories.person())
    bans.ban(her)
    assert Session.objects.count() == 1
    ok(other.get("user/info"))
    assert forget_expired_sessions() == 0
