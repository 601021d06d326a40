from typing import Any

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
