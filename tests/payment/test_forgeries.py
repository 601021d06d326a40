"""Whoever would like gold for nothing, one line each: no credit, what came is kept with its verdict, operators are
alerted, and the answer is the gateway's own for "no" (I4)."""

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode

import jwt
import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric import ec

from heihei_site.providers.gateways import keys
from heihei_site.providers.gateways.base import Notice
from heihei_site.providers.gateways.development import DevelopmentAlipay, DevelopmentWechatPay
from payment import ledger
from payment.order_models import Notification, Order
from payment.reconciliation import breaches
from tests import factories
from tests.payment.gateways import alipay, begin, notification, pay, said, send, store, wechat

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("packages")]
NO = {
    "alipay": (200, "failure"),
    "wechat": (401, '{"code": "FAIL", "message": "验证失败"}'),
    "iap": (401, ""),
}

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def phone(api):
    return api(factories.person())


@pytest.fixture
def alerts():
    with structlog.testing.capture_logs() as logs:
        yield logs


def refused(channel, notice, alerts, *, verdict, reason):
    """What was sent does nothing but leave a trace."""
    before = list(Order.objects.values("pk", "state", "gateway_number", "gold"))
    assert said(send(channel, notice)) == NO[channel]
    assert list(Order.objects.values("pk", "state", "gateway_number", "gold")) == before
    assert all(ledger.balances(order.buyer_id) == (0, 0) for order in Order.objects.all())
    (kept,) = Notification.objects.all()
    assert (kept.channel, kept.verdict, kept.reason) == (channel, verdict, reason)
    assert kept.body.encode() == notice.body or b"\xff" in notice.body
    told = {"forged": ("payment_notification_forged", "warning"), "mismatched": ("payment_mismatched", "error")}
    assert told[verdict] in {(line["event"], line["log_level"]) for line in alerts}
    assert list(breaches()) == []


# --- Alipay ------------------------------------------------------------------------------------------------------


def fields(order):
    return dict(parse_qsl(notification(order).body.decode()))


def signed(order, **changed):
    """Really signed by the gateway, with these fields other than they should be."""
    facts = {name: value for name, value in fields(order).items() if name not in ("sign", "sign_type")}
    return alipay().signed({name: value for name, value in (facts | changed).items() if value is not None})


def form(facts):
    return Notice(FORM, urlencode(facts).encode())


def a_bad_signature(order):
    return notification(order, tamper="sign")


def a_changed_field(order):
    return form(fields(order) | {"out_trade_no": Order.objects.exclude(pk=order.pk).get().number})


def no_signature(order):
    return form({name: value for name, value in fields(order).items() if name != "sign"})


def malformed_base64(order):
    return form(fields(order) | {"sign": "a"})


def a_signature_of_other_letters(order):
    return form(fields(order) | {"sign": "中文"})


def our_own_signature(order):
    """What we sign ourselves, orders for phones, is in everybody's hands."""
    facts = {name: value for name, value in fields(order).items() if name not in ("sign", "sign_type")}
    text = "&".join(f"{name}={facts[name]}" for name in sorted(facts))
    return form(facts | {"sign_type": "RSA2", "sign": alipay().client._sign(text)})


def a_downgraded_sign_type(order):
    facts = {name: value for name, value in fields(order).items() if name not in ("sign", "sign_type")}
    return alipay().signed(facts, sign_type="RSA")


def no_sign_type(order):
    return form({name: value for name, value in fields(order).items() if name != "sign_type"})


def another_charset(order):
    return signed(order, charset="gbk")


def duplicate_keys(order):
    other = Order.objects.exclude(pk=order.pk).get().number
    return Notice(
        {"content-type": "application/x-www-form-urlencoded"},
        notification(order).body + f"&out_trade_no={other}".encode(),
    )


def no_form(order):
    return Notice(FORM, b"\xff\xfe")


def nothing(order):
    return Notice(FORM, b"")


def too_long(order):
    return Notice(
        {"content-type": "application/x-www-form-urlencoded"}, notification(order).body + b"&a=" + b"x" * 70_000
    )


def another_app(order):
    return notification(order, tamper="appid")


def another_seller(order):
    return signed(order, seller_id="2088999999999999")


def no_seller(order):
    return signed(order, seller_id=None)


def an_unknown_state(order):
    return signed(order, trade_status="TRADE_PENDING")


def an_amount_in_scientific_notation(order):
    return signed(order, total_amount="6E2")


def no_time(order):
    return signed(order, gmt_payment="yesterday")


def another_amount(order):
    return notification(order, tamper="amount")


def one_fen(order):
    return signed(order, total_amount="0.01")


def another_currency(order):
    return signed(order, trans_currency="JPY")


