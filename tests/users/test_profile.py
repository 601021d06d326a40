"""`user/update`: D16, D19."""

from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from payment import ledger
from payment.models import Currency, Transfer
from payment.reconciliation import breaches
from tests import factories
from tests.answers import ok, refused
from tests.uploads import samples
from tests.uploads.conftest import disk as disk  # a fixture
from users import ages
from users.models import User
from users.services import profile, words

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def blocked_words(db):
    words.seed()


@pytest.fixture
def update(api):
    """One update of a complete profile, changed by what is given."""

    def updated(user, version="2.0.0", **changes):
        said = {"displayName": user.display_name, "gender": user.gender, "birthDay": "1990-01-01"} | changes
        return api(user, version=version).post("user/update", **said)

    return updated


def stored(user):
    user.refresh_from_db()
    return user


def years_ago(years, **more):
    today = timezone.localdate()
    day = 28 if (today.month, today.day) == (2, 29) else today.day
    return today.replace(year=today.year - years, day=day) + timedelta(**more)


class TestStoring:
    def test_a_registration(self, api):
        user = factories.person(display_name="", gender="Unspecified", birthday=None)
        phone = api(user, version="1.1.2")
        answer = ok(phone.post("user/update", displayName="阿嘿", gender="Male", birthDay="1995-03-02"))
        assert answer == {"errorcode": 0, "errormsg": "success", "userId": user.pk}
        stored(user)
        assert (user.display_name, user.gender, user.birthday) == ("阿嘿", "Male", date(1995, 3, 2))
        assert user.profile_complete

    def test_everything_that_can_be_said(self, update, api):
        user = factories.person("阿嘿")
        ok(update(user, gender="Male", birthDay="1991-02-03", address="长沙", latlng="28.2|112.9", description="你好"))
        card = ok(api(user).get("user/info"))["result"]
        assert (card["gender"], card["birthDay"], card["address"], card["description"]) == (
            "Male", "1991-02-03", "长沙", "你好")  # fmt: skip
        assert stored(user).latlng == "28.2|112.9"

    def test_the_empty_place_the_shipped_app_always_sends_is_no_place(self, update):
        user = factories.person(address="长沙", latlng="1,2")
        ok(update(user, version="1.1.2", address="", latlng=""))
        stored(user)
        assert (user.address, user.latlng) == ("长沙", "1,2")

    def test_what_is_not_said_stays(self, update):
        user = factories.person(description="旧", address="长沙", latlng="1,2")
        ok(update(user))
        stored(user)
        assert (user.description, user.address, user.latlng) == ("旧", "长沙", "1,2")

    def test_the_raw_body_of_the_shipped_app(self, api):
        """B7: no encoding at all."""
        user = factories.person("阿嘿")
        phone = api(user, version="1.1.2")
        body = f"token={phone.token}&displayName=阿嘿&description=100% a+b %41&gender=Male&birthDay=1990-01-01"
        ok(phone.raw("user/update", body.encode()))
        assert stored(user).description == "100% a+b %41"

    def test_phones_see_that_a_profile_is_newer(self, update, api):
        user = factories.person()
        User.objects.update(modified_at=timezone.now() - timedelta(days=1))
        before = ok(api(user).get("user/info"))["result"]["lastModified"]
        ok(update(user, description="新"))
        assert ok(api(user).get("user/info"))["result"]["lastModified"] - before in range(86_399, 86_500)

    @pytest.mark.parametrize(
        "wrong", [{"gender": ""}, {"gender": "male"}, {"gender": "Both"}, {"description": "x" * 256},
                  {"address": "x" * 65}, {"displayName": "x" * 256}, {"description": "a\0b"}]
    )  # fmt: skip
    def test_wrong_parameters_change_nothing(self, update, wrong):
        user = factories.person("阿嘿", description="旧")
        refused(update(user, **({"description": "新"} | wrong)), 700, "参数错误")
        assert (stored(user).description, user.gender, user.display_name) == ("旧", "Female", "阿嘿")

    @pytest.mark.parametrize("missing", ["displayName", "gender", "birthDay"])
    def test_name_gender_and_birthday_are_always_needed(self, api, missing):
        said = {"displayName": "阿嘿", "gender": "Male", "birthDay": "1990-01-01", "description": "新"}
        del said[missing]
        user = factories.person("阿嘿", description="旧")
        refused(api(user).post("user/update", **said), 700, "参数错误")
        assert stored(user).description == "旧"


