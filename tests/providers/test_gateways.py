"""The real adapters against servers that answer as Alipay and WeChat Pay do, signed with keys of their own."""

import base64
import json
import secrets
import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from heihei_site.providers.gateways import development
from heihei_site.providers.gateways.alipay import Alipay
from heihei_site.providers.gateways.base import Due, GatewayFault, RefundRefused, TradeState
from heihei_site.providers.gateways.keys import rsa_pair
from heihei_site.providers.gateways.wechat import SIGNATURE_TYPE, WechatPay
from tests.providers.vendor import Says, vendor

ORDER = "2026112800001"


def due() -> Due:
    return Due(ORDER, 600, "黑黑钻石 60", timezone.now() + timedelta(minutes=30), "https://example.com/callback")


class TestAlipay:
    @pytest.fixture
    def server(self):
        with vendor() as server:
            yield server

    @pytest.fixture
    def gateway(self, settings: Any, server) -> Alipay:
        twin = development.DevelopmentAlipay().account
        settings.ALIPAY_APP_ID, settings.ALIPAY_SELLER_ID = twin.app_id, twin.seller_id
        settings.ALIPAY_APP_PRIVATE_KEY, settings.ALIPAY_PUBLIC_KEY = twin.private_key, twin.gateway_key
        settings.ALIPAY_GATEWAY = f"{server.url}/gateway.do"
        settings.GATEWAY_JOB_TIMEOUT = 2
        return Alipay()

    def says(self, server, api: str, *, spoiled: bool = False, **what: str) -> None:
        """An answer to this question, signed as Alipay signs it: the bytes of the inner object."""
        inner = json.dumps({"code": "10000", "msg": "Success", **what}, ensure_ascii=False)
        signature = development.DevelopmentAlipay().signer("RSA2")._sign(inner)
        signature = development.spoil(signature) if spoiled else signature
        name = api.replace(".", "_") + "_response"
        server.answers["/gateway.do"] = Says(f'{{"{name}":{inner},"sign":"{signature}"}}')

    def test_a_payment_is_found(self, gateway, server):
        self.says(server, "alipay.trade.query", out_trade_no=ORDER, trade_no="20261", trade_status="TRADE_SUCCESS",
                  total_amount="6.00", send_pay_date="2026-11-28 10:00:00")  # fmt: skip
        trade = gateway.query(ORDER)
        assert (trade.state, trade.fen, trade.gateway_number) == (TradeState.PAID, 600, "20261")
        ((_, _, asked),) = server.asked
        assert (asked["method"], json.loads(asked["biz_content"])) == ("alipay.trade.query", {"out_trade_no": ORDER})

    def test_one_that_nobody_has_begun_may_still_be(self, gateway, server):
        self.says(server, "alipay.trade.query", code="40004", sub_code="ACQ.TRADE_NOT_EXIST")
        assert gateway.query(ORDER).state is TradeState.WAITING
        self.says(server, "alipay.trade.close", code="40004", sub_code="ACQ.TRADE_NOT_EXIST")
        gateway.close(ORDER)

    @pytest.mark.parametrize(
        "answer",
        [
            {"spoiled": True, "out_trade_no": ORDER, "trade_status": "TRADE_SUCCESS", "total_amount": "6.00"},
            {"out_trade_no": "another", "trade_status": "TRADE_SUCCESS", "total_amount": "6.00"},
            {"out_trade_no": ORDER, "trade_status": "TRADE_SUCCESS", "total_amount": "6e2"},
            {"code": "20000", "sub_code": "isp.unknow-error"},
            {},
        ],
    )
    def test_anything_else_says_nothing(self, gateway, server, answer):
        self.says(server, "alipay.trade.query", **answer)
        with pytest.raises(GatewayFault):
            gateway.query(ORDER)

    @pytest.mark.parametrize("says", [Says("<html>", 502), Says("", after=3), Says("{}")])
    def test_so_does_a_gateway_in_trouble(self, gateway, server, says):
        server.answers["/gateway.do"] = says
        with pytest.raises(GatewayFault):
            gateway.query(ORDER)

    def test_a_refund_is_paid_refused_or_unknown(self, gateway, server):
        ask = {"order": ORDER, "refund": "R1", "fen": 600, "of": 600}
        self.says(server, "alipay.trade.refund", out_trade_no=ORDER, fund_change="Y", refund_fee="6.00")
        assert gateway.refund(**ask) is True
        assert json.loads(server.asked[0][2]["biz_content"]) == {
            "out_trade_no": ORDER,
            "out_request_no": "R1",
            "refund_amount": "6.00",
        }
        self.says(server, "alipay.trade.refund", code="40004", sub_code="ACQ.TRADE_HAS_FINISHED")
        with pytest.raises(RefundRefused, match="TRADE_HAS_FINISHED"):
            gateway.refund(**ask)
        for passing in ({"code": "40004", "sub_code": "ACQ.SYSTEM_ERROR"}, {"code": "20000"}):
            self.says(server, "alipay.trade.refund", **passing)
            with pytest.raises(GatewayFault):
                gateway.refund(**ask)

    def test_a_day_without_a_payment_has_no_bill(self, gateway, server):
        api = "alipay.data.dataservice.bill.downloadurl.query"
        self.says(server, api, code="40004", sub_code="isp.bill_not_exist")
        assert gateway.bill(timezone.localdate()) == []
        self.says(server, api, bill_download_url=f"{server.url}/bill")
        server.answers["/bill"] = Says("gone", 404)
        with pytest.raises(GatewayFault):
            gateway.bill(timezone.localdate())