def no_such_order(order):
    return signed(order, out_trade_no="1" * 24)


def an_order_of_another_channel(order):
    return signed(order, out_trade_no=Order.objects.get(channel="wechat").number)


@pytest.mark.parametrize(
    ("forge", "verdict", "reason"),
    [
        (a_bad_signature, "forged", "wrong signature"),
        (a_changed_field, "forged", "wrong signature"),
        (no_signature, "forged", "wrong signature"),
        (malformed_base64, "forged", "malformed signature"),
        (a_signature_of_other_letters, "forged", "wrong signature"),
        (our_own_signature, "forged", "wrong signature"),
        (a_downgraded_sign_type, "forged", "another kind of signature"),
        (no_sign_type, "forged", "another kind of signature"),
        (another_charset, "forged", "another kind of signature"),
        (duplicate_keys, "forged", "a field came twice"),
        (no_form, "forged", "no form"),
        (nothing, "forged", "another kind of signature"),
        (another_app, "forged", "another app"),
        (another_seller, "forged", "another seller"),
        (no_seller, "forged", "another seller"),
        (an_unknown_state, "forged", "no trade of ours"),
        (an_amount_in_scientific_notation, "forged", "no amount"),
        (no_time, "forged", "no time"),
        (another_amount, "mismatched", "another amount"),
        (one_fen, "mismatched", "another amount"),
        (another_currency, "mismatched", "another currency"),
        (no_such_order, "mismatched", "no such order"),
        (an_order_of_another_channel, "mismatched", "an order of another channel"),
    ],
)
def test_alipay_is_not_believed(phone, alerts, forge, verdict, reason):
    order = begin(phone)
    begin(phone, "wechat") if forge is an_order_of_another_channel else begin(phone)
    refused("alipay", forge(order), alerts, verdict=verdict, reason=reason)


def test_what_is_too_long_is_kept_in_part(phone, alerts):
    order = begin(phone)
    assert said(send("alipay", too_long(order))) == NO["alipay"]
    kept = Notification.objects.get()
    assert (kept.reason, len(kept.body)) == ("too long", 64 * 1024)
    assert ledger.balances(order.buyer_id).gold == 0


def test_an_old_notification_again_is_answered_yes_and_is_no_second_gold(phone):
    order = begin(phone)
    old = notification(order)
    send("alipay", old)
    another = begin(phone)
    assert said(send("alipay", old)) == (200, "success")
    another.refresh_from_db()
    assert (another.state, ledger.balances(order.buyer_id).gold) == ("created", 60)


# --- WeChat Pay --------------------------------------------------------------------------------------------------


def facts_of(order, **changed):
    return wechat()._facts(wechat().book.pay(order.number, order.pay_money)) | changed


def with_headers(order, **changed):
    notice = wechat().signed(facts_of(order))
    renamed = {f"wechatpay-{name}".replace("_", "-"): value for name, value in changed.items()}
    return Notice(
        {name: value for name, value in {**notice.headers, **renamed}.items() if value is not None}, notice.body
    )


def w_bad_signature(order):
    return notification(order, "wechat", tamper="sign")


def w_malformed_base64(order):
    return with_headers(order, signature="%%%")


def w_no_signature(order):
    return with_headers(order, signature=None)


def w_unknown_serial(order):
    return with_headers(order, serial="0123456789ABCDEF")


def w_no_serial(order):
    return with_headers(order, serial=None)


def w_another_kind(order):
    return with_headers(order, signature_type="WECHATPAY2-SM2-WITH-SM3")


def w_test_probe(order):
    """WeChat itself sends signatures of this kind now and then, to see who looks."""
    return with_headers(order, signature="WECHATPAY/SIGNTEST/abc")


def w_1970(order):
    return wechat().signed(facts_of(order), at=0)


def w_six_minutes_ago(order):
    return wechat().signed(facts_of(order), at=time.time() - 360)


def w_tomorrow(order):
    return wechat().signed(facts_of(order), at=time.time() + 86400)


def w_no_number(order):
    return with_headers(order, timestamp="soon")


def w_changed_body(order):
    notice = wechat().signed(facts_of(order))
    return Notice(notice.headers, notice.body.replace(b"TRANSACTION.SUCCESS", b"REFUND.SUCCESS"))


def w_sealed_with_another_key(order):
    """The signature is the gateway's, but what is in the seal is not for us."""
    gateway = DevelopmentWechatPay()
    gateway.account = wechat().account.__class__(**{**wechat().account.__dict__, "api_v3_key": "0" * 32})
    return gateway.signed(facts_of(order))


def w_another_merchant(order):
    return wechat().signed(facts_of(order, mchid="1900000009"))


