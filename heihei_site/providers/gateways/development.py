"""The development twins: the real adapters with keys of our own making, and gateways that live in a book of files.

Beside that they play the gateway's part: `notification` is what it would send us, really signed, for `manage.py pay`
and the tests. Tampered ones are signed all the same, but for `sign`.
"""

import base64
import json
import secrets
import time
from collections.abc import Mapping
from datetime import date
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol
from urllib.parse import urlencode

import jwt
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.utils import timezone

from heihei_site.providers.gateways.alipay import Alipay, AlipayAccount, fen_of, yuan
from heihei_site.providers.gateways.apple import AppleStore, StoreAccount
from heihei_site.providers.gateways.base import BillLine, Due, Notice
from heihei_site.providers.gateways.book import Book, Payment
from heihei_site.providers.gateways.keys import kept, rsa_pair, store_chain
from heihei_site.providers.gateways.wechat import SIGNATURE_TYPE, WechatAccount, WechatPay

if TYPE_CHECKING:
    from alipay import AliPay

Status = Literal["success", "closed"]
Tampering = Literal["", "amount", "sign", "appid"]


class PlaysGateway(Protocol):
    book: Book

    def notification(self, order: str, fen: int, *, status: Status = "success", tamper: Tampering = "") -> Notice:
        """What the gateway would tell us of this payment, which its book knows from then on, unless it is tampered
        with."""
        ...


class DevelopmentAlipay(Alipay):
    development_only: ClassVar[bool] = True

    def __init__(self) -> None:
        self.book = Book("alipay")

    @cached_property
    def account(self) -> AlipayAccount:
        return AlipayAccount(
            app_id="2016000000000001",
            seller_id="2088000000000001",
            private_key=rsa_pair("alipay-ours").private,
            gateway_key=rsa_pair("alipay-gateway").public,
            gateway_url="",
        )

    def _ask(self, api: str, **what: str) -> dict[str, str]:
        order = what.get("out_trade_no", "")
        self.book.note(api, **what)
        payment = self.book.payment(order)
        if payment is None:
            return {"code": "40004", "sub_code": "ACQ.TRADE_NOT_EXIST"}
        if api == "alipay.trade.close":
            payment = self.book.close(order) or payment
            done = payment.state == "closed"
            return {"code": "10000"} if done else {"code": "40004", "sub_code": "ACQ.TRADE_STATUS_ERROR"}
        if api == "alipay.trade.refund":
            if payment.state != "paid":
                return {"code": "40004", "sub_code": "ACQ.TRADE_STATUS_ERROR"}
            payment = self.book.refund(order, what["out_request_no"], fen_of(what["refund_amount"])) or payment
        return {"code": "10000", **self._facts(payment)}

    def _facts(self, payment: Payment) -> dict[str, str]:
        states = {"waiting": "WAIT_BUYER_PAY", "paid": "TRADE_SUCCESS", "closed": "TRADE_CLOSED"}
        said = {
            "trade_no": payment.gateway_number,
            "out_trade_no": payment.order,
            "trade_status": states[payment.state],
            "total_amount": yuan(payment.fen),
        }
        if payment.paid_at:
            said["gmt_payment"] = payment.paid_at[:19].replace("T", " ")
        if payment.refunded:
            said["refund_fee"] = yuan(payment.refunded)
            said["trade_status"] = "TRADE_CLOSED" if payment.refunded == payment.fen else "TRADE_SUCCESS"
        return said

    def bill(self, day: date) -> list[BillLine]:
        self.book.note("bill", day=f"{day}")
        return list(self.book.lines(day))

    def notification(self, order: str, fen: int, *, status: Status = "success", tamper: Tampering = "") -> Notice:
        payment = played(self.book, order, fen, status, tamper)
        said = {
            "notify_type": "trade_status_sync",
            "notify_id": secrets.token_hex(17),
            "notify_time": timezone.localtime().strftime("%Y-%m-%d %H:%M:%S"),
            "charset": "utf-8",
            "version": "1.0",
            "app_id": "2016999999999999" if tamper == "appid" else self.account.app_id,
            "seller_id": self.account.seller_id,
            "buyer_id": "2088000000000002",
            "subject": "黑黑钻石",
            **self._facts(payment),
        }
        return self.signed(said, spoiled=tamper == "sign")

    @cache  # noqa: B019  there is one of us
    def signer(self, sign_type: str) -> "AliPay":
        """Alipay itself, as far as signing goes."""
        from alipay import AliPay

        gateway = rsa_pair("alipay-gateway")
        return AliPay(
            appid=self.account.app_id,
            app_private_key_string=gateway.private,
            alipay_public_key_string=gateway.public,
            sign_type=sign_type,
        )

    def signed(self, said: Mapping[str, str], *, sign_type: str = "RSA2", spoiled: bool = False) -> Notice:
        """A notification with these fields, as Alipay signs it: sign and sign type are not signed for."""
        signature = self.signer(sign_type)._sign("&".join(f"{name}={said[name]}" for name in sorted(said)))
        if spoiled:
            signature = spoil(signature)
        body = urlencode({**said, "sign_type": sign_type, "sign": signature}).encode()
        return Notice({"content-type": "application/x-www-form-urlencoded; charset=utf-8"}, body)


