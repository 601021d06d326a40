"""Aliyun's security token service, by its SDK."""

import json
from datetime import datetime

from django.conf import settings

from heihei_site.providers.credentials.base import SESSION, Credentials, NotGranted, RoleCredentials

CONNECT_TIMEOUT, READ_TIMEOUT = 500, 1_200  # milliseconds: a phone waits


class AliyunCredentials(RoleCredentials):
    def for_key(self, key: str, *, lifetime: int) -> Credentials:
        try:
            return self._ask(key, lifetime)
        except Exception as error:  # the SDK's own kinds are many; their words quote the request, so none is chained
            raise NotGranted(str(getattr(error, "code", None) or type(error).__name__)) from None

    def _ask(self, key: str, lifetime: int) -> Credentials:
        # Here and not above: it takes half a second.
        from alibabacloud_sts20150401.client import Client
        from alibabacloud_sts20150401.models import AssumeRoleRequest
        from alibabacloud_tea_openapi.utils_models import Config
        from darabonba.runtime import RuntimeOptions

        config = Config(
            access_key_id=settings.UPLOAD_ACCESS_KEY_ID,
            access_key_secret=settings.UPLOAD_ACCESS_KEY_SECRET,
            endpoint=settings.STS_ENDPOINT or "sts.aliyuncs.com",
            protocol=settings.STS_PROTOCOL,
        )
        request = AssumeRoleRequest(
            role_arn=settings.UPLOAD_ROLE,
            role_session_name=SESSION,
            duration_seconds=lifetime,
            policy=json.dumps(self._policy(key)),
        )
        runtime = RuntimeOptions(autoretry=False, connect_timeout=CONNECT_TIMEOUT, read_timeout=READ_TIMEOUT)
        given = Client(config).assume_role_with_options(request, runtime).body.credentials
        return Credentials(
            given.access_key_id,
            given.access_key_secret,
            given.security_token,
            datetime.fromisoformat(given.expiration),
        )

    def _policy(self, key: str) -> dict[str, object]:
        one = {"Effect": "Allow", "Action": ["oss:PutObject"], "Resource": [f"acs:oss:*:*:{self.bucket}/{key}"]}
        return {"Version": "1", "Statement": [one]}
