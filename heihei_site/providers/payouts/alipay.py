"""Alipay's transfer to an account (alipay.fund.trans.uni.transfer), signed and checked by python-alipay-sdk.

Transfers want certificates instead of a bare key. The number of ours is `out_biz_no`: Alipay pays once under it.
"""

from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import httpx
import structlog
from alipay import DCAliPay
from django.conf import settings

from heihei_site.providers.payouts.base import Payee, Result, Said

DONE = "10000"
TITLE = "黑票提现"
# The payee's own trouble: the same transfer fails tomorrow too. Whatever else Alipay says is ours (no money, a key, a
# limit) or passes: the person waits, and we are told.
PAYEES_TROUBLE = {
    "PAYEE_NOT_EXIST",
    "PAYEE_ACCOUNT_NOT_EXSIT",  # Alipay's spelling
    "PAYEE_ACCOUNT_STATUS_ERROR",
    "PAYEE_ACC_OCUPIED",
    "PAYEE_USER_INFO_ERROR",
    "PAYEE_USERINFO_STATUS_ERROR",
    "PAYEE_USER_IS_INST",
    "PAYEE_UNCERTIFIED",
    "PAYEE_TRUSTEESHIP_ACC_OVER_LIMIT",
    "PERM_AML_NOT_REALNAME_REV",
    "BLOCK_USER_FORBBIDEN_RECIEVE",
    "RELEASE_USER_FORBBIDEN_RECIEVE",
    "TRUSTEESHIP_ACCOUNT_NOT_EXIST",
}
NEVER_HEARD = "ORDER_NOT_EXIST"
FAILED = {"FAIL", "CLOSED", "REFUND"}  # an order's status

log = structlog.get_logger(__name__)


@cache
def _client() -> Any:
    return DCAliPay(
        appid=settings.ALIPAY_PAYOUT_APP,
        app_private_key_string=Path(settings.ALIPAY_PAYOUT_KEY).read_text(),
        app_public_key_cert_string=Path(settings.ALIPAY_PAYOUT_APP_CERT).read_text(),
        alipay_public_key_cert_string=Path(settings.ALIPAY_PAYOUT_PUBLIC_CERT).read_text(),
        alipay_root_cert_string=Path(settings.ALIPAY_PAYOUT_ROOT_CERT).read_text(),
    )


class AlipayPayouts:
    development_only: ClassVar[bool] = False
    needs: ClassVar = (
        "ALIPAY_PAYOUT_APP",
        "ALIPAY_PAYOUT_KEY",
        "ALIPAY_PAYOUT_APP_CERT",
        "ALIPAY_PAYOUT_PUBLIC_CERT",
        "ALIPAY_PAYOUT_ROOT_CERT",
    )

    def transfer(self, *, number: str, fen: int, payee: Payee) -> Result:
        said = self._ask(
            "alipay.fund.trans.uni.transfer",
            out_biz_no=number,
            trans_amount=f"{Decimal(fen) / 100:.2f}",
            product_code="TRANS_ACCOUNT_NO_PWD",
            biz_scene="DIRECT_TRANSFER",
            order_title=TITLE,
            payee_info={"identity": payee.account, "identity_type": _kind(payee.account), "name": payee.name},
        )
        if said.get("code") == DONE and said.get("status") == "SUCCESS" and said.get("out_biz_no") == number:
            return Result(Said.PAID, number=str(said.get("order_id", "")))
        reason = _reason(said)
        return Result(Said.REFUSED if reason in PAYEES_TROUBLE else Said.UNKNOWN, reason=reason)

    def query(self, number: str) -> Result:
        said = self._ask(
            "alipay.fund.trans.common.query",
            out_biz_no=number,
            product_code="TRANS_ACCOUNT_NO_PWD",
            biz_scene="DIRECT_TRANSFER",
        )
        if said.get("code") == DONE and said.get("out_biz_no") == number:
            status = said.get("status")
            if status == "SUCCESS":
                return Result(Said.PAID, number=str(said.get("order_id", "")))
            if status in FAILED:
                return Result(Said.REFUSED, reason=str(said.get("error_code") or status))
        reason = _reason(said)
        return Result(Said.NEVER_HEARD if reason == NEVER_HEARD else Said.UNKNOWN, reason=reason)

    @staticmethod
    def _ask(method: str, **content: Any) -> dict[str, Any]:
        """The answer whose signature is Alipay's; whatever else came is an empty one with a reason."""
        client = _client()
        try:
            # In the body: the SDK would put a person's name into the address.
            answer = httpx.post(
                settings.ALIPAY_PAYOUT_GATEWAY,
                content=client.sign_data(client.build_body(method, content)),
                headers={"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"},
                timeout=settings.PAYOUT_TIMEOUT,
            )
            name = f"{method.replace('.', '_')}_response"
            return dict(client._verify_and_return_sync_response(answer.text, name))
        except Exception as error:  # the SDK's and the network's kinds are many; their words quote the request
            log.warning("payout_gateway_unreachable", method=method, reason=type(error).__name__)
            return {"sub_code": type(error).__name__}


def _kind(account: str) -> str:
    is_number = len(account) == 16 and account.isdigit() and account.startswith("2088")
    return "ALIPAY_USER_ID" if is_number else "ALIPAY_LOGON_ID"


def _reason(said: dict[str, Any]) -> str:
    return str(said.get("sub_code") or said.get("status") or said.get("code") or "")[:64]
