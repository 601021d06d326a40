"""Transfers through python-alipay-sdk, against a server of ours that signs as Alipay does, with keys made here."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from django.core.checks import run_checks

from heihei_site.providers import registry
from heihei_site.providers.payouts import alipay
from heihei_site.providers.payouts.base import Payee, Result, Said
from tests.providers.vendor import Says, Vendor, vendor

NUMBER, PAYEE = "0cc175b9c0f1b6a831c399e269772661", Payee("wang@example.com", "王小明")
TRANSFER, QUERY = "alipay_fund_trans_uni_transfer_response", "alipay_fund_trans_common_query_response"
PAID = {"code": "10000", "msg": "Success", "out_biz_no": NUMBER, "order_id": "2026112832", "status": "SUCCESS"}


def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def pem(private: rsa.RSAPrivateKey) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return private.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def certificate(private: rsa.RSAPrivateKey) -> bytes:
    attributes = {
        NameOID.COMMON_NAME: "test",
        NameOID.ORGANIZATIONAL_UNIT_NAME: "test",
        NameOID.ORGANIZATION_NAME: "heihei",
        NameOID.COUNTRY_NAME: "CN",
    }
    name = x509.Name([x509.NameAttribute(kind, text) for kind, text in attributes.items()])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(7)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
    )
    return made.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


class Alipay:
    """`says` makes an answer signed with Alipay's key, or another's."""

    def __init__(self, server: Vendor, private: rsa.RSAPrivateKey) -> None:
        self.server, self.private = server, private

    def says(self, name: str, said: dict[str, Any], *, key: rsa.RSAPrivateKey | None = None) -> None:
        inner = json.dumps(said, ensure_ascii=False)
        sign = (key or self.private).sign(inner.encode(), padding.PKCS1v15(), hashes.SHA256())
        text = f'{{"{name}":{inner},"alipay_cert_sn":"1","sign":"{base64.b64encode(sign).decode()}"}}'
        self.server.answers["/gateway.do"] = Says(text)

    def asked(self) -> dict[str, Any]:
        (_, _, params), *_ = self.server.asked
        return {**params, "biz_content": json.loads(params["biz_content"])}


@pytest.fixture(scope="module")
def keys() -> tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey]:
    """Ours and Alipay's."""
    return key(), key()


