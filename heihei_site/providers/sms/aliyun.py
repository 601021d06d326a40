"""Aliyun's short message service (dysms), through its SDK."""

import json
from typing import ClassVar

import structlog
from django.conf import settings

from heihei_site.providers.sms.base import NeverSent, NotSent

CONNECT_TIMEOUT, READ_TIMEOUT = 3_000, 5_000  # milliseconds
# Answers after which the same message may still go out a moment later. Whatever else the vendor says is final.
PASSING = ("Throttling", "isp.SYSTEM_ERROR", "InternalError", "ServiceUnavailable")

log = structlog.get_logger(__name__)


class AliyunSms:
    """The template has one variable, `code`."""

    development_only: ClassVar[bool] = False
    needs: ClassVar = ("ALIYUN_ACCESS_KEY_ID", "ALIYUN_ACCESS_KEY_SECRET", "SMS_SIGN_NAME", "SMS_TEMPLATE_CODE")

    def send_code(self, phone: str, code: str) -> None:
        try:
            said = self._call(phone, code)
        except Exception as error:  # the SDK's own kinds are many; their words quote the request, so none is chained
            reason = str(getattr(error, "code", None) or type(error).__name__)
            raise _failure(reason) from None
        if said != "OK":
            raise _failure(said)

    @staticmethod
    def _call(phone: str, code: str) -> str:
        """The code of the vendor's answer."""
        # Here and not above: it takes half a second, and web processes never send.
        from alibabacloud_dysmsapi20170525.client import Client
        from alibabacloud_dysmsapi20170525.models import SendSmsRequest
        from alibabacloud_tea_openapi.utils_models import Config
        from darabonba.runtime import RuntimeOptions

        config = Config(
            access_key_id=settings.ALIYUN_ACCESS_KEY_ID,
            access_key_secret=settings.ALIYUN_ACCESS_KEY_SECRET,
            endpoint=settings.SMS_ENDPOINT,
            protocol=settings.SMS_PROTOCOL,
        )
        request = SendSmsRequest(
            phone_numbers=phone,
            sign_name=settings.SMS_SIGN_NAME,
            template_code=settings.SMS_TEMPLATE_CODE,
            template_param=json.dumps({"code": code}),
        )
        # Trying again is the task's business.
        runtime = RuntimeOptions(autoretry=False, connect_timeout=CONNECT_TIMEOUT, read_timeout=READ_TIMEOUT)
        body = Client(config).send_sms_with_options(request, runtime).body
        if body.code == "OK":
            log.info("sms_sent", biz_id=body.biz_id)
        return str(body.code)


def _failure(reason: str) -> NotSent:
    passing = "." not in reason or reason.startswith(PASSING)  # a network error's name has no dot
    return NotSent(reason) if passing else NeverSent(reason)
