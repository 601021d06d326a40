"""WeChat Pay's app payments (API v3) through wechatpayv3, in public-key mode: it starts without asking anybody.

The SDK takes a notification of any age for genuine, and for an unknown key it would download certificates while the
gateway waits; both are refused here before it is asked.
"""

import csv
import gzip
import io
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

from django.conf import settings
from django.utils import timezone

from heihei_site.providers.gateways.base import (
    BillLine,
    Due,
    Forged,
    GatewayFault,
    Notice,
    RefundRefused,
    Trade,
    TradeState,
)

if TYPE_CHECKING:
    from wechatpayv3 import WeChatPay

SIGNATURE_TYPE = "WECHATPAY2-SHA256-RSA2048"
NEWEST, OLDEST = 60, 300  # seconds that a notification may be ahead of our clock and behind it
NUMBER = re.compile(r"[0-9]{1,12}")
SIGNED = ("wechatpay-signature", "wechatpay-timestamp", "wechatpay-nonce", "wechatpay-serial")
STATES = {
    "SUCCESS": TradeState.PAID,
    "REFUND": TradeState.CLOSED,  # what was not credited before is not any more; refunds have their own notifications
    "NOTPAY": TradeState.WAITING,
    "USERPAYING": TradeState.WAITING,
    "CLOSED": TradeState.CLOSED,
    "REVOKED": TradeState.CLOSED,
    "PAYERROR": TradeState.FAILED,
}
# Answers to a refund that are final; after any other it is asked for again.
REFUSALS = (
    "INVALID_REQUEST",
    "PARAM_ERROR",
    "RESOURCE_NOT_EXISTS",
    "NO_AUTH",
    "MCH_NOT_EXISTS",
    "USER_ACCOUNT_ABNORMAL",
)


@dataclass(frozen=True)
class WechatAccount:
    """Ours at WeChat Pay. Keys are PEM: our private one, and the gateway's public one with its id."""

    app_id: str
    merchant_id: str
    private_key: str
    certificate_serial: str
    api_v3_key: str
    gateway_key: str
    gateway_key_id: str
    gateway_url: str


