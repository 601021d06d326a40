"""What vendors are asked for so that a phone may write one object, against servers of ours that answer as theirs. This
is where the rights are: the policy that is sent along."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from heihei_site.providers import registry
from heihei_site.providers.checks import providers_are_real, uploads_are_reached
from heihei_site.providers.credentials import aliyun, s3
from heihei_site.providers.credentials.base import NotGranted
from tests.providers.vendor import Says, Vendor, vendor

KEY, BUCKET, SECRET = "record/2026112818_10001_x.m4a", "heihei-uploads", "testsecret"
EXPIRES = datetime(2026, 11, 28, 11, 0, tzinfo=UTC)
ALIYUN = "heihei_site.providers.credentials.aliyun.AliyunCredentials"
S3 = "heihei_site.providers.credentials.s3.S3Credentials"
LOCAL = "heihei_site.providers.credentials.local.LocalCredentials"
ALIYUN_SAYS = {
    "RequestId": "1",
    "AssumedRoleUser": {"Arn": "acs:ram::1:role/upload/upload", "AssumedRoleId": "3"},
    "Credentials": {
        "SecurityToken": "token",
        "Expiration": "2026-11-28T11:00:00Z",
        "AccessKeySecret": "temporary",
        "AccessKeyId": "STS.1",
    },
}
AWS_SAYS = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>STS.1</AccessKeyId><SecretAccessKey>temporary</SecretAccessKey><SessionToken>token</SessionToken>
<Expiration>2026-11-28T11:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"""


@contextmanager
def sts(settings: Any, path: str, says: Says) -> Iterator[Vendor]:
    settings.PROVIDERS = {"credentials": path}
    settings.UPLOAD_BUCKET, settings.UPLOAD_ROLE = BUCKET, "acs:ram::1:role/upload"
    settings.UPLOAD_ACCESS_KEY_ID, settings.UPLOAD_ACCESS_KEY_SECRET = "testid", SECRET
    with vendor() as server:
        address = server.url.removeprefix("http://") if path == ALIYUN else server.url
        settings.STS_ENDPOINT, settings.STS_PROTOCOL = address, "HTTP"
        server.answers["/"] = says
        yield server


def ask() -> Any:
    return registry.credentials().for_key(KEY, lifetime=3600)


@pytest.mark.parametrize(
    ("path", "says", "policy"),
    [
        (
            ALIYUN,
            Says(ALIYUN_SAYS),
            {
                "Version": "1",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": ["oss:PutObject"],
                        "Resource": [f"acs:oss:*:*:{BUCKET}/{KEY}"],
                    }
                ],
            },
        ),
        (
            S3,
            Says(AWS_SAYS),
            {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Action": ["s3:PutObject"], "Resource": [f"arn:aws:s3:::{BUCKET}/{KEY}"]}
                ],
            },
        ),
    ],
)
def test_credentials_are_good_for_putting_one_object_for_an_hour_and_nothing_else(
    settings: Any, path: str, says: Says, policy: dict[str, Any]
) -> None:
    with sts(settings, path, says) as server:
        given = ask()
    [(_, _, asked)], [headers] = server.asked, server.headers
    assert json.loads(asked["Policy"]) == policy
    assert (asked["DurationSeconds"], asked["RoleArn"]) == ("3600", "acs:ram::1:role/upload")
    assert "AssumeRole" in (asked.get("Action"), headers.get("x-acs-action"))
    assert SECRET not in str(headers) + str(asked)
    assert (given.access_key_id, given.access_key_secret, given.security_token) == ("STS.1", "temporary", "token")
    assert given.expires_at == EXPIRES


@pytest.mark.parametrize("path", [ALIYUN, S3])
@pytest.mark.parametrize(
    "says",
    [
        Says({"Code": "NoPermission", "Message": SECRET}, status=403),
        Says({"Code": "Throttling.User"}, status=400),
        Says("<html>502</html>", status=502),
        Says("{broken"),
        Says("[]"),
        Says("{}"),
    ],
)
def test_a_vendor_that_gives_nothing_says_so_without_secrets(settings: Any, path: str, says: Says) -> None:
    """Asked once: the phone asks again by itself."""
    with sts(settings, path, says) as server, pytest.raises(NotGranted) as refused:
        ask()
    assert len(server.asked) == 1
    assert SECRET not in str(refused.value)
    assert refused.value.__context__ is None or refused.value.__suppress_context__


@pytest.mark.parametrize(("path", "module", "short"), [(ALIYUN, aliyun, 300), (S3, s3, 0.3)])
def test_a_vendor_that_hangs_is_not_waited_for(
    settings: Any, monkeypatch: pytest.MonkeyPatch, path: str, module: Any, short: float
) -> None:
    monkeypatch.setattr(module, "READ_TIMEOUT", short)
    with sts(settings, path, Says(ALIYUN_SAYS, after=2)), pytest.raises(NotGranted):
        ask()


def test_on_our_own_disk_nobody_is_asked_and_nothing_is_opened(settings: Any) -> None:
    settings.PROVIDERS = {"credentials": LOCAL}
    given = ask()
    assert registry.credentials().local
    assert all((given.access_key_id, given.access_key_secret, given.security_token))
    assert 3590 < (given.expires_at - timezone.now()).total_seconds() <= 3600


def test_our_own_disk_is_no_development_twin(settings: Any) -> None:
    settings.PROVIDERS = {"credentials": LOCAL}
    settings.UPLOADS_URL = settings.PUBLIC_URL = "https://api.example.com"
    assert providers_are_real(None) == [] and uploads_are_reached(None) == []


@pytest.mark.parametrize("path", [ALIYUN, S3])
def test_a_bucket_needs_its_keys_a_role_and_an_address(settings: Any, path: str) -> None:
    with sts(settings, path, Says("")):
        settings.PUBLIC_URL, settings.UPLOADS_URL = "https://api.example.com", "https://cdn.example.com"
        assert providers_are_real(None) == [] and uploads_are_reached(None) == []
        settings.UPLOADS_URL = settings.PUBLIC_URL
        assert [problem.id for problem in uploads_are_reached(None)] == ["providers.E005"]
        settings.UPLOAD_ROLE = ""
        [problem] = providers_are_real(None)
        assert problem.id == "providers.E003" and "UPLOAD_ROLE" in problem.msg
