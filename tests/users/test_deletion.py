"""Leaving for good: asked for, taken back, carried out."""

from datetime import date, timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from heihei_site.realtime.models import Message, StreamKind
from live.models import Live, Member
from messages.models import InstantMessage
from payment.models import Entry
from payment.reconciliation import breaches
from tests import factories
from tests.answers import BANNED, ok, refused
from tests.races.crowd import at_once, codes
from users import erasure
from users.models import Block, DataExport, Device, Follow, Identity, PhoneCode, Report, Session, User
from users.services import bans, deletion, relations
from users.tasks import erase_accounts

pytestmark = pytest.mark.django_db
PHONE = "13912345678"


@pytest.fixture
def code(code_for, settings):
    """Codes for the phone as often as one likes."""
    settings.SMS_RESEND_SECONDS = 0
    return lambda: code_for(PHONE)


@pytest.fixture
def leaver():
    return factories.person("阿嘿", phone=PHONE, gold=70, birthday=date(1995, 3, 2), description="你好", address="北京")


@pytest.fixture
def leave(api, leaver, code):
    def left():
        return ok(api(leaver).post("user/delete-account", verifyCode=code()))

    return left


def come_back(api, code):
    return api().post("user/sign-in-cl-by-phone", phoneNo=PHONE, verifyCode=code())


def days_pass(days):
    User.objects.exclude(deletion_due_at=None).update(deletion_due_at=F("deletion_due_at") - timedelta(days=days))


class TestAskingForIt:
    def test_says_when_it_is_final(self, leave, leaver):
        answer = leave()
        leaver.refresh_from_db()
        in_15_days = timezone.now() + timedelta(days=15)
        assert abs(leaver.deletion_due_at - in_15_days) < timedelta(minutes=1)
        shanghai = timezone.localtime(leaver.deletion_due_at)
        assert answer["deletionTime"] == f"{shanghai:%Y-%m-%d %H:%M:%S}"

    def test_signs_out_everywhere(self, api, leaver, code, settings):
        settings.SINGLE_DEVICE_SIGN_IN = False
        one, other = api(leaver), api(leaver)
        ok(one.post("user/push-device-info", apnsType="getui", apnsToken="c1"))
        ok(one.post("user/delete-account", verifyCode=code()))
        for phone in (one, other):
            refused(phone.get("user/info"), 720, "token无效")
        assert (Session.objects.count(), Device.objects.count()) == (0, 0)

    def test_makes_them_unknown_to_others_and_changes_nothing_else(self, api, leave, leaver):
        other = factories.person()
        relations.follow(user=other, target=leaver)
        leave()
        phone = api(other)
        for path, name in (
            ("user/info", "uid"),
            ("user/follow", "userId"),
            ("user/block-user", "userId"),
            ("live/list-live-by-user", "userId"),
        ):
            refused(phone.post(path, **{name: leaver.pk}), 710, "用户不存在")
        leaver.refresh_from_db()
        assert (leaver.display_name, leaver.phone, leaver.is_active) == ("阿嘿", PHONE, True)
        assert Follow.objects.count() == 1

    def test_ends_what_they_broadcast_and_takes_them_out_of_rooms(self, leave, leaver):
        own, visited = factories.live(leaver), factories.live()
        factories.inside(visited, leaver)
        leave()
        own.refresh_from_db()
        visited.refresh_from_db()
        assert (own.status, visited.occupied) == (Live.Status.STOPPED, 1)

    @pytest.mark.parametrize("wrong", ["", "000000", "x"])
    def test_without_the_code_deletes_nothing(self, api, leaver, code, wrong):
        code()
        phone = api(leaver)
        refused(phone.post("user/delete-account", verifyCode=wrong), 401, "验证码错误")
        leaver.refresh_from_db()
        assert leaver.deletion_due_at is None
        ok(phone.get("user/info"))

    def test_takes_a_code_of_the_own_phone(self, api, leaver, code_for):
        phone, code = api(leaver), code_for("13800000001")
        said = {"verifyCode": code, "phoneNo": "13800000001", "phone": "13800000001"}
        refused(phone.post("user/delete-account", **said), 401, "验证码错误")
        ok(phone.get("user/info"))

    def test_five_tries_are_five_here_too(self, api, leaver, code):
        phone, right = api(leaver), code()
        for _ in range(5):
            refused(phone.post("user/delete-account", verifyCode="000000"), 401, "验证码错误")
        refused(phone.post("user/delete-account", verifyCode=right), 401, "验证码错误")

    def test_without_a_phone_takes_a_fresh_sign_in(self, api):
        phone = api(factories.person(phone=None))
        Session.objects.update(created_at=F("created_at") - timedelta(minutes=11))
        refused(phone.post("user/delete-account"), 711, "请重新登录后再试")
        ok(phone.get("user/info"))
        Session.objects.update(created_at=timezone.now() - timedelta(minutes=9))
        ok(phone.post("user/delete-account"))

    def test_is_not_for_staff(self, api, leaver, code):
        User.objects.filter(pk=leaver.pk).update(is_staff=True, username="chef")
        leaver.refresh_from_db()
        refused(api(leaver).post("user/delete-account", verifyCode=code()), 711, "用户权限不足")
        leaver.refresh_from_db()
        assert leaver.deletion_due_at is None

    def test_is_not_for_nobody(self, api):
        refused(api().post("user/delete-account", verifyCode="123456"), 720, "token无效")

    def test_the_code_of_the_deletion_does_not_undo_it(self, api, leaver, code):
        """The app's automatic retry must not sign in what was just deleted."""
        said = code()
        ok(api(leaver).post("user/delete-account", verifyCode=said))
        refused(api().post("user/sign-in-cl-by-phone", phoneNo=PHONE, verifyCode=said), 401, "验证码错误")