class WechatPay:
    development_only: ClassVar[bool] = False
    needs: ClassVar = (
        "WECHAT_PAY_APP_ID",
        "WECHAT_PAY_MERCHANT_ID",
        "WECHAT_PAY_PRIVATE_KEY",
        "WECHAT_PAY_CERTIFICATE_SERIAL",
        "WECHAT_PAY_API_V3_KEY",
        "WECHAT_PAY_PUBLIC_KEY",
        "WECHAT_PAY_PUBLIC_KEY_ID",
    )

    @cached_property
    def account(self) -> WechatAccount:
        return WechatAccount(
            app_id=settings.WECHAT_PAY_APP_ID,
            merchant_id=settings.WECHAT_PAY_MERCHANT_ID,
            private_key=settings.WECHAT_PAY_PRIVATE_KEY,
            certificate_serial=settings.WECHAT_PAY_CERTIFICATE_SERIAL,
            api_v3_key=settings.WECHAT_PAY_API_V3_KEY,
            gateway_key=settings.WECHAT_PAY_PUBLIC_KEY,
            gateway_key_id=settings.WECHAT_PAY_PUBLIC_KEY_ID,
            gateway_url=settings.WECHAT_PAY_API,
        )

    def client(self, timeout: float) -> "WeChatPay":
        from wechatpayv3 import WeChatPay, WeChatPayType  # here and not above: few processes ever pay

        client = WeChatPay(
            wechatpay_type=WeChatPayType.APP,
            mchid=self.account.merchant_id,
            private_key=self.account.private_key,
            cert_serial_no=self.account.certificate_serial,
            appid=self.account.app_id,
            apiv3_key=self.account.api_v3_key,
            public_key=self.account.gateway_key,
            public_key_id=self.account.gateway_key_id,
            timeout=timeout,
        )
        client._core._gate_way = self.account.gateway_url
        return client

    @cached_property
    def in_jobs(self) -> "WeChatPay":
        return self.client(settings.GATEWAY_JOB_TIMEOUT)

    @cached_property
    def while_a_phone_waits(self) -> "WeChatPay":
        return self.client(settings.GATEWAY_TIMEOUT)

    def begin(self, due: Due) -> dict[str, str]:
        """Asks WeChat for the number under which the phone pays, and signs the object for the phone's SDK."""
        status, said = self._ask(
            self.while_a_phone_waits,
            "pay",
            description=due.title,
            out_trade_no=due.order,
            amount={"total": due.fen, "currency": "CNY"},
            time_expire=timezone.localtime(due.expires_at).isoformat(timespec="seconds"),
            notify_url=due.notify_url,
        )
        if status != 200 or not said.get("prepay_id"):
            raise GatewayFault(str(said.get("code", status)))
        return self.for_phone(str(said["prepay_id"]))

    def for_phone(self, prepay_id: str) -> dict[str, str]:
        now, nonce = str(int(time.time())), uuid4().hex
        signature = self.while_a_phone_waits.sign([self.account.app_id, now, nonce, prepay_id])
        return {
            "appid": self.account.app_id,
            "partnerid": self.account.merchant_id,
            "prepayid": prepay_id,
            "package": "Sign=WXPay",
            "noncestr": nonce,
            "timestamp": now,
            "sign": str(signature),
        }

    def read(self, notice: Notice) -> Trade:
        headers = {name: notice.headers.get(name, "") for name in (*SIGNED, "wechatpay-signature-type")}
        if not all(headers[name] for name in SIGNED) or headers["wechatpay-signature-type"] != SIGNATURE_TYPE:
            raise Forged("another kind of signature")
        if headers["wechatpay-serial"] != self.account.gateway_key_id:
            raise Forged("unknown key")
        age = time.time() - int(headers["wechatpay-timestamp"]) if _is_number(headers["wechatpay-timestamp"]) else None
        if age is None or not -NEWEST <= age <= OLDEST:
            raise Forged("not of this moment")
        try:
            said = self.in_jobs.callback(headers, notice.body)
        except Exception as error:  # the SDK lets through whatever it stumbles over
            raise Forged("malformed") from error
        if not said:
            raise Forged("wrong signature")
        return self._trade_of_notification(said)

    def _trade_of_notification(self, said: dict[str, Any]) -> Trade:
        resource, event = said["resource"], str(said.get("event_type", ""))
        if not isinstance(resource, dict) or resource.get("mchid") != self.account.merchant_id:
            raise Forged("another merchant")
        if event.startswith("REFUND."):
            return refund_of(resource)
        if resource.get("appid") != self.account.app_id:
            raise Forged("another app")
        return trade_of(resource)

    def query(self, order: str) -> Trade:
        status, said = self._ask(self.in_jobs, "query", out_trade_no=order)
        if status == 404:
            return Trade(order=order, state=TradeState.WAITING, fen=0)
        _expect(status)
        try:
            trade = self._trade_of_notification({"resource": said})
        except Forged as error:
            raise GatewayFault(str(error)) from error
        if trade.order != order:
            raise GatewayFault("the answer is about another order")
        return trade

    def close(self, order: str) -> None:
        status, _ = self._ask(self.in_jobs, "close", out_trade_no=order)
        if status != 404:
            _expect(status)

    def refund(self, *, order: str, refund: str, fen: int, of: int) -> bool:
        amount = {"refund": fen, "total": of, "currency": "CNY"}
        status, said = self._ask(self.in_jobs, "refund", out_trade_no=order, out_refund_no=refund, amount=amount)
        if status // 100 == 4 and said.get("code") in REFUSALS:
            raise RefundRefused(str(said["code"]))
        _expect(status)
        if said.get("status") in ("CLOSED", "ABNORMAL"):
            raise RefundRefused(str(said["status"]))
        return bool(said.get("status") == "SUCCESS")

    def bill(self, day: date) -> list[BillLine]:
        status, said = self._ask(self.in_jobs, "trade_bill", bill_date=f"{day}")
        if said.get("code") == "NO_STATEMENT_EXIST":  # a day without a payment
            return []
        _expect(status)
        return list(lines_of_bill(self._download(str(said.get("download_url")))))

    def _download(self, url: str) -> bytes:
        try:
            status, content = self.in_jobs.download_bill(url)
        except Exception as error:
            raise GatewayFault(type(error).__name__) from None
        _expect(status)
        return content if isinstance(content, bytes) else str(content).encode()

    def _ask(self, client: "WeChatPay", deed: str, **what: Any) -> tuple[int, dict[str, Any]]:
        """One question; the answer's signature is verified by the SDK. Refusals are answers too."""
        try:
            status, text = getattr(client, deed)(**what)
            said = json.loads(text) if text else {}
        except Exception as error:  # the SDK raises what requests does, and bare exceptions for a wrong signature
            raise GatewayFault(type(error).__name__) from None
        if not isinstance(said, dict):
            raise GatewayFault("no object")
        return int(status), said


