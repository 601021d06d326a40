"""People, their accounts and what there is without a room: `init`, `user/*`, `sms/*`, `sys/*`, `social/*`."""

import pytest
from django.utils import timezone

from heihei_site.system.models import AppVersion, Banner
from payment.services import purchases
from tests import factories
from tests.scenarios.lives import in_a_room, replays
from tests.scenarios.registry import Params, scenario
from users.models import Block, Follow, Identity, User
from users.services import sms_codes, words


@scenario("init")
def init() -> tuple[User | None, Params]:
    return factories.person(), {"ap": "heihei"}


@scenario("user/get-sms-verification-code")
def get_sms_verification_code() -> tuple[User | None, Params]:
    return None, {"phoneNo": "13800000000"}


@scenario("sms/register-phone")
def register_phone() -> tuple[User | None, Params]:
    return get_sms_verification_code()


def code_for(phone: str) -> str:
    sent: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("users.services.sms_codes.hand_over", lambda job, phone, code: sent.append(code))
        sms_codes.send_code(phone, now=timezone.now())
    return sent[0]


@scenario("user/sign-in-cl-by-phone")
def sign_in() -> tuple[User | None, Params]:
    """Of somebody who is signed in elsewhere."""
    user = factories.person(phone="13800000000")
    factories.token(user)
    return None, {"phoneNo": "13800000000", "verifyCode": code_for("13800000000")}


@scenario("user/sign-in")
def sign_in_by_account() -> tuple[User | None, Params]:
    """Of somebody who is signed in elsewhere."""
    user = factories.person(phone=None)
    factories.token(user)
    Identity.objects.create(user=user, source="Wechat", open_id="o", union_id="u")
    return None, {"accountSource": "Wechat", "accountToken": "dev-o", "openId": "o", "unionId": "u"}


@scenario("sms/verify-phone")
def verify_phone() -> tuple[User | None, Params]:
    return None, {"phoneNo": "13800000000", "verifyCode": code_for("13800000000")}


@scenario("user/bind-phone")
def bind_phone() -> tuple[User | None, Params]:
    return factories.person(phone=None), {"phone": "13800000000", "verifyCode": code_for("13800000000")}


@scenario("user/delete-account")
def delete_account() -> tuple[User | None, Params]:
    return factories.person(phone="13800000000"), {"verifyCode": code_for("13800000000")}


@scenario("user/export-data")
def export_data() -> tuple[User | None, Params]:
    return factories.person(), {}


@scenario("user/update")
def update() -> tuple[User | None, Params]:
    """A renaming that costs gold, not the first of all, by a process that knows the blocked words."""
    words.blocked_in("")
    user = factories.person("old", gold=20, rename_count=1)
    purchases.pay_for(user_id=user.pk, receiver_id=None, gold=10, reason="rename", key="earlier")
    return user, {"displayName": "new", "gender": "Male", "birthDay": "1990-01-01"}


@scenario("user/info")
def info() -> tuple[User | None, Params]:
    return factories.person(), {"uid": factories.live().owner_id}


for path in ("user/follow", "user/unfollow", "user/block-user", "user/unblock-user"):

    @scenario(path)
    def about_another() -> tuple[User | None, Params]:
        """Somebody whom the caller follows already."""
        user, other = factories.person(following_count=1), factories.person(follower_count=1)
        Follow.objects.create(follower=user, followee=other)
        return user, {"userId": other.pk}


@scenario("user/follow")
def follow() -> tuple[User | None, Params]:
    return factories.person(), {"userId": factories.person().pk}


@scenario("user/report-user")
def report_user() -> tuple[User | None, Params]:
    """Somebody who is in a room."""
    viewer, _ = in_a_room()
    return factories.person(), {"userId": viewer.pk, "reportType": 3}


@scenario("user/list-follower")
def list_follower() -> tuple[User | None, Params]:
    return followed(2)


@scenario("user/list-following")
def list_following() -> tuple[User | None, Params]:
    return following(2)