class TestDescription:
    def test_the_1_1_app_does_not_wipe_it_at_every_start(self, update):
        """B66"""
        user = factories.person(description="旧")
        ok(update(user, version="1.1.2", description=""))
        assert stored(user).description == "旧"

    def test_the_1_1_app_changes_it(self, update):
        user = factories.person(description="旧")
        ok(update(user, version="1.1.2", description="新"))
        assert stored(user).description == "新"

    @pytest.mark.parametrize("version", ["1.2.0", "1.5.0", "2.0.0", "1.10"])
    def test_newer_clients_clear_it(self, update, version):
        user = factories.person(description="旧")
        ok(update(user, version=version, description=""))
        assert stored(user).description == ""

    def test_a_client_that_never_said_its_version_is_a_new_one(self, api):
        user = factories.person("阿嘿", description="旧")
        ok(api(user).post("user/update", displayName="阿嘿", gender="Male", birthDay="1990-01-01", description=""))
        assert stored(user).description == ""

    def test_the_1_1_app_is_recognised_by_what_it_said_at_init(self, api):
        """Its synchronous calls send no headers."""
        user = factories.person("阿嘿", description="旧")
        phone = api(user)
        ok(phone.get("init", ap="heihei", version="1.1.2"))
        ok(phone.post("user/update", displayName="阿嘿", gender="Male", birthDay="1990-01-01", description=""))
        assert stored(user).description == "旧"


class TestNames:
    @pytest.mark.parametrize("name", ["a", "x" * 16, "黑" * 8, "黑黑abc", "a b", "😀" * 8, "O'Brien", "100%_"])
    def test_that_are_fine(self, update, name):
        user = factories.person("旧")
        ok(update(user, displayName=name))
        assert stored(user).display_name == name

    @pytest.mark.parametrize("name", ["x" * 17, "黑" * 8 + "a", "黑" * 9, "😀" * 9])
    def test_longer_than_sixteen_bytes_of_the_phone(self, update, name):
        user = factories.person("旧")
        refused(update(user, displayName=name, description="新"), 447, "名字太长")
        assert (stored(user).display_name, user.description, user.rename_count) == ("旧", "", 0)

    @pytest.mark.parametrize(
        "name",
        ["", "   ", "a\nb", "a\tb", "a\x7fb", "\u202eabc", "a\u200bb", "a\u2028b", "\u3164", "\u2800", "a\u3164b",
         "\u0301", "\ufe0f", "\ufe0f\u200d", "黑黑官方", "客服01", "管理员"],
    )  # fmt: skip
    def test_that_are_not_legal(self, update, name):
        user = factories.person("旧")
        refused(update(user, displayName=name, description="新"), 445, "非法的名称")
        assert (stored(user).display_name, user.description, user.rename_count) == ("旧", "", 0)

    def test_a_registration_without_a_name_is_not_legal_either(self, update):
        user = factories.person(display_name="", gender="Unspecified")
        refused(update(user, displayName="", gender="Male"), 445, "非法的名称")
        assert stored(user).gender == "Unspecified"

    @pytest.mark.parametrize(
        "name",
        ["xADMINx", "ａｄＭｉｎ", "a d m i n", "a-d_m.i n", "官　方", "官·方号", "Ａ官 方",
         "官\ufe0f方", "官\u0301方", "官\u20dd方", "a\u0336d\u0336min"],
    )  # fmt: skip
    def test_blocked_words_are_found_however_they_are_written(self, update, name):
        words.add(["Admin"])
        user = factories.person("旧")
        refused(update(user, displayName=name, description="新"), 445, "非法的名称")
        assert (stored(user).display_name, user.description, user.rename_count) == ("旧", "", 0)

    @pytest.mark.parametrize("name", ["adm1n", "方官", "官小方", "adm"])
    def test_what_only_looks_a_little_like_one_is_fine(self, update, name):
        words.add(["Admin"])
        user = factories.person("旧")
        ok(update(user, displayName=name))
        assert stored(user).display_name == name

    def test_who_has_an_old_illegal_name_may_keep_it(self, update):
        user = factories.person("官方的老用户")
        ok(update(user, description="新"))
        assert stored(user).description == "新"

    def test_spaces_around_are_not_part_of_it(self, update):
        user = factories.person("阿嘿")
        ok(update(user, displayName=" 阿嘿 "))
        assert (stored(user).display_name, user.rename_count) == ("阿嘿", 0)

    def test_an_emoji_of_several_is_no_control_character(self, update):
        user = factories.person("阿嘿")
        ok(update(user, displayName="\U0001f468\u200d\U0001f467"))
        assert stored(user).display_name == "\U0001f468\u200d\U0001f467"

    def test_the_mark_that_makes_an_emoji_of_a_sign_is_none_either(self, update):
        user = factories.person("阿嘿")
        ok(update(user, displayName="❤\ufe0f"))
        assert stored(user).display_name == "❤\ufe0f"

    def test_joiners_alone_are_an_empty_name(self, update):
        user = factories.person("阿嘿")
        refused(update(user, displayName="\u200d\u200d"), 445, "非法的名称")
        assert stored(user).display_name == "阿嘿"