def trade_of(said: dict[str, Any]) -> Trade:
    state, amount = STATES.get(said.get("trade_state", "")), said.get("amount") or {}
    if state is None or not said.get("out_trade_no"):
        raise Forged("no trade of ours")
    fen = amount.get("total", 0)
    if type(fen) is not int:
        raise Forged("no amount")
    return Trade(
        order=str(said["out_trade_no"]),
        state=state,
        fen=fen,
        gateway_number=str(said.get("transaction_id") or ""),
        currency=str(amount.get("currency") or "CNY"),
        paid_at=moment(said["success_time"]) if said.get("success_time") else None,
    )


def refund_of(said: dict[str, Any]) -> Trade:
    """A refund in whole is a state of the payment; of one in part operators are told."""
    amount = said.get("amount") or {}
    total, refunded = amount.get("total"), amount.get("refund")
    if type(total) is not int or type(refunded) is not int or not said.get("out_trade_no"):
        raise Forged("no refund of ours")
    succeeded = said.get("refund_status") == "SUCCESS"
    return Trade(
        order=str(said["out_trade_no"]),
        state=TradeState.REFUNDED if succeeded and refunded == total else TradeState.WAITING,
        fen=total,
        gateway_number=str(said.get("transaction_id") or ""),
        refunded_fen=refunded if succeeded else 0,
    )


def moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise Forged("no time") from error


def lines_of_bill(content: bytes) -> Iterator[BillLine]:
    """A CSV, perhaps packed, whose cells begin with a backtick; sums stand below a second head."""
    try:
        text = (gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise GatewayFault("no bill") from error
    rows = [[cell.strip().lstrip("`") for cell in row] for row in csv.reader(io.StringIO(text))]
    if not rows or "商户订单号" not in rows[0]:
        raise GatewayFault("a bill without a head")
    for row in rows[1:]:
        if row[:1] == ["总交易单数"]:
            return
        try:
            yield line_of_bill(dict(zip(rows[0], row, strict=False)))
        except (KeyError, InvalidOperation) as error:
            raise GatewayFault("a bill with a broken line") from error


def line_of_bill(cells: dict[str, str]) -> BillLine:
    refunded = cells["交易状态"] == "REFUND"
    fen = int(Decimal(cells["退款金额" if refunded else "订单金额"]) * 100)
    return BillLine(cells["商户订单号"], cells["微信订单号"], -fen if refunded else fen)


def _is_number(text: str) -> bool:
    return bool(NUMBER.fullmatch(text))


def _expect(status: int) -> None:
    if status // 100 != 2:
        raise GatewayFault(f"status {status}")