def w_another_app(order):
    return notification(order, "wechat", tamper="appid")


def w_amount_as_text(order):
    return wechat().signed(facts_of(order, amount={"total": "600", "currency": "CNY"}))


def w_another_amount(order):
    return wechat().signed(facts_of(order, amount={"total": 1, "payer_total": 600, "currency": "CNY"}))


def w_another_currency(order):
    return wechat().signed(facts_of(order, amount={"total": 600, "currency": "HKD"}))


def w_anothers_order(order):
    return wechat().signed(facts_of(order, out_trade_no="2" * 24))


def w_a_state_nobody_knows(order):
    return wechat().signed(facts_of(order, trade_state="ACCEPT"))


@pytest.mark.parametrize(
    ("forge", "verdict", "reason"),
    [
        (w_bad_signature, "forged", "wrong signature"),
        (w_malformed_base64, "forged", "wrong signature"),
        (w_test_probe, "forged", "wrong signature"),
        (w_changed_body, "forged", "wrong signature"),
        (w_sealed_with_another_key, "forged", "wrong signature"),
        (w_no_signature, "forged", "another kind of signature"),
        (w_no_serial, "forged", "another kind of signature"),
        (w_another_kind, "forged", "another kind of signature"),
        (w_unknown_serial, "forged", "unknown key"),
        (w_1970, "forged", "not of this moment"),
        (w_six_minutes_ago, "forged", "not of this moment"),
        (w_tomorrow, "forged", "not of this moment"),
        (w_no_number, "forged", "not of this moment"),
        (w_another_merchant, "forged", "another merchant"),
        (w_another_app, "forged", "another app"),
        (w_amount_as_text, "forged", "no amount"),
        (w_a_state_nobody_knows, "forged", "no trade of ours"),
        (w_another_amount, "mismatched", "another amount"),
        (w_another_currency, "mismatched", "another currency"),
        (w_anothers_order, "mismatched", "no such order"),
    ],
)
def test_wechat_is_not_believed(phone, alerts, monkeypatch, forge, verdict, reason):
    import requests

    monkeypatch.setattr(requests, "get", lambda *_, **__: pytest.fail("the gateway waits, and we ask it for keys"))
    order = begin(phone, "wechat")
    refused("wechat", forge(order), alerts, verdict=verdict, reason=reason)


# --- The App Store -----------------------------------------------------------------------------------------------


def chain(*certificates):
    return [base64.b64encode(certificate).decode() for certificate in certificates]


def claims(**changed):
    account = store().account
    return {
        "transactionId": "1000000000000007",
        "bundleId": account.bundle_id,
        "productId": "productId_60",
        "purchaseDate": int(time.time() * 1000),
        "signedDate": int(time.time() * 1000),
        "quantity": 1,
        "type": "Consumable",
        "environment": account.environment,
        **changed,
    }


def unsigned():
    return jwt.encode(claims(), None, algorithm="none", headers={"x5c": chain(*keys.store_chain().certificates)})


def with_a_shared_secret():
    """The certificate's public key taken for a secret."""
    return jwt.encode(
        claims(), "secret" * 8, algorithm="HS256", headers={"x5c": chain(*keys.store_chain().certificates)}
    )


def of_a_foreign_chain():
    key, *certificates = keys.new_chain().split("\n\n")
    der = [keys.x509.load_pem_x509_certificate(c.encode()).public_bytes(keys.Encoding.DER) for c in certificates]
    return jwt.encode(claims(), key, algorithm="ES256", headers={"x5c": chain(*der)})


def of_a_foreign_leaf_under_our_root():
    """The chain as it should be, signed by a key that is not the leaf's."""
    key = keys.pem(ec.generate_private_key(ec.SECP256R1()))
    return jwt.encode(claims(), key, algorithm="ES256", headers={"x5c": chain(*keys.store_chain().certificates)})


def without_a_chain():
    return jwt.encode(claims(), keys.store_chain().leaf_key, algorithm="ES256")


def of_two_certificates():
    ours = keys.store_chain()
    return jwt.encode(claims(), ours.leaf_key, algorithm="ES256", headers={"x5c": chain(*ours.certificates[:2])})


def changed_on_the_way():
    head, _, signature = store().signed(claims()).split(".")
    forged = base64.urlsafe_b64encode(json.dumps(claims(quantity=10)).encode()).decode().rstrip("=")
    return f"{head}.{forged}.{signature}"


def of_another_app():
    return store().signed(claims(bundleId="com.example.other"))


def of_xcode():
    return store().signed(claims(environment="Xcode"))


def of_local_testing_unsigned():
    return jwt.encode(claims(environment="LocalTesting"), None, algorithm="none")