class TestRenaming:
    def test_the_first_is_free(self, update, api):
        user = factories.person("一")
        assert ok(api(user).get("user/info"))["result"]["modifyText"] == "(本次改名免费，下次修改费用10钻)"
        ok(update(user, displayName="二"))
        assert (stored(user).display_name, user.rename_count) == ("二", 1)
        assert Transfer.objects.count() == 0
        card = ok(api(user).get("user/info"))["result"]
        assert (card["modifyCount"], card["modifyText"]) == (1, "(本次改名费用10钻)")

    def test_the_name_of_the_registration_is_not_the_free_one(self, update):
        user = factories.person(display_name="")
        ok(update(user, displayName="一"))
        assert stored(user).rename_count == 0
        ok(update(user, displayName="二"))
        assert (stored(user).display_name, user.rename_count) == ("二", 1)
        assert Transfer.objects.count() == 0

    def test_the_second_costs_ten_gold(self, update, api):
        user = factories.person("一", gold=25, rename_count=1)
        ok(update(user, displayName="二"))
        assert (stored(user).display_name, user.rename_count) == ("二", 2)
        assert ledger.balances(user.pk) == (15, 0)
        ok(update(user, displayName="三"))
        assert ledger.balances(user.pk) == (5, 0)
        assert list(breaches()) == []

    def test_without_the_gold_nothing_of_the_update_happens(self, update):
        user = factories.person("一", gold=9, rename_count=1, description="旧")
        refused(update(user, displayName="二", gender="Male", description="新", birthDay="1991-01-01"), 740, "余额不足")
        stored(user)
        assert (user.display_name, user.rename_count, user.description, user.gender, user.birthday) == (
            "一", 1, "旧", "Female", date(1990, 1, 1))  # fmt: skip
        assert ledger.balances(user.pk) == (9, 0)

    def test_the_same_name_costs_nothing(self, update):
        user = factories.person("一", gold=10, rename_count=1)
        for _ in range(3):
            ok(update(user, displayName="一", description="新"))
        assert (stored(user).rename_count, ledger.balances(user.pk).gold) == (1, 10)

    def test_a_phone_that_sends_it_three_times_pays_once(self, update):
        user = factories.person("一", gold=100, rename_count=1)
        for _ in range(3):
            ok(update(user, displayName="二"))
        assert (stored(user).rename_count, ledger.balances(user.pk).gold) == (2, 90)

    def test_a_wrong_birthday_takes_no_gold(self, update):
        user = factories.person("一", gold=10, rename_count=1)
        refused(update(user, displayName="二", birthDay="2999-01-01"), 501, "未成年人禁止直播！")
        assert (stored(user).display_name, ledger.balances(user.pk).gold) == ("一", 10)

    def test_an_illegal_name_takes_no_gold(self, update):
        user = factories.person("一", gold=10, rename_count=1)
        refused(update(user, displayName="官方"), 445, "非法的名称")
        assert ledger.balances(user.pk).gold == 10

    def test_two_people_may_have_one_name(self, update):
        factories.person("二")
        ok(update(factories.person("一"), displayName="二"))

    def test_phones_that_differ_in_case_or_width_rename_all_the_same(self, update):
        """Only the very same name is no renaming."""
        user = factories.person("abc", gold=10, rename_count=1)
        ok(update(user, displayName="Abc"))
        assert (stored(user).display_name, user.rename_count, ledger.balances(user.pk).gold) == ("Abc", 2, 0)


