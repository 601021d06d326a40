"""Text messages through Aliyun's SDK, against a server of ours that answers as theirs."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.checks import run_checks

from heihei_site.providers import registry
from heihei_site.providers.sms.base import NeverSent, NotSent
from tests.providers.vendor import Says, Vendor, vendor

PHONE, CODE, SECRET = "13912345678", "604112", "testsecret"
SENT = {"Message": "OK", "RequestId": "F655", "Code": "OK", "BizId": "9006^0"}


@pytest.fixture
def aliyun(settings: Any) -> Iterator[Vendor]:
    settings.PROVIDERS = {"sms": "heihei_site.providers.sms.aliyun.AliyunSms"}
    settings.ALIYUN_ACCESS_KEY_ID, settings.ALIYUN_ACCESS_KEY_SECRET = "testid", SECRET
    settings.SMS_SIGN_NAME, settings.SMS_TEMPLATE_CODE = "黑黑", "SMS_1"
    with vendor() as server:
        settings.SMS_ENDPOINT, settings.SMS_PROTOCOL = server.url.removeprefix("http://"), "HTTP"
        server.answers["/"] = Says(SENT)
        yield server


def send() -> None:
    registry.sms().send_code(PHONE, CODE)


def test_one_message_is_one_signed_call(aliyun: Vendor) -> None:
    send()
    [(_, _, params)], [headers] = aliyun.asked, aliyun.headers
    assert (params["PhoneNumbers"], params["SignName"], params["TemplateCode"]) == (PHONE, "黑黑", "SMS_1")
    assert json.loads(params["TemplateParam"]) == {"code": CODE}
    assert (headers["x-acs-action"], headers["x-acs-version"]) == ("SendSms", "2017-05-25")
    assert headers["Authorization"].startswith("ACS3-HMAC-SHA256 Credential=testid,")
    assert SECRET not in str(headers)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Says({"Code": "isv.BUSINESS_LIMIT_CONTROL", "Message": PHONE}), NeverSent),
        (Says({"Code": "isv.MOBILE_NUMBER_ILLEGAL", "Message": PHONE}), NeverSent),
        (Says({"Code": "InvalidAccessKeyId.NotFound", "Message": PHONE}, status=404), NeverSent),
        (Says({"Code": "isp.SYSTEM_ERROR", "Message": PHONE}), NotSent),
        (Says({"Code": "Throttling.User", "Message": PHONE}, status=400), NotSent),
        (Says({"Code": "ServiceUnavailable", "Message": PHONE}, status=503), NotSent),
        (Says("<html>502</html>", status=502), NotSent),
        (Says("{broken"), NotSent),
        (Says("[]"), NotSent),
        (Says("{}"), NotSent),
    ],
)
def test_what_was_not_sent_says_so_and_whether_to_try_again(
    aliyun: Vendor, answer: Says, kind: type[Exception]
) -> None:
    """And neither the error nor what led to it quotes the number or the code."""
    aliyun.answers["/"] = answer
    with pytest.raises(NotSent) as refused:
        send()
    assert type(refused.value) is kind
    assert len(aliyun.asked) == 1
    assert PHONE not in str(refused.value) and CODE not in str(refused.value)
    assert refused.value.__context__ is None or refused.value.__suppress_context__


def test_a_vendor_that_is_not_there_may_be_there_later(aliyun: Vendor, settings: Any) -> None:
    settings.SMS_ENDPOINT = "127.0.0.1:9"
    with pytest.raises(NotSent) as refused:
        send()
    assert type(refused.value) is NotSent
    assert PHONE not in str(refused.value)


def test_a_vendor_that_hangs_is_not_waited_for_long(aliyun: Vendor, monkeypatch: Any) -> None:
    monkeypatch.setattr("heihei_site.providers.sms.aliyun.READ_TIMEOUT", 300)
    aliyun.answers["/"] = Says(SENT, after=3)
    with pytest.raises(NotSent):
        send()


def test_a_deployment_with_its_keys_passes_and_without_them_does_not(aliyun: Vendor, settings: Any) -> None:
    def found() -> list[str | None]:
        return [problem.id for problem in run_checks(tags=["providers"], include_deployment_checks=True)]

    assert found() == []
    settings.SMS_TEMPLATE_CODE = ""
    assert found() == ["providers.E003"]
    real = "heihei_site.providers.identity."
    settings.PROVIDERS = {"wechat": f"{real}wechat.WechatIdentity", "weibo": f"{real}weibo.WeiboIdentity"}
    assert found() == ["providers.E003"]
    settings.WEIBO_APP_KEY = "1"
    assert found() == []
    settings.PROVIDERS = {"wechat": f"{real}development.DevelopmentWechat"}
    assert found() == ["providers.E002"]
