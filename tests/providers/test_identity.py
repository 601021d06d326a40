"""Asking WeChat, Weibo and Facebook who somebody is, over HTTP, against servers that behave and servers that do not."""

import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from heihei_site.api.errors import IdentityUnreachable, OpenIdInvalid, WeiboTokenInvalid
from heihei_site.providers.identity.base import Account
from heihei_site.providers.identity.facebook import WeiboOrFacebook
from heihei_site.providers.identity.wechat import WechatIdentity
from heihei_site.providers.identity.weibo import WeiboIdentity
from tests.providers.vendor import Says, Vendor, vendor

TOKEN, OPEN_ID, UNION_ID = "ACCESS/T+o ken&=", "oWx-1", "uWx-1"
VALID = {"errcode": 0, "errmsg": "ok"}
PERSON = {"openid": OPEN_ID, "nickname": "阿嘿", "sex": 1, "headimgurl": "", "privilege": [], "unionid": UNION_ID}
FACEBOOK_TOKEN = "EAAB+w/ken&="
DEBUGGED = {"app_id": "138483919580948", "type": "USER", "is_valid": True, "user_id": "1073880650", "scopes": []}
TOKEN_INFO = {"uid": 1073880650, "appkey": 1352222456, "scope": None, "create_at": 1352267591, "expire_in": 157679471}


@pytest.fixture(autouse=True)
def nobody_is_late(settings: Any) -> None:
    """On a machine that is busy, where nothing is said about time."""
    settings.IDENTITY_TIMEOUT = 30


@pytest.fixture
def wechat(settings: Any) -> Iterator[Vendor]:
    with vendor() as server:
        settings.WECHAT_API = server.url
        server.answers = {"/sns/auth": Says(VALID), "/sns/userinfo": Says(PERSON)}
        yield server


@pytest.fixture
def weibo(settings: Any) -> Iterator[Vendor]:
    with vendor() as server:
        settings.WEIBO_API = server.url
        settings.WEIBO_APP_KEY = "1352222456"
        server.answers = {"/oauth2/get_token_info": Says(TOKEN_INFO)}
        yield server


@pytest.fixture
def facebook(settings: Any, weibo: Vendor) -> Iterator[Vendor]:
    with vendor() as server:
        settings.FACEBOOK_API = server.url
        settings.FACEBOOK_APP_ID, settings.FACEBOOK_APP_SECRET = "138483919580948", "s3cret"
        server.answers = {"/debug_token": Says({"data": DEBUGGED})}
        yield server


def ask_wechat(open_id: str = OPEN_ID, union_id: str = "") -> Account:
    return WechatIdentity().account(token=TOKEN, open_id=open_id, union_id=union_id)


def ask_weibo(open_id: str = "1073880650") -> Account:
    return WeiboIdentity().account(token=TOKEN, open_id=open_id, union_id="")


def ask_the_button(token: str = FACEBOOK_TOKEN, open_id: str = "1073880650") -> Account:
    return WeiboOrFacebook().account(token=token, open_id=open_id, union_id="")