class TestAvatar:
    """An uploaded picture, named by the `sign` that its upload was given (D38). More of uploads: tests/uploads."""

    @pytest.fixture
    def upload(self, api, disk):
        def uploaded(user, content=None, format="jpg"):
            file = ok(api(user).post("sys/oss-token", format=format, module="avator"))["FileInfo"]
            address = urlsplit(file["uploadUrl"])
            content = samples.picture() if content is None else content
            assert Client().put(f"{address.path}?{address.query}", content).status_code == 200
            return file["sign"]

        return uploaded

    def test_a_picture_of_ones_own_becomes_it(self, update, api, upload, django_capture_on_commit_callbacks):
        user = factories.person()
        sign = upload(user)
        with django_capture_on_commit_callbacks(execute=True):
            ok(update(user, sign=sign))
        address = ok(api(user).get("user/info"))["result"]["coverUrl"]
        assert address == stored(user).cover_url
        picture = Client().get(urlsplit(address).path)
        assert (picture.status_code, picture["Content-Type"]) == (200, "image/jpeg")
        ok(update(user))
        assert stored(user).cover_url == address

    def test_a_phone_that_says_it_again_has_the_same_avatar(self, update, upload):
        user = factories.person()
        sign = upload(user)
        ok(update(user, sign=sign))
        first = stored(user).cover_url
        ok(update(user, sign=sign))
        assert first and stored(user).cover_url == first

    def test_anothers_picture_changes_nothing_and_costs_nothing(self, update, upload):
        user = factories.person("一", gold=10, rename_count=1, description="旧")
        sign = upload(factories.person())
        refused(update(user, displayName="二", description="新", sign=sign), 102, "文件验证失败")
        assert (stored(user).display_name, user.description, user.cover_url) == ("一", "旧", "")
        assert ledger.balances(user.pk).gold == 10

    def test_a_refused_update_leaves_the_picture_for_the_next(self, update, upload):
        user = factories.person("一", rename_count=1)
        sign = upload(user)
        refused(update(user, displayName="二", sign=sign), 740, "余额不足")
        assert stored(user).cover_url == ""
        ok(update(user, sign=sign))
        assert stored(user).cover_url != ""

    def test_what_turns_out_to_be_no_picture_is_taken_down_and_its_owner_told(
        self, update, upload, told, django_capture_on_commit_callbacks
    ):
        user = factories.person()
        sign = upload(user, b"\xff\xd8\xff\xe0" + b"nothing to see" * 50)
        with django_capture_on_commit_callbacks(execute=True):
            ok(update(user, sign=sign))
        assert stored(user).cover_url == ""
        tips = [message for message in told if message.get("action") == "show-tip"]
        assert [(tip["person"], tip["message"]["title"]) for tip in tips] == [(user.pk, "头像未能更新")]

    def test_what_a_sign_nobody_gave_says_is_no_picture(self, update):
        user = factories.person(description="旧")
        refused(update(user, description="新", sign="x"), 102, "文件验证失败")
        assert stored(user).description == "旧"

    def test_an_empty_sign_says_nothing(self, update):
        user = factories.person(cover_url="https://cdn.example.com/old.jpg")
        ok(update(user, sign=""))
        assert stored(user).cover_url == "https://cdn.example.com/old.jpg"


class TestSwitches:
    def test_pushes_are_on_until_they_are_switched_off_and_said_as_text(self, api):
        phone = api(factories.person())
        assert ok(phone.get("user/get-config"))["configuration"]["user"] == {"push_enable": "1"}
        for said, kept in [("0", "0"), ("0", "0"), ("1", "1"), (0, "0")]:
            assert ok(phone.post("user/update-config", push_enable=said)) == {"errorcode": 0, "errormsg": "success"}
            assert ok(phone.get("user/get-config"))["configuration"]["user"] == {"push_enable": kept}
            assert ok(phone.get("user/info"))["result"]["attribute"] == {"push_enable": kept}

    @pytest.mark.parametrize("wrong", ["", "2", "true", "off", "-1", "00"])
    def test_anything_else_switches_nothing(self, api, wrong):
        user = factories.person(push_enable=False)
        refused(api(user).post("user/update-config", push_enable=wrong), 700, "参数错误")
        refused(api(user).post("user/update-config"), 700, "参数错误")
        assert stored(user).push_enable is False

    def test_the_server_says_what_it_goes_by(self, api):
        told = ok(api(factories.person()).get("user/get-config"))["configuration"]["sys"]
        assert told == {"nameBytes": 16, "renameGold": 10, "adultAge": 18, "heartBeat": 15}


