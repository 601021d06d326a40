from typing import Any

import pytest

from heihei_site.providers.checks import media_server_is_heard, providers_are_real

REAL = "heihei_site.providers.streaming.rtmp.RtmpStreaming"


def test_a_deployment_with_real_providers_passes(settings: Any) -> None:
    settings.PROVIDERS = {"streaming": REAL}
    assert providers_are_real(None) == []


def test_a_development_twin_is_refused(settings: Any) -> None:
    settings.PROVIDERS = {"sms": "heihei_site.providers.sms.outbox.OutboxSms", "streaming": REAL}
    assert [problem.id for problem in providers_are_real(None)] == ["providers.E002"]


def test_a_provider_that_cannot_be_imported_is_named(settings: Any) -> None:
    settings.PROVIDERS = {"sms": "no.such.Class"}
    [problem] = providers_are_real(None)
    assert problem.id == "providers.E001" and "no.such.Class" in problem.msg


def test_a_media_server_that_django_would_not_listen_to_is_refused(settings: Any) -> None:
    settings.PROVIDERS = {"streaming": REAL}
    settings.ALLOWED_HOSTS = ["api.example.com", "127.0.0.1"]
    settings.RTMP_HOOKS_URL = "http://127.0.0.1:8000/hooks/rtmp"
    assert media_server_is_heard(None) == []
    for address in ("http://10.0.0.2:8000/hooks/rtmp", "https://127.0.0.1:8000/hooks/rtmp", ""):
        settings.RTMP_HOOKS_URL = address
        [problem] = media_server_is_heard(None)
        assert problem.id == "providers.E004"
    settings.PROVIDERS = {"streaming": "heihei_site.providers.streaming.pili.PiliStreaming"}
    assert media_server_is_heard(None) == []


@pytest.mark.parametrize("twin", ["DevelopmentAlipay", "DevelopmentWechatPay", "DevelopmentStore"])
def test_a_gateway_of_development_is_refused(settings: Any, twin: str) -> None:
    settings.PROVIDERS = {"streaming": REAL, "alipay": f"heihei_site.providers.gateways.development.{twin}"}
    assert [problem.id for problem in providers_are_real(None)] == ["providers.E002"]


@pytest.mark.parametrize(
    ("gateway", "missing"),
    [
        ("alipay.Alipay", "ALIPAY_APP_ID, ALIPAY_SELLER_ID, ALIPAY_APP_PRIVATE_KEY, ALIPAY_PUBLIC_KEY"),
        ("wechat.WechatPay", "WECHAT_PAY_APP_ID, WECHAT_PAY_MERCHANT_ID, WECHAT_PAY_PRIVATE_KEY"),
        ("apple.AppleStore", "APPLE_BUNDLE_ID, APPLE_APP_ID, APPLE_ROOT_CERTIFICATES"),
    ],
)
def test_a_gateway_without_its_keys_is_refused(settings: Any, gateway: str, missing: str) -> None:
    settings.PROVIDERS = {"streaming": REAL, "pay": f"heihei_site.providers.gateways.{gateway}"}
    [problem] = providers_are_real(None)
    assert problem.id == "providers.E003" and missing in problem.msg
