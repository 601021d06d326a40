from typing import Any

from heihei_site.providers.checks import providers_are_real

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