class TestWechat:
    @pytest.fixture
    def server(self):
        with vendor() as server:
            yield server

    @pytest.fixture
    def gateway(self, settings: Any, server) -> WechatPay:
        twin = development.DevelopmentWechatPay().account
        settings.WECHAT_PAY_APP_ID, settings.WECHAT_PAY_MERCHANT_ID = twin.app_id, twin.merchant_id
        settings.WECHAT_PAY_PRIVATE_KEY, settings.WECHAT_PAY_PUBLIC_KEY = twin.private_key, twin.gateway_key
        settings.WECHAT_PAY_CERTIFICATE_SERIAL = twin.certificate_serial
        settings.WECHAT_PAY_API_V3_KEY, settings.WECHAT_PAY_PUBLIC_KEY_ID = twin.api_v3_key, twin.gateway_key_id
        settings.WECHAT_PAY_API = server.url
        settings.GATEWAY_TIMEOUT, settings.GATEWAY_JOB_TIMEOUT = 1, 2
        return WechatPay()

    def says(self, server, path: str, what: dict[str, Any], status: int = 200, *, spoiled: bool = False) -> None:
        from wechatpayv3.utils import load_private_key, rsa_sign

        body, moment, nonce = json.dumps(what, ensure_ascii=False), str(int(time.time())), secrets.token_hex(8)
        signature = rsa_sign(load_private_key(rsa_pair("wechat-gateway").private), f"{moment}\n{nonce}\n{body}\n")
        server.answers[path] = Says(
            body,
            status,
            headers={
                "Wechatpay-Timestamp": moment,
                "Wechatpay-Nonce": nonce,
                "Wechatpay-Serial": development.DevelopmentWechatPay().account.gateway_key_id,
                "Wechatpay-Signature": development.spoil(signature) if spoiled else signature,
                "Wechatpay-Signature-Type": SIGNATURE_TYPE,
            },
        )

    def facts(self, **changed: Any) -> dict[str, Any]:
        account = development.DevelopmentWechatPay().account
        return {
            "appid": account.app_id,
            "mchid": account.merchant_id,
            "out_trade_no": ORDER,
            "transaction_id": "42001",
            "trade_state": "SUCCESS",
            "success_time": "2026-11-28T10:00:00+08:00",
            "amount": {"total": 600, "currency": "CNY"},
            **changed,
        }

    def test_a_purchase_begins(self, gateway, server):
        self.says(server, "/v3/pay/transactions/app", {"prepay_id": "wx201"})
        data = gateway.begin(due())
        assert (data["prepayid"], data["package"]) == ("wx201", "Sign=WXPay")
        assert base64.b64decode(data["sign"], validate=True)

    @pytest.mark.parametrize(
        ("status", "what", "how"),
        [(200, {}, {}), (200, {"prepay_id": "wx1"}, {"spoiled": True}), (400, {"code": "PARAM_ERROR"}, {})],
    )
    def test_or_it_does_not(self, gateway, server, status, what, how):
        self.says(server, "/v3/pay/transactions/app", what, status, **how)
        with pytest.raises(GatewayFault):
            gateway.begin(due())

    def test_and_nobody_waits_for_long(self, gateway, server):
        server.answers["/v3/pay/transactions/app"] = Says({"prepay_id": "wx1"}, after=8)
        began = time.monotonic()
        with pytest.raises(GatewayFault):
            gateway.begin(due())
        assert time.monotonic() - began < 6

    def test_a_payment_is_found(self, gateway, server):
        self.says(server, f"/v3/pay/transactions/out-trade-no/{ORDER}", self.facts())
        trade = gateway.query(ORDER)
        assert (trade.state, trade.fen, trade.gateway_number) == (TradeState.PAID, 600, "42001")

    def test_one_that_was_paid_back_is_not_credited_any_more(self, gateway, server):
        self.says(server, f"/v3/pay/transactions/out-trade-no/{ORDER}", self.facts(trade_state="REFUND"))
        assert gateway.query(ORDER).state is TradeState.CLOSED

    def test_one_that_nobody_has_begun_may_still_be(self, gateway, server):
        self.says(server, f"/v3/pay/transactions/out-trade-no/{ORDER}", {"code": "ORDER_NOT_EXIST"}, 404)
        assert gateway.query(ORDER).state is TradeState.WAITING

    @pytest.mark.parametrize(
        ("changed", "how"),
        [({}, {"spoiled": True}), ({"mchid": "1"}, {}), ({"appid": "wx1"}, {}), ({"out_trade_no": "2"}, {})],
    )
    def test_anything_else_says_nothing(self, gateway, server, changed, how):
        self.says(server, f"/v3/pay/transactions/out-trade-no/{ORDER}", self.facts(**changed), **how)
        with pytest.raises(GatewayFault):
            gateway.query(ORDER)

    def test_it_is_closed_or_not(self, gateway, server):
        path = f"/v3/pay/transactions/out-trade-no/{ORDER}/close"
        self.says(server, path, {"code": "ORDERPAID"}, 400)
        with pytest.raises(GatewayFault):
            gateway.close(ORDER)
        self.says(server, path, {"code": "ORDER_NOT_EXIST"}, 404)
        gateway.close(ORDER)

    def test_a_refund_is_paid_under_way_refused_or_unknown(self, gateway, server):
        ask, path = {"order": ORDER, "refund": "R1", "fen": 600, "of": 600}, "/v3/refund/domestic/refunds"
        self.says(server, path, {"status": "SUCCESS"})
        assert gateway.refund(**ask) is True
        self.says(server, path, {"status": "PROCESSING"})
        assert gateway.refund(**ask) is False
        for status, what in ((400, {"code": "INVALID_REQUEST"}), (200, {"status": "CLOSED"})):
            self.says(server, path, what, status)
            with pytest.raises(RefundRefused):
                gateway.refund(**ask)
        for status, what in ((403, {"code": "NOT_ENOUGH"}), (429, {"code": "FREQUENCY_LIMITED"}), (500, {})):
            self.says(server, path, what, status)
            with pytest.raises(GatewayFault):
                gateway.refund(**ask)