@scenario("user/list-blocked-user")
def list_blocked_user() -> tuple[User | None, Params]:
    return blocking(2)


@scenario("user/list-user-byType")
def list_by_type() -> tuple[User | None, Params]:
    return anchors(2)


@scenario("user/list-active-user")
def list_active_user() -> tuple[User | None, Params]:
    return signed_in(2)


for path in ("user/search", "user/usearch"):

    @scenario(path)
    def search() -> tuple[User | None, Params]:
        return singers(2)


@scenario("user/isinlive")
def isinlive() -> tuple[User | None, Params]:
    viewer, _ = in_a_room()
    return factories.person(), {"userId": viewer.pk}


@scenario("user/update-config")
def update_config() -> tuple[User | None, Params]:
    return factories.person(), {"push_enable": "0"}


@scenario("user/push-device-info")
def push_device_info() -> tuple[User | None, Params]:
    return factories.person(), {"apnsType": "getui", "apnsToken": "x"}


for path in ("user/sign-out", "user/user-gold", "user/get-config", "live/gift-info", "social/gift-resources"):

    @scenario(path)
    def alone() -> tuple[User | None, Params]:
        return factories.person(), {}


@scenario("sys/update")
def sys_update() -> tuple[User | None, Params]:
    AppVersion.objects.create(
        platform="android", version_code="2.0.1", text="更快，也更省电", url="https://cdn.example.com/heihei-2.0.1.apk",
        published=True,
    )  # fmt: skip
    return None, {"versionCode": "2.0.0", "devicesType": "android", "channel": "huawei"}


@scenario("sys/oss-token")
def oss_token() -> tuple[User | None, Params]:
    return factories.person(), {"module": "record", "format": "m4a"}


@scenario("sys/upload-log")
def upload_log() -> tuple[User | None, Params]:
    return factories.person(), {"log": "java.lang.NullPointerException\n\tat com.example.Main.onCreate(Main.java:42)"}


@scenario("social/get-banner")
def get_banner() -> tuple[User | None, Params]:
    link = "wmlives_heihei://webview?url=https%3A%2F%2Fexample.com%2Fsing&type=0"
    Banner.objects.create(desc="周末歌会", cover="https://cdn.example.com/banners/sing.png", type=3, link=link)
    return factories.person(), {}


def known_person(count: int) -> tuple[User, Params]:
    user, star = factories.person(), factories.live().owner
    for fan in (factories.person() for _ in range(count)):
        Follow.objects.create(follower=fan, followee=star)
        Follow.objects.create(follower=user, followee=fan)
    replays(count, star)
    return user, {"uid": star.pk}


def followed(count: int) -> tuple[User, Params]:
    star = factories.person(follower_count=count)
    for _ in range(count):
        Follow.objects.create(follower=factories.person(following_count=1), followee=star)
    return factories.person(), {"userId": star.pk, "limit": 20}


def following(count: int) -> tuple[User, Params]:
    fan = factories.person(following_count=count)
    for _ in range(count):
        Follow.objects.create(follower=fan, followee=factories.person(follower_count=1))
    return factories.person(), {"userId": fan.pk, "limit": 20}


def blocking(count: int) -> tuple[User, Params]:
    user = factories.person(blocked_count=count)
    for _ in range(count):
        Block.objects.create(user=user, target=factories.person())
    return user, {"limit": 20}


def anchors(count: int) -> tuple[User, Params]:
    User.objects.update(kind="Normal")
    for _ in range(count):
        factories.person(kind="Anchor")
    return factories.person(), {"type": "Anchor", "limit": 20}


def signed_in(count: int) -> tuple[User, Params]:
    for _ in range(count):
        factories.token(factories.person())
    return factories.person(), {"limit": 20}


def singers(count: int) -> tuple[User, Params]:
    for number in range(count):
        factories.person(f"歌手{number}")
    return factories.person(), {"queryParameter": "歌"}