class TestPurse:
    def test_says_what_there_is_and_what_points_are_worth(self, api):
        user = factories.person(gold=12, gold_given=7, points_earned=402_290)
        legs = [
            ledger.Leg(ledger.points(user.pk), 402_285),
            ledger.Leg(ledger.house("grants", Currency.POINT), -402_285),
        ]
        ledger.post(key="p", reason="grant", legs=legs)
        assert ok(api(user).get("user/user-gold"))["user"] == {
            "userId": user.pk, "gold": 12, "point": 402_285, "pointWorth": 2_011_425, "allOutlayGold": 7,
            "allEarnPoint": 402_290}  # fmt: skip

    def test_is_empty_at_first(self, api):
        purse = ok(api(factories.person()).get("user/user-gold"))["user"]
        assert (purse["gold"], purse["point"], purse["pointWorth"]) == (0, 0, 0)


class TestBirthdays:
    @pytest.mark.parametrize(
        "wrong",
        ["1990-02-30", "1990-13-01", "0000-00-00", "1990/01/01", "19900101", "01-01-1990", "abc", "1990-01-01x",
         "2999-01-01", "1800-01-01", "0001-01-01", "1990-01-01 00:00:00", "-1990-01-01", "１９９０-01-01x", "9" * 400],
    )  # fmt: skip
    def test_that_are_no_living_persons(self, update, wrong):
        user = factories.person(description="旧")
        refused(update(user, birthDay=wrong, description="新"), 501, "未成年人禁止直播！")
        assert (stored(user).birthday, user.description) == (date(1990, 1, 1), "旧")

    def test_tomorrow_is_refused_and_today_is_stored(self, update):
        user = factories.person(birthday=None)
        refused(update(user, birthDay=str(years_ago(0, days=1))), 501, "未成年人禁止直播！")
        ok(update(user, birthDay=str(years_ago(0))))
        assert stored(user).birthday == years_ago(0)

    def test_a_minors_is_stored_and_answered_0(self, update):
        user = factories.person(birthday=None)
        ok(update(user, birthDay="2015-05-05"))
        assert stored(user).birthday == date(2015, 5, 5)

    def test_an_adults_becomes_a_minors(self, update):
        user = factories.person()
        ok(update(user, birthDay="2015-05-05"))
        assert stored(user).birthday == date(2015, 5, 5)

    def test_a_minors_never_becomes_an_adults_though_the_phone_is_told_0(self, update):
        user = factories.person(birthday=date(2015, 5, 5))
        ok(update(user, birthDay="1990-01-01", description="新"))
        assert (stored(user).birthday, user.description) == (date(2015, 5, 5), "新")

    def test_a_minor_may_become_another_minor(self, update):
        user = factories.person(birthday=date(2015, 5, 5))
        ok(update(user, birthDay="2014-05-05"))
        assert stored(user).birthday == date(2014, 5, 5)

    def test_two_updates_at_once_do_not_make_an_adult_of_a_minor(self):
        """Whoever was read before the other one was stored knows nothing of it."""
        user = factories.person(birthday=None)
        stale = User.objects.get(pk=user.pk)
        profile.update_profile(user=user, profile=profile.Profile(user.display_name, "Male", date(2015, 5, 5)))
        profile.update_profile(user=stale, profile=profile.Profile(user.display_name, "Male", date(1990, 1, 1)))
        assert stored(user).birthday == date(2015, 5, 5)

    @pytest.mark.parametrize(
        ("today", "born", "grown_up"),
        [("2026-02-28", "2008-02-29", False), ("2026-03-01", "2008-02-29", True), ("2028-02-29", "2010-02-28", True),
         ("2028-02-29", "2010-03-01", False), ("2028-02-28", "2010-02-28", True)],
    )  # fmt: skip
    def test_a_leap_day_makes_nobody_older(self, monkeypatch, today, born, grown_up):
        monkeypatch.setattr(timezone, "localdate", lambda: date.fromisoformat(today))
        assert ages.is_minor(date.fromisoformat(born)) is not grown_up

    def test_on_the_eighteenth_birthday_one_is_grown_up(self, update, api):
        nearly, just = factories.person(birthday=years_ago(18, days=1)), factories.person(birthday=years_ago(18))
        refused(api(nearly).post("live/create-live", title="t"), 501, "未成年人禁止直播！")
        ok(api(just).post("live/create-live", title="t"))
        ok(update(just, birthDay="1990-01-01"))
        assert stored(just).birthday == date(1990, 1, 1)