class TestWechat:
    def test_vouches_for_the_open_id_and_tells_the_union_id(self, wechat: Vendor) -> None:
        assert ask_wechat() == Account("Wechat", OPEN_ID, UNION_ID)
        said = {"access_token": TOKEN, "openid": OPEN_ID}
        assert sorted(wechat.asked) == [
            ("GET", "/sns/auth", said),
            ("GET", "/sns/userinfo", said | {"lang": "zh_CN"}),
        ]

    def test_need_not_know_a_union_id(self, wechat: Vendor) -> None:
        wechat.answers["/sns/userinfo"] = Says({key: value for key, value in PERSON.items() if key != "unionid"})
        assert ask_wechat(union_id="said by the phone") == Account("Wechat", OPEN_ID, "")

    def test_is_believed_about_the_union_id_and_the_phone_is_not(self, wechat: Vendor) -> None:
        assert ask_wechat(union_id=UNION_ID).union_id == UNION_ID
        with pytest.raises(OpenIdInvalid):
            ask_wechat(union_id="somebody-elses")

    @pytest.mark.parametrize("code", [40001, 40014, 42001, 48001, 99999, "40001"])
    def test_refuses_a_token(self, wechat: Vendor, code: object) -> None:
        wechat.answers["/sns/auth"] = Says({"errcode": code, "errmsg": "invalid access_token"})
        with pytest.raises(WeiboTokenInvalid):
            ask_wechat()

    def test_refuses_an_open_id(self, wechat: Vendor) -> None:
        wechat.answers["/sns/auth"] = Says({"errcode": 40003, "errmsg": "invalid openid"})
        with pytest.raises(OpenIdInvalid):
            ask_wechat()

    def test_knows_somebody_else_by_the_token(self, wechat: Vendor) -> None:
        wechat.answers["/sns/userinfo"] = Says(PERSON | {"openid": "oWx-2"})
        with pytest.raises(OpenIdInvalid):
            ask_wechat()

    def test_must_say_yes_to_both_questions(self, wechat: Vendor) -> None:
        wechat.answers["/sns/userinfo"] = Says({"errcode": 40001, "errmsg": "invalid credential"})
        with pytest.raises(WeiboTokenInvalid):
            ask_wechat()

    @pytest.mark.parametrize("code", [-1, 45009])
    def test_may_be_busy(self, wechat: Vendor, code: int) -> None:
        wechat.answers["/sns/auth"] = Says({"errcode": code, "errmsg": "system error"})
        with pytest.raises(IdentityUnreachable):
            ask_wechat()


class TestWeibo:
    def test_vouches_for_the_uid(self, weibo: Vendor) -> None:
        assert ask_weibo() == Account("Weibo", "1073880650", "")
        assert weibo.asked == [("POST", "/oauth2/get_token_info", {"access_token": TOKEN})]

    def test_writes_numbers_as_text_sometimes(self, weibo: Vendor) -> None:
        told = {**TOKEN_INFO, "uid": "1073880650", "appkey": "1352222456", "expire_in": "100"}
        weibo.answers["/oauth2/get_token_info"] = Says(told)
        assert ask_weibo().open_id == "1073880650"

    def test_gave_this_token_to_another_app(self, weibo: Vendor) -> None:
        """Whoever runs that app could open its users' accounts here."""
        weibo.answers["/oauth2/get_token_info"] = Says({**TOKEN_INFO, "appkey": 999})
        with pytest.raises(WeiboTokenInvalid):
            ask_weibo()

    @pytest.mark.parametrize("left", [0, -1, None, "", "never"])
    def test_says_the_token_has_expired(self, weibo: Vendor, left: object) -> None:
        weibo.answers["/oauth2/get_token_info"] = Says({**TOKEN_INFO, "expire_in": left})
        with pytest.raises(WeiboTokenInvalid):
            ask_weibo()

    def test_knows_somebody_else_by_the_token(self, weibo: Vendor) -> None:
        with pytest.raises(OpenIdInvalid):
            ask_weibo("1073880651")

    def test_refuses_with_http_400(self, weibo: Vendor) -> None:
        refusal = {"error": "invalid_access_token", "error_code": 21332, "request": "/oauth2/get_token_info"}
        weibo.answers["/oauth2/get_token_info"] = Says(refusal, status=400)
        with pytest.raises(WeiboTokenInvalid):
            ask_weibo()

    def test_may_be_busy(self, weibo: Vendor) -> None:
        busy = {"error": "Out of rate limit", "error_code": 10022}
        weibo.answers["/oauth2/get_token_info"] = Says(busy, status=403)
        with pytest.raises(IdentityUnreachable):
            ask_weibo()

    def test_is_nothing_without_our_key(self, settings: Any, weibo: Vendor) -> None:
        settings.WEIBO_APP_KEY = ""
        weibo.answers["/oauth2/get_token_info"] = Says({**TOKEN_INFO, "appkey": None})
        with pytest.raises(WeiboTokenInvalid):
            ask_weibo()


