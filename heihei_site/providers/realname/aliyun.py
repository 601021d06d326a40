"""Aliyun's check of name and id card (实人认证, Id2MetaVerify of 2019-03-07), through the base of its SDKs."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import structlog
from django.conf import settings

from heihei_site.providers.realname.base import Unreachable

# In parts of the time a phone has: what hangs keeps a thread of these, and the phone is told.
_threads = ThreadPoolExecutor(4, thread_name_prefix="realname")
SAME, DIFFERENT, UNKNOWN = "1", "2", "3"  # BizCode

log = structlog.get_logger(__name__)


class AliyunRealName:
    development_only: ClassVar[bool] = False
    needs: ClassVar = ("ALIYUN_ACCESS_KEY_ID", "ALIYUN_ACCESS_KEY_SECRET")

    def matches(self, *, name: str, idcard: str) -> bool:
        asked = _threads.submit(self._call, name, idcard)
        try:
            body = asked.result(timeout=settings.IDENTITY_TIMEOUT)
        except Exception as error:  # the SDK's own kinds are many; their words quote the request, so none is chained
            asked.cancel()
            raise _unreachable(str(getattr(error, "code", None) or type(error).__name__)) from None
        found = str((body.get("ResultObject") or {}).get("BizCode", ""))
        if str(body.get("Code")) != "200" or found not in (SAME, DIFFERENT, UNKNOWN):
            raise _unreachable(str(body.get("Code")))
        return found == SAME

    @staticmethod
    def _call(name: str, idcard: str) -> dict[str, Any]:
        # Here and not above: it takes half a second, and most processes never ask.
        from alibabacloud_tea_openapi.client import Client
        from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest, Params
        from darabonba.runtime import RuntimeOptions

        config = Config(
            access_key_id=settings.ALIYUN_ACCESS_KEY_ID,
            access_key_secret=settings.ALIYUN_ACCESS_KEY_SECRET,
            endpoint=settings.REALNAME_ENDPOINT,
            protocol=settings.REALNAME_PROTOCOL,
        )
        wanted = Params(
            action="Id2MetaVerify",
            version="2019-03-07",
            protocol=settings.REALNAME_PROTOCOL,
            pathname="/",
            method="POST",
            auth_type="AK",
            style="RPC",
            req_body_type="formData",
            body_type="json",
        )
        query = {"ParamType": "normal", "UserName": name, "IdentifyNum": idcard}
        milliseconds = int(settings.IDENTITY_TIMEOUT * 1000)
        runtime = RuntimeOptions(autoretry=False, connect_timeout=milliseconds, read_timeout=milliseconds)
        answer = Client(config).call_api(wanted, OpenApiRequest(query=query), runtime)
        return dict(answer["body"])


def _unreachable(reason: str) -> Unreachable:
    log.warning("realname_unreachable", reason=reason)
    return Unreachable(reason)