class TestChangingOnesMind:
    def test_coming_back_within_15_days_undoes_it(self, api, leave, leaver, code):
        leave()
        days_pass(14)
        erase_accounts()
        answer = ok(come_back(api, code))
        assert (answer["deletionCancelled"], answer["userInfo"]["id"]) == (True, leaver.pk)
        assert answer["userInfo"]["displayName"] == "阿嘿"
        assert answer["userInfo"]["goldCount"] == 70
        ok(api(factories.person()).get("user/info", uid=leaver.pk))
        assert ok(come_back(api, code))["deletionCancelled"] is False
        days_pass(30)
        assert erase_accounts() == 0

    def test_by_another_way_of_signing_in(self, api):
        account = {"accountSource": "Wechat", "accountToken": "dev-o1", "openId": "o1"}
        first = ok(api().post("user/sign-in", **account))
        ok(api(token=first["token"]).post("user/delete-account"))
        again = ok(api().post("user/sign-in", **account))
        assert (again["deletionCancelled"], again["userInfo"]["id"]) == (True, first["userInfo"]["id"])

    def test_a_ban_is_not_undone_with_it(self, api, leave, leaver, code):
        leave()
        bans.ban(leaver)
        refused(come_back(api, code), 721, BANNED)
        leaver.refresh_from_db()
        assert leaver.deletion_due_at is not None

    @pytest.mark.parametrize("swept", [True, False])
    def test_coming_back_later_is_a_newcomer(self, api, leave, leaver, code, swept):
        """Whether or not the job has come by."""
        leave()
        days_pass(15)
        if swept:
            erase_accounts()
        answer = ok(come_back(api, code))
        assert answer["userInfo"]["id"] != leaver.pk
        assert (answer["deletionCancelled"], answer["needRegist"], answer["userInfo"]["goldCount"]) == (False, True, 0)
        leaver.refresh_from_db()
        assert (leaver.phone, leaver.display_name) == (None, "已注销用户")

    def test_coming_back_later_with_an_account_elsewhere_is_a_newcomer_too(self, api):
        account = {"accountSource": "Wechat", "accountToken": "dev-o1", "openId": "o1", "unionId": "u1"}
        first = ok(api().post("user/sign-in", **account))
        ok(api(token=first["token"]).post("user/delete-account"))
        days_pass(15)
        again = ok(api().post("user/sign-in", **account))
        assert again["userInfo"]["id"] != first["userInfo"]["id"]
        assert Identity.objects.get().user_id == again["userInfo"]["id"]

    def test_the_number_may_be_bound_by_somebody_else_then(self, api, leave, leaver, code):
        leave()
        other = factories.person(phone=None)
        refused(api(other).post("user/bind-phone", phone=PHONE, verifyCode=code()), 403, "手机号已被其他账户绑定")
        days_pass(15)
        ok(api(other).post("user/bind-phone", phone=PHONE, verifyCode=code()))
        other.refresh_from_db()
        assert other.phone == PHONE