class TestFacebookBehindTheWeiboButton:
    """What the 1.1 app sends as Weibo's."""

    def test_vouches_for_the_id_under_its_own_name(self, facebook: Vendor, weibo: Vendor) -> None:
        """The same number at Weibo is somebody else."""
        assert ask_the_button() == Account("Facebook", "1073880650", "")
        said = {"input_token": FACEBOOK_TOKEN, "access_token": "138483919580948|s3cret"}
        assert (facebook.asked, weibo.asked) == ([("GET", "/debug_token", said)], [])

    def test_leaves_weibo_what_is_weibos(self, facebook: Vendor, weibo: Vendor) -> None:
        assert ask_the_button(token=TOKEN) == Account("Weibo", "1073880650", "")
        assert (len(weibo.asked), facebook.asked) == (1, [])

    @pytest.mark.parametrize(
        "wrong", [{"is_valid": False}, {"is_valid": "true"}, {"app_id": "999"}, {"app_id": None}], ids=str
    )
    def test_refuses_a_token_that_is_over_or_anothers(self, facebook: Vendor, wrong: dict[str, Any]) -> None:
        facebook.answers["/debug_token"] = Says({"data": DEBUGGED | wrong})
        with pytest.raises(WeiboTokenInvalid):
            ask_the_button()

    def test_knows_somebody_else_by_the_token(self, facebook: Vendor) -> None:
        with pytest.raises(OpenIdInvalid):
            ask_the_button(open_id="1073880651")

    @pytest.mark.parametrize(("code", "refusal"), [(190, WeiboTokenInvalid), (4, IdentityUnreachable)])
    def test_refuses_with_http_400_or_is_busy(self, facebook: Vendor, code: int, refusal: type[Exception]) -> None:
        facebook.answers["/debug_token"] = Says({"error": {"message": "no", "code": code}}, status=400)
        with pytest.raises(refusal):
            ask_the_button()

    def test_that_says_nothing_is_unreachable(self, facebook: Vendor) -> None:
        facebook.answers["/debug_token"] = Says({"data": []})
        with pytest.raises(IdentityUnreachable):
            ask_the_button()


@pytest.mark.parametrize(
    "trouble",
    [
        Says("", status=200),
        Says("<html>503</html>", status=503),
        Says(VALID, status=500),
        Says("{broken", status=200),
        Says("[]", status=200),
        Says("null", status=200),
        Says({}, status=200),
        Says("", status=302),
        Says({"errcode": 0, "filler": "x" * 100_000}, status=200),
        Says(VALID, after=5),
        Says(VALID, drip=0.2),
    ],
    ids=["empty", "html", "500", "malformed", "array", "null", "nothing", "redirect", "huge", "slow", "dripping"],
)
def test_a_vendor_in_trouble_is_unreachable_and_nobody_waits_for_it(
    wechat: Vendor, settings: Any, trouble: Says
) -> None:
    settings.IDENTITY_TIMEOUT = 0.5
    wechat.answers["/sns/auth"] = trouble
    before = time.monotonic()
    with pytest.raises(IdentityUnreachable):
        ask_wechat()
    assert time.monotonic() - before < 4


def test_a_vendor_that_is_not_there_is_unreachable(settings: Any) -> None:
    settings.WECHAT_API = "http://127.0.0.1:9"
    with pytest.raises(IdentityUnreachable):
        ask_wechat()


def test_no_token_is_written_down(wechat: Vendor, weibo: Vendor, caplog: Any) -> None:
    ask_wechat()
    ask_weibo()
    wechat.answers["/sns/userinfo"] = Says("{broken")
    with pytest.raises(IdentityUnreachable):
        ask_wechat()
    written = caplog.text
    assert "identity_unreachable" in written
    assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)
    assert "ACCESS" not in written and OPEN_ID not in written


def test_forty_people_at_once_do_not_wait_in_line_for_a_vendor_that_hangs(wechat: Vendor, settings: Any) -> None:
    """There are fewer threads for vendors than that: who finds none is told after the same time."""
    settings.IDENTITY_TIMEOUT = 1
    wechat.answers["/sns/auth"] = Says(VALID, after=5)

    def ask(_: int) -> float:
        before = time.monotonic()
        with pytest.raises(IdentityUnreachable):
            ask_wechat()
        return time.monotonic() - before

    with ThreadPoolExecutor(40) as people:
        taken = list(people.map(ask, range(40)))
    assert max(taken) < 4
    assert sum(seconds < 0.8 for seconds in taken) >= 8, "the API keeps some of its threads"
    settings.IDENTITY_TIMEOUT = 30
    wechat.answers["/sns/auth"] = Says(VALID)
    assert ask_wechat().open_id == OPEN_ID