class DevelopmentWechatPay(WechatPay):
    development_only: ClassVar[bool] = True

    def __init__(self) -> None:
        self.book = Book("wechat")

    @cached_property
    def account(self) -> WechatAccount:
        return WechatAccount(
            app_id="wx0000000000000001",
            merchant_id="1900000001",
            private_key=rsa_pair("wechat-ours").private,
            certificate_serial="0A0B0C0D0E0F",
            api_v3_key=kept("wechat-api-v3", lambda: secrets.token_hex(16)),
            gateway_key=rsa_pair("wechat-gateway").public,
            gateway_key_id="PUB_KEY_ID_0119000000012024101000000000000001",
            gateway_url="",
        )

    def begin(self, due: Due) -> dict[str, str]:
        self.book.note("pay", order=due.order, fen=due.fen, notify_url=due.notify_url)
        self.book.begin(due.order, due.fen)
        return self.for_phone(f"wx{timezone.localtime():%Y%m%d%H%M%S}{secrets.token_hex(9)}")

    def _ask(self, client: Any, deed: str, **what: Any) -> tuple[int, dict[str, Any]]:
        order = what["out_trade_no"]
        self.book.note(deed, **what)
        payment = self.book.payment(order)
        if payment is None:
            return 404, {"code": "ORDER_NOT_EXIST"}
        if deed == "close":
            payment = self.book.close(order) or payment
            return (204, {}) if payment.state == "closed" else (400, {"code": "ORDERPAID"})
        if deed == "refund":
            if payment.state != "paid":
                return 400, {"code": "INVALID_REQUEST"}
            self.book.refund(order, what["out_refund_no"], what["amount"]["refund"])
            return 200, {"status": "SUCCESS"}
        return 200, self._facts(payment)

    def _facts(self, payment: Payment) -> dict[str, Any]:
        states = {"waiting": "NOTPAY", "paid": "REFUND" if payment.refunds else "SUCCESS", "closed": "CLOSED"}
        return {
            "appid": self.account.app_id,
            "mchid": self.account.merchant_id,
            "out_trade_no": payment.order,
            "transaction_id": payment.gateway_number,
            "trade_type": "APP",
            "trade_state": states[payment.state],
            "amount": {"total": payment.fen, "payer_total": payment.fen, "currency": "CNY", "payer_currency": "CNY"},
            **({"success_time": payment.paid_at} if payment.paid_at else {}),
        }

    def bill(self, day: date) -> list[BillLine]:
        self.book.note("bill", day=f"{day}")
        return list(self.book.lines(day))

    def notification(self, order: str, fen: int, *, status: Status = "success", tamper: Tampering = "") -> Notice:
        payment = played(self.book, order, fen, status, tamper)
        facts = self._facts(payment)
        if tamper == "appid":
            facts["appid"] = "wx9999999999999999"
        event = "TRANSACTION.SUCCESS" if payment.state == "paid" else "TRANSACTION.CLOSED"
        return self.signed(facts, event=event, spoiled=tamper == "sign")

    def signed(
        self,
        facts: Mapping[str, Any],
        *,
        event: str = "TRANSACTION.SUCCESS",
        kind: str = "transaction",
        at: float | None = None,
        spoiled: bool = False,
    ) -> Notice:
        """A notification with these facts sealed in it, as WeChat signs it."""
        from wechatpayv3.utils import load_private_key, rsa_sign

        nonce, moment = secrets.token_hex(6), str(int(time.time() if at is None else at))
        sealed = AESGCM(self.account.api_v3_key.encode()).encrypt(
            nonce.encode(), json.dumps(facts).encode(), kind.encode()
        )
        body = json.dumps(
            {
                "id": secrets.token_hex(16),
                "create_time": timezone.localtime().isoformat(timespec="seconds"),
                "resource_type": "encrypt-resource",
                "event_type": event,
                "summary": "支付成功",
                "resource": {
                    "original_type": kind,
                    "algorithm": "AEAD_AES_256_GCM",
                    "ciphertext": base64.b64encode(sealed).decode(),
                    "associated_data": kind,
                    "nonce": nonce,
                },
            },
            ensure_ascii=False,
        )
        signature = rsa_sign(load_private_key(rsa_pair("wechat-gateway").private), f"{moment}\n{nonce}\n{body}\n")
        headers = {
            "content-type": "application/json",
            "wechatpay-timestamp": moment,
            "wechatpay-nonce": nonce,
            "wechatpay-serial": self.account.gateway_key_id,
            "wechatpay-signature": spoil(signature) if spoiled else signature,
            "wechatpay-signature-type": SIGNATURE_TYPE,
        }
        return Notice(headers, body.encode())