@pytest.fixture
def gateway(settings: Any, tmp_path: Path, keys: tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey]) -> Iterator[Alipay]:
    ours, theirs = keys
    files = {
        "ALIPAY_PAYOUT_KEY": pem(ours),
        "ALIPAY_PAYOUT_APP_CERT": certificate(ours),
        "ALIPAY_PAYOUT_PUBLIC_CERT": certificate(theirs),
        "ALIPAY_PAYOUT_ROOT_CERT": certificate(theirs),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        setattr(settings, name, str(tmp_path / name))
    settings.ALIPAY_PAYOUT_APP = "2021000000000000"
    settings.PROVIDERS = {"payouts": "heihei_site.providers.payouts.alipay.AlipayPayouts"}
    alipay._client.cache_clear()
    with vendor() as server:
        settings.ALIPAY_PAYOUT_GATEWAY = f"{server.url}/gateway.do"
        yield Alipay(server, theirs)
    alipay._client.cache_clear()


def transfer() -> Result:
    return registry.payouts().transfer(number=NUMBER, fen=1_050, payee=PAYEE)


def test_a_transfer_is_one_signed_call_with_certificates(gateway: Alipay, keys: Any) -> None:
    gateway.says(TRANSFER, PAID)
    assert transfer() == Result(Said.PAID, number="2026112832")
    asked = gateway.asked()
    assert asked["method"] == "alipay.fund.trans.uni.transfer"
    assert asked["biz_content"] == {
        "out_biz_no": NUMBER,
        "trans_amount": "10.50",
        "product_code": "TRANS_ACCOUNT_NO_PWD",
        "biz_scene": "DIRECT_TRANSFER",
        "order_title": "黑票提现",
        "payee_info": {"identity": "wang@example.com", "identity_type": "ALIPAY_LOGON_ID", "name": "王小明"},
    }
    assert asked["app_cert_sn"]
    assert asked["alipay_root_cert_sn"]
    (_, _, params), *_ = gateway.server.asked
    signed = "&".join(f"{name}={params[name]}" for name in sorted(params) if name != "sign")
    keys[0].public_key().verify(base64.b64decode(params["sign"]), signed.encode(), padding.PKCS1v15(), hashes.SHA256())


def test_alipays_own_number_of_a_person_is_recognised(gateway: Alipay) -> None:
    gateway.says(TRANSFER, PAID)
    registry.payouts().transfer(number=NUMBER, fen=1, payee=Payee("2088123456789012", "王小明"))
    assert gateway.asked()["biz_content"]["payee_info"]["identity_type"] == "ALIPAY_USER_ID"


@pytest.mark.parametrize(
    ("said", "result"),
    [
        ({"code": "40004", "sub_code": "PAYEE_NOT_EXIST"}, Result(Said.REFUSED, reason="PAYEE_NOT_EXIST")),
        ({"code": "40004", "sub_code": "PAYEE_USER_INFO_ERROR"}, Result(Said.REFUSED, reason="PAYEE_USER_INFO_ERROR")),
        (
            {"code": "40004", "sub_code": "PAYER_BALANCE_NOT_ENOUGH"},
            Result(Said.UNKNOWN, reason="PAYER_BALANCE_NOT_ENOUGH"),
        ),
        ({"code": "20000", "sub_code": "SYSTEM_ERROR"}, Result(Said.UNKNOWN, reason="SYSTEM_ERROR")),
        (PAID | {"status": "DEALING"}, Result(Said.UNKNOWN, reason="DEALING")),
        (PAID | {"out_biz_no": "another"}, Result(Said.UNKNOWN, reason="SUCCESS")),
    ],
)
def test_only_the_payees_own_trouble_is_a_no(gateway: Alipay, said: dict[str, Any], result: Result) -> None:
    """What is ours, and what passes, keeps the person waiting and is told to operators."""
    gateway.says(TRANSFER, said)
    assert transfer() == result


@pytest.mark.parametrize(
    ("said", "result"),
    [
        (PAID, Result(Said.PAID, number="2026112832")),
        (PAID | {"status": "DEALING"}, Result(Said.UNKNOWN, reason="DEALING")),
        (PAID | {"status": "INIT"}, Result(Said.UNKNOWN, reason="INIT")),
        (
            PAID | {"status": "FAIL", "error_code": "PAYEE_CARD_INFO_ERROR"},
            Result(Said.REFUSED, reason="PAYEE_CARD_INFO_ERROR"),
        ),
        (PAID | {"status": "REFUND"}, Result(Said.REFUSED, reason="REFUND")),
        ({"code": "40004", "sub_code": "ORDER_NOT_EXIST"}, Result(Said.NEVER_HEARD, reason="ORDER_NOT_EXIST")),
        ({"code": "20000", "sub_code": "SYSTEM_ERROR"}, Result(Said.UNKNOWN, reason="SYSTEM_ERROR")),
        (PAID | {"out_biz_no": "another"}, Result(Said.UNKNOWN, reason="SUCCESS")),
    ],
)
def test_what_became_of_a_number(gateway: Alipay, said: dict[str, Any], result: Result) -> None:
    gateway.says(QUERY, said)
    assert registry.payouts().query(NUMBER) == result
    assert gateway.asked()["method"] == "alipay.fund.trans.common.query"


def test_a_forged_answer_is_none(gateway: Alipay) -> None:
    """Neither a yes, which would close it unpaid, nor a no, which would bring the points back."""
    refused = {"code": "40004", "sub_code": "PAYEE_NOT_EXIST"}
    for said in (PAID, refused):
        gateway.says(TRANSFER, said, key=key())
        assert transfer() == Result(Said.UNKNOWN, reason="AliPayValidationError")
    for body in ({TRANSFER: PAID}, {TRANSFER: refused}, {TRANSFER: PAID, "sign": "=="}, {"error_response": refused}):
        gateway.server.answers["/gateway.do"] = Says(body)
        assert transfer().said is Said.UNKNOWN


@pytest.mark.parametrize("answer", ["", "<html>502</html>", "[]", "{broken", '{"sign": 1}'])
def test_whatever_else_comes_back_is_no_answer(gateway: Alipay, answer: str) -> None:
    gateway.server.answers["/gateway.do"] = Says(answer)
    assert transfer().said is Said.UNKNOWN
    assert registry.payouts().query(NUMBER).said is Said.UNKNOWN


def test_a_gateway_that_is_slow_or_away_has_not_answered(
    gateway: Alipay, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.PAYOUT_TIMEOUT = 0.2
    gateway.says(TRANSFER, PAID)
    gateway.server.answers["/gateway.do"].after = 1
    assert transfer() == Result(Said.UNKNOWN, reason="ReadTimeout")
    settings.ALIPAY_PAYOUT_GATEWAY = "http://127.0.0.1:9/gateway.do"
    assert transfer().said is Said.UNKNOWN
    logged = caplog.text
    assert "payout_gateway_unreachable" in logged
    assert PAYEE.name not in logged
    assert PAYEE.account not in logged


def test_a_deployment_needs_its_certificates(settings: Any) -> None:
    settings.PROVIDERS = {"payouts": "heihei_site.providers.payouts.alipay.AlipayPayouts"}
    (error,) = [each for each in run_checks(tags=["providers"], include_deployment_checks=True) if each.id]
    assert "ALIPAY_PAYOUT_APP, ALIPAY_PAYOUT_KEY" in error.msg