def of_production_in_the_sandbox():
    return store().signed(claims(environment="Production"))


def a_subscription():
    return store().signed(claims(type="Auto-Renewable Subscription"))


def somebody_elses_by_the_family():
    return store().signed(claims(inAppOwnershipType="FAMILY_SHARED"))


def a_thousand_of_them():
    return store().signed(claims(quantity=1000))


def no_jws():
    return "eyJhbGciOiJFUzI1NiJ9"


@pytest.mark.parametrize(
    ("forge", "reason"),
    [
        (unsigned, "verification_failure"),
        (with_a_shared_secret, "verification_failure"),
        (of_a_foreign_chain, "verification_failure"),
        (of_a_foreign_leaf_under_our_root, "verification_failure"),
        (without_a_chain, "verification_failure"),
        (of_two_certificates, "invalid_chain_length"),
        (changed_on_the_way, "verification_failure"),
        (of_another_app, "invalid_app_identifier"),
        (of_xcode, "invalid_environment"),
        (of_local_testing_unsigned, "verification_failure"),
        (of_production_in_the_sandbox, "invalid_environment"),
        (a_subscription, "not what we sell"),
        (somebody_elses_by_the_family, "not what we sell"),
        (a_thousand_of_them, "no quantity"),
        (no_jws, "verification_failure"),
    ],
)
def test_the_app_store_is_not_believed_from_the_phone_nor_from_a_server(phone, alerts, forge, reason):
    order = begin(phone, "iap")
    signed_by_nobody = forge()
    notice = store().news("ONE_TIME_CHARGE", signed_by_nobody)
    refused("iap", notice, alerts, verdict="forged", reason=reason)
    answer = phone.post("payment/order-notify", order=order.number, status=1, data=signed_by_nobody)
    assert answer["errorcode"] == 727
    order.refresh_from_db()
    assert (order.state, ledger.balances(order.buyer_id).gold) == ("created", 0)
    assert set(Notification.objects.values_list("verdict", flat=True)) == {"forged"}


@pytest.mark.parametrize("tamper", ["sign", "appid"])
def test_nor_is_a_server_that_signs_with_something_else(phone, alerts, tamper):
    order = begin(phone, "iap")
    assert said(send("iap", store().plays(order.product_id, str(order.account_token), tamper=tamper))) == NO["iap"]
    assert Notification.objects.get().verdict == "forged"
    assert ledger.balances(order.buyer_id).gold == 0


def test_a_product_we_do_not_sell_is_no_gold(phone, alerts):
    order = begin(phone, "iap")
    token = str(order.account_token)
    notice = store().news("ONE_TIME_CHARGE", store().purchase("productId_1000000", appAccountToken=token))
    refused("iap", notice, alerts, verdict="mismatched", reason="an unknown product")


@pytest.mark.parametrize("environment", ["Xcode", "LocalTesting", "production", ""])
def test_no_setting_leads_where_nothing_is_verified(settings, environment):
    from heihei_site.providers.gateways.apple import AppleStore

    settings.APPLE_ENVIRONMENT, settings.APPLE_BUNDLE_ID, settings.APPLE_APP_ID = environment, "com.example.heihei", 1
    with pytest.raises(ValueError, match="Production, Sandbox"):
        AppleStore().read_purchase(of_xcode())


# --- What comes besides ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["alipay", "wechat", "iap"])
def test_a_flood_of_forgeries_is_not_kept(channel, settings):
    settings.FORGERIES_AN_ADDRESS = "3/minute"
    for _ in range(5):
        assert said(send(channel, Notice({"content-type": "text/plain"}, b"nonsense"))) == NO[channel]
    assert Notification.objects.count() == 3


def test_forgeries_are_forgotten_after_a_while_and_nothing_else_is(phone):
    from payment.tasks import forget_forgeries

    pay(begin(phone), tamper="sign")
    pay(begin(phone), tamper="amount")
    pay(begin(phone))
    forget_forgeries()
    assert Notification.objects.count() == 3
    Notification.objects.update(received_at=datetime.now(UTC) - timedelta(days=31))
    forget_forgeries()
    assert set(Notification.objects.values_list("verdict", flat=True)) == {"mismatched", "accepted"}


def test_what_fails_on_our_side_is_not_answered_with_yes(phone, monkeypatch):
    """Our own envelope has HTTP 200, which WeChat takes for yes."""
    order = begin(phone, "wechat")
    monkeypatch.setattr(DevelopmentWechatPay, "read", lambda self, notice: 1 / 0)
    assert said(pay(order)) == (500, "")
    monkeypatch.setattr(DevelopmentAlipay, "read", lambda self, notice: 1 / 0)
    assert said(pay(begin(phone))) == (500, "")
