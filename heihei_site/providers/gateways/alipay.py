"""Alipay's app payments through python-alipay-sdk, which signs and verifies; everything else is ours to check.

Its `verify` takes a notification without a sign type for the right one, falls over malformed base64, and leaves app,
seller and amount to us.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qsl

import httpx
from django.conf import settings
from django.utils import timezone

from heihei_site.providers.gateways.base import (
    CURRENCY,
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
    from alipay import AliPay

MOST_FIELDS = 100
YUAN = re.compile(r"[0-9]{1,9}(\.[0-9]{1,2})?")
STATES = {
    "WAIT_BUYER_PAY": TradeState.WAITING,
    "TRADE_SUCCESS": TradeState.PAID,
    "TRADE_FINISHED": TradeState.PAID,
    "TRADE_CLOSED": TradeState.CLOSED,
}
NO_TRADE = "ACQ.TRADE_NOT_EXIST"
# Answers to a refund after which nobody knows, or after which it is to be asked for again.
PASSING = ("ACQ.SYSTEM_ERROR", "isp.unknow-error", "aop.ACQ.SYSTEM_ERROR", "ACQ.SELLER_BALANCE_NOT_ENOUGH")


@dataclass(frozen=True)
class AlipayAccount:
    """Ours at Alipay. Keys are PEM: our private one, and the gateway's public one."""

    app_id: str
    seller_id: str
    private_key: str
    gateway_key: str
    gateway_url: str


class Alipay:
    development_only: ClassVar[bool] = False
    needs: ClassVar = ("ALIPAY_APP_ID", "ALIPAY_SELLER_ID", "ALIPAY_APP_PRIVATE_KEY", "ALIPAY_PUBLIC_KEY")

    @cached_property
    def account(self) -> AlipayAccount:
        return AlipayAccount(
            app_id=settings.ALIPAY_APP_ID,
            seller_id=settings.ALIPAY_SELLER_ID,
            private_key=settings.ALIPAY_APP_PRIVATE_KEY,
            gateway_key=settings.ALIPAY_PUBLIC_KEY,
            gateway_url=settings.ALIPAY_GATEWAY,
        )

    @cached_property
    def client(self) -> "AliPay":
        from alipay import AliPay  # here and not above: few processes ever pay
        from alipay.utils import AliPayConfig

        client = AliPay(
            appid=self.account.app_id,
            app_private_key_string=self.account.private_key,
            alipay_public_key_string=self.account.gateway_key,
            sign_type="RSA2",
            config=AliPayConfig(timeout=settings.GATEWAY_JOB_TIMEOUT),
        )
        client._gateway = self.account.gateway_url
        return client

    def begin(self, due: Due) -> str:
        """Signed here; nobody is asked."""
        return str(
            self.client.api_alipay_trade_app_pay(
                subject=due.title,
                out_trade_no=due.order,
                total_amount=yuan(due.fen),
                notify_url=due.notify_url,
                time_expire=timezone.localtime(due.expires_at).strftime("%Y-%m-%d %H:%M:%S"),
            )
        )

    def read(self, notice: Notice) -> Trade:
        said = once_each(notice.body)
        self._verify(dict(said))
        if said.get("app_id") != self.account.app_id:
            raise Forged("another app")
        if said.get("seller_id") != self.account.seller_id:
            raise Forged("another seller")
        return trade_of(said)

    def _verify(self, said: dict[str, str]) -> None:
        signature = said.pop("sign", "")
        if said.get("sign_type") != "RSA2" or said.get("charset", "").lower() != "utf-8":
            raise Forged("another kind of signature")
        try:
            genuine = self.client.verify(said, signature)
        except Exception as error:  # the SDK lets through what base64 and RSA stumble over
            raise Forged("malformed signature") from error
        if not genuine:
            raise Forged("wrong signature")

    def query(self, order: str) -> Trade:
        said = self._ask("alipay.trade.query", out_trade_no=order)
        if said.get("sub_code") == NO_TRADE:
            return Trade(order=order, state=TradeState.WAITING, fen=0)
        _expect_success(said)
        try:
            trade = trade_of(said)
        except Forged as error:
            raise GatewayFault(str(error)) from error
        if trade.order != order:
            raise GatewayFault("the answer is about another order")
        return trade

    def close(self, order: str) -> None:
        said = self._ask("alipay.trade.close", out_trade_no=order)
        if said.get("sub_code") != NO_TRADE:
            _expect_success(said)

    def refund(self, *, order: str, refund: str, fen: int, of: int) -> bool:
        said = self._ask("alipay.trade.refund", out_trade_no=order, out_request_no=refund, refund_amount=yuan(fen))
        if said.get("code") == "40004" and said.get("sub_code") not in PASSING:
            raise RefundRefused(said.get("sub_code", "40004"))
        _expect_success(said)
        return True

    def bill(self, day: date) -> list[BillLine]:
        said = self._ask("alipay.data.dataservice.bill.downloadurl.query", bill_type="trade", bill_date=f"{day}")
        if said.get("sub_code") == "isp.bill_not_exist":  # a day without a payment
            return []
        _expect_success(said)
        return list(lines_of_bill(self._download(str(said.get("bill_download_url")))))

    def _download(self, url: str) -> bytes:
        try:
            return (
                httpx.get(url, timeout=settings.GATEWAY_JOB_TIMEOUT, follow_redirects=True).raise_for_status().content
            )
        except httpx.HTTPError as error:
            raise GatewayFault(type(error).__name__) from None

    def _ask(self, api: str, **what: str) -> dict[str, str]:
        """One question; the answer's signature is verified by the SDK. Refusals are answers too."""
        try:
            return dict(self.client.server_api(api, what))
        except Exception as error:  # what the SDK makes of a wrong signature, a broken line or a page of HTML is open
            raise GatewayFault(type(error).__name__) from None


