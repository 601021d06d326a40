"""AssumeRole as AWS has it, and MinIO."""

import json
from functools import cached_property
from typing import Any

from django.conf import settings

from heihei_site.providers.credentials.base import SESSION, Credentials, NotGranted, RoleCredentials

CONNECT_TIMEOUT, READ_TIMEOUT = 0.5, 1.2  # seconds: a phone waits


class S3Credentials(RoleCredentials):
    def for_key(self, key: str, *, lifetime: int) -> Credentials:
        try:
            given = self._client.assume_role(
                RoleArn=settings.UPLOAD_ROLE,
                RoleSessionName=SESSION,
                DurationSeconds=lifetime,
                Policy=json.dumps(self._policy(key)),
            )["Credentials"]
        except Exception as error:  # botocore's own kinds are many; their words quote the answer, so none is chained
            said = getattr(error, "response", None) or {}
            raise NotGranted(str(said.get("Error", {}).get("Code") or type(error).__name__)) from None
        return Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], given["Expiration"])

    @cached_property
    def _client(self) -> Any:
        """Threads share it: making one takes longer than asking it."""
        import boto3
        from botocore.config import Config

        return boto3.client(
            "sts",
            endpoint_url=settings.STS_ENDPOINT or None,
            region_name=settings.UPLOAD_REGION,
            aws_access_key_id=settings.UPLOAD_ACCESS_KEY_ID,
            aws_secret_access_key=settings.UPLOAD_ACCESS_KEY_SECRET,
            config=Config(
                connect_timeout=CONNECT_TIMEOUT, read_timeout=READ_TIMEOUT, retries={"total_max_attempts": 1}
            ),
        )

    def _policy(self, key: str) -> dict[str, object]:
        one = {"Effect": "Allow", "Action": ["s3:PutObject"], "Resource": [f"arn:aws:s3:::{self.bucket}/{key}"]}
        return {"Version": "2012-10-17", "Statement": [one]}