class DevelopmentStore(AppleStore):
    development_only: ClassVar[bool] = True

    @cached_property
    def account(self) -> StoreAccount:
        return StoreAccount(
            bundle_id="com.example.heihei",
            app_id=1000000001,
            environment="Sandbox",
            roots=(store_chain().certificates[2],),
        )

    def purchase(self, product_id: str, **other: Any) -> str:
        """A transaction as StoreKit would give it to the app; `other` replaces any of its fields."""
        now = int(time.time() * 1000)
        return self.signed(
            {
                "transactionId": str(10**15 + secrets.randbelow(10**15)),
                "bundleId": self.account.bundle_id,
                "productId": product_id,
                "purchaseDate": now,
                "quantity": 1,
                "type": "Consumable",
                "inAppOwnershipType": "PURCHASED",
                "signedDate": now,
                "environment": self.account.environment,
                "transactionReason": "PURCHASE",
                "storefront": "CHN",
                "currency": "CNY",
                **other,
            }
        )

    def news(self, deed: str, signed_purchase: str = "", **other: Any) -> Notice:
        """A server notification of version 2 about this purchase."""
        data = {
            "appAppleId": self.account.app_id,
            "bundleId": self.account.bundle_id,
            "environment": self.account.environment,
            **({"signedTransactionInfo": signed_purchase} if signed_purchase else {}),
        }
        said = {
            "notificationType": deed,
            "notificationUUID": secrets.token_hex(16),
            "version": "2.0",
            "signedDate": int(time.time() * 1000),
            "data": data,
            **other,
        }
        return Notice({"content-type": "application/json"}, json.dumps({"signedPayload": self.signed(said)}).encode())

    def plays(self, product_id: str, token: str, *, status: Status = "success", tamper: Tampering = "") -> Notice:
        """What Apple would tell of a purchase for which the app gave this token: paid for, or paid back."""
        changed = {"bundleId": "com.example.other"} if tamper == "appid" else {}
        changed |= {"productId": f"{product_id}0"} if tamper == "amount" else {}
        number = str(int(token.replace("-", "")[:13], 16))  # the same at every call
        purchase = self.purchase(product_id, transactionId=number, appAccountToken=token, **changed)
        notice = self.news("ONE_TIME_CHARGE" if status == "success" else "REFUND", purchase)
        if tamper == "sign":
            payload, _, signature = json.loads(notice.body)["signedPayload"].rpartition(".")
            notice = Notice(notice.headers, json.dumps({"signedPayload": f"{payload}.{spoil(signature)}"}).encode())
        return notice

    def signed(self, said: Mapping[str, Any]) -> str:
        chain = store_chain()
        x5c = [base64.b64encode(certificate).decode() for certificate in chain.certificates]
        return jwt.encode(dict(said), chain.leaf_key, algorithm="ES256", headers={"x5c": x5c})


def played(book: Book, order: str, fen: int, status: Status, tamper: Tampering) -> Payment:
    """The payment as the notification is to tell it."""
    if tamper:
        paid_at = timezone.localtime().isoformat(timespec="seconds")
        return Payment(order, fen + (1 if tamper == "amount" else 0), "paid", f"9{order[-12:]:0>27}", paid_at)
    if status == "closed":
        book.begin(order, fen)
        return book.close(order) or Payment(order, fen, "closed")
    return book.pay(order, fen)


def spoil(signature: str) -> str:
    """One character other than it was, still base64."""
    return ("B" if signature[0] == "A" else "A") + signature[1:]