def once_each(body: bytes) -> dict[str, str]:
    """The fields of a form, each of which must come once: of two with one name only one is signed for."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError as error:
        raise Forged("no form") from error
    said = dict(pairs)
    if len(said) != len(pairs):
        raise Forged("a field came twice")
    return said


def trade_of(said: dict[str, Any]) -> Trade:
    state = STATES.get(said.get("trade_status", ""))
    if state is None or not said.get("out_trade_no"):
        raise Forged("no trade of ours")
    fen = fen_of(said.get("total_amount", ""))
    refunded = fen_of(said.get("refund_fee") or "0")
    if state is TradeState.CLOSED and refunded and refunded == fen:
        state = TradeState.REFUNDED
    paid_at = said.get("gmt_payment") or said.get("send_pay_date")
    return Trade(
        order=said["out_trade_no"],
        state=state,
        fen=fen,
        gateway_number=said.get("trade_no", ""),
        currency=said.get("trans_currency") or CURRENCY,
        refunded_fen=refunded,
        paid_at=moment(paid_at) if paid_at else None,
    )


def yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02}"


def fen_of(amount: str) -> int:
    if not YUAN.fullmatch(amount):
        raise Forged("no amount")
    return int(Decimal(amount) * 100)


def moment(text: str) -> datetime:
    try:
        return timezone.make_aware(datetime.strptime(text, "%Y-%m-%d %H:%M:%S"))
    except ValueError as error:
        raise Forged("no time") from error


def lines_of_bill(archive: bytes) -> Iterator[BillLine]:
    """The ZIP has one CSV of every trade, in GBK, and one of sums, which is passed over."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as files:
            name = next(name for name in files.namelist() if "汇总" not in _in_chinese(name))
            text = files.read(name).decode("gb18030")
    except (zipfile.BadZipFile, StopIteration, UnicodeDecodeError) as error:
        raise GatewayFault("no bill") from error
    rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text))]
    head = next((row for row in rows if "商户订单号" in row), None)
    if head is None:
        raise GatewayFault("a bill without a head")
    for row in rows[rows.index(head) + 1 :]:
        if len(row) < len(head) or row[0].startswith("#"):
            continue
        try:
            yield line_of_bill(dict(zip(head, row, strict=False)))
        except (KeyError, InvalidOperation) as error:
            raise GatewayFault("a bill with a broken line") from error


def line_of_bill(cells: dict[str, str]) -> BillLine:
    fen = int(Decimal(cells["订单金额（元）"]) * 100)
    return BillLine(cells["商户订单号"], cells["支付宝交易号"], -abs(fen) if cells["业务类型"] == "退款" else fen)


def _in_chinese(name: str) -> str:
    """Names in the archive are GBK that calls itself nothing, which `zipfile` reads as cp437."""
    try:
        return name.encode("cp437").decode("gb18030")
    except UnicodeError:
        return name


def _expect_success(said: dict[str, str]) -> None:
    if said.get("code") != "10000":
        raise GatewayFault(said.get("sub_code") or said.get("code") or "no code")