class TestBeingErased:
    @pytest.fixture
    def life(self, api, leaver, leave):
        """Somebody who did about everything, with somebody else, and left."""
        other = factories.person("别人", gold=10)
        mine, theirs = api(leaver), api(other)
        for phone, target in ((mine, other), (theirs, leaver)):
            ok(phone.post("user/follow", userId=target.pk))
            ok(
                phone.post(
                    "msg/send-msg", toUserId=target.pk, msgType="text", content='{"text": "秘密"}', version="2.0"
                )
            )
        ok(mine.post("user/unblock-user", userId=other.pk, reportType=1))
        ok(theirs.post("user/unblock-user", userId=leaver.pk, reportType=2))
        Report.objects.filter(target=leaver).update(handled=True)
        Identity.objects.create(user=leaver, source="Wechat", open_id="o1")
        factories.live(
            leaver, status=Live.Status.STOPPED, title="我的家", address="北京", lookback_addr="http://x/1.mp4"
        )
        ended = factories.live(status=Live.Status.STOPPED)
        Member.objects.create(live=ended, user=leaver, lease_until=timezone.now(), left_at=timezone.now())
        ok(mine.post("user/export-data"))
        leave()
        days_pass(15)
        return other

    def test_nothing_says_who_they_were(self, life, leaver):
        assert erase_accounts() == 1
        row = User.objects.values().get(pk=leaver.pk)
        text = str(row)
        for word in ("阿嘿", PHONE, "1995", "你好", "北京"):
            assert word not in text
        assert (row["display_name"], row["is_active"], row["gender"]) == ("已注销用户", False, "Unspecified")
        assert row["erased_at"] is not None
        for model in (Identity, Device, Session, DataExport):
            assert not model.objects.filter(user=leaver).exists()
        assert not PhoneCode.objects.filter(pk=PHONE).exists()
        assert not Message.objects.filter(kind=StreamKind.PERSON, owner_id=leaver.pk).exists()

    def test_what_they_wrote_is_empty_and_what_others_wrote_is_theirs(self, life, leaver):
        erase_accounts()
        said = dict(InstantMessage.objects.values_list("sender_id", "content"))
        assert said == {leaver.pk: {}, life.pk: {"text": "秘密"}}

    def test_their_lives_are_numbers(self, life, leaver):
        erase_accounts()
        live = Live.objects.get(owner=leaver)
        assert (live.title, live.address, live.lookback_addr) == ("", "", "")
        assert not Member.objects.filter(user=leaver).exists()

    def test_nobody_counts_them_any_more(self, life, leaver):
        erase_accounts()
        life.refresh_from_db()
        assert (life.follower_count, life.following_count) == (0, 0)
        assert not Follow.objects.exists() and not Block.objects.exists()

    def test_what_they_reported_stays_as_evidence_under_an_id(self, life, leaver):
        before = Report.objects.get(reporter=leaver).evidence
        erase_accounts()
        assert Report.objects.get(reporter=leaver).evidence == before != {}
        assert Report.objects.get(target=leaver).evidence == {}

    def test_the_ledger_stays_and_is_sound(self, life, leaver):
        before = list(Entry.objects.order_by("pk").values())
        erase_accounts()
        assert list(Entry.objects.order_by("pk").values()) == before
        assert Entry.objects.filter(account__owner=leaver).exists()
        assert list(breaches()) == []

    def test_they_are_unknown_for_good(self, api, life, leaver):
        erase_accounts()
        bans.lift_ban(leaver)  # an operator's slip brings nobody back
        refused(api(life).get("user/info", uid=leaver.pk), 710, "用户不存在")

    def test_a_second_time_there_is_nothing_left(self, life):
        assert erase_accounts() == 1
        assert erase_accounts() == 0

    def test_a_job_that_dies_in_the_middle_is_finished_by_the_next(self, life, leaver, monkeypatch):
        class Killed(BaseException):
            pass

        def dies(_):
            raise Killed

        with monkeypatch.context() as patch:
            patch.setitem(erasure._registered, "live", erasure.Holding("live", erase=dies, export=lambda _: {}))
            with pytest.raises(Killed):
                deletion.erase_due(timezone.now())
        leaver.refresh_from_db()
        assert leaver.erased_at is None
        assert erase_accounts() == 1
        assert Live.objects.get(owner=leaver).title == ""

    def test_one_whose_data_resists_does_not_keep_the_others(self, api, life, leaver, monkeypatch):
        second = factories.person(phone=None)
        ok(api(second).post("user/delete-account"))
        days_pass(15)

        def resists(user_id):
            if user_id == leaver.pk:
                raise ValueError

        patched = erasure.Holding("stubborn", erase=resists, export=lambda _: {})
        monkeypatch.setitem(erasure._registered, "stubborn", patched)
        monkeypatch.setattr(deletion, "AT_ONCE", 1)  # as if a whole run's worth resisted
        assert erase_accounts() == 1
        assert set(User.objects.exclude(erased_at=None)) == {second}

    def test_who_is_not_due_is_left_alone(self, leave, leaver):
        leave()
        days_pass(14)
        assert erase_accounts() == 0
        leaver.refresh_from_db()
        assert leaver.display_name == "阿嘿"


@pytest.mark.django_db(transaction=True)
def test_the_sockets_of_who_leaves_are_closed(told, leaver, code, api):
    phone = api(leaver)
    session = Session.objects.get().pk
    refused(phone.post("user/delete-account"), 401, "验证码错误")
    assert told == []
    ok(phone.post("user/delete-account", verifyCode=code()))
    assert told == [{"do": "end", "sessions": [session]}]


@pytest.mark.django_db(transaction=True)
def test_coming_back_while_the_job_is_at_it_is_one_newcomer(api):
    """Sign-ins and two workers at the same moment, several times over."""
    account = {"accountSource": "Wechat", "accountToken": "dev-o1", "openId": "o1", "unionId": "u1"}
    for _ in range(5):
        gone = ok(api().post("user/sign-in", **account))
        ok(api(token=gone["token"]).post("user/delete-account"))
        days_pass(15)
        deeds = [erase_accounts, erase_accounts, *[lambda: api().post("user/sign-in", **account)] * 4]
        answers = [answer for answer in at_once(deeds) if isinstance(answer, dict)]
        assert codes(answers) == {0: 4}
        newcomers = {answer["userInfo"]["id"] for answer in answers}
        assert len(newcomers) == 1 and gone["userInfo"]["id"] not in newcomers
        assert Identity.objects.get().user_id in newcomers
    erase_accounts()
    assert User.objects.exclude(erased_at=None).count() == 5
