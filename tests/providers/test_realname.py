"""Names and id cards checked by Aliyun, against a server of ours that answers as theirs."""

from collections.abc import Iterator
from typing import Any

import pytest

from heihei_site.providers import outbox, registry
from heihei_site.providers.realname.base import Unreachable
from tests.providers.vendor import Says, Vendor, vendor

NAME, IDCARD = "王小明", "11010519491231002X"


def found(code: str) -> dict[str, Any]:
    return {"RequestId": "F655", "Code": "200", "Message": "success", "ResultObject": {"BizCode": code}}


@pytest.fixture
def aliyun(settings: Any) -> Iterator[Vendor]:
    settings.PROVIDERS = {"realname": "heihei_site.providers.realname.aliyun.AliyunRealName"}
    settings.ALIYUN_ACCESS_KEY_ID, settings.ALIYUN_ACCESS_KEY_SECRET = "testid", "testsecret"
    with vendor() as server:
        settings.REALNAME_ENDPOINT, settings.REALNAME_PROTOCOL = server.url.removeprefix("http://"), "HTTP"
        yield server


def matches() -> bool:
    return registry.realname().matches(name=NAME, idcard=IDCARD)


@pytest.mark.parametrize(("code", "same"), [("1", True), ("2", False), ("3", False)])
def test_one_question_is_one_signed_call(aliyun: Vendor, settings: Any, code: str, same: bool) -> None:
    settings.IDENTITY_TIMEOUT = 10  # the SDK takes its time to be imported
    aliyun.answers["/"] = Says(found(code))
    assert matches() is same
    [(_, _, params)], [headers] = aliyun.asked, aliyun.headers
    assert (params["UserName"], params["IdentifyNum"], params["ParamType"]) == (NAME, IDCARD, "normal")
    assert (headers["x-acs-action"], headers["x-acs-version"]) == ("Id2MetaVerify", "2019-03-07")
    assert headers["Authorization"].startswith("ACS3-HMAC-SHA256 Credential=testid,")


@pytest.mark.parametrize(
    "answer",
    [
        Says({"Code": "Throttling.User", "Message": IDCARD}, status=400),
        Says({"Code": "401", "Message": NAME}),
        Says(found("9")),
        Says({"Code": "200"}),
        Says("<html>502</html>", status=502),
        Says("[]"),
    ],
)
def test_no_answer_is_no_verdict_and_quotes_nobody(
    aliyun: Vendor, settings: Any, answer: Says, caplog: pytest.LogCaptureFixture
) -> None:
    settings.IDENTITY_TIMEOUT = 10
    aliyun.answers["/"] = answer
    with pytest.raises(Unreachable) as why:
        matches()
    logged = f"{why.value}{caplog.text}"
    assert "realname_unreachable" in logged
    assert NAME not in logged
    assert IDCARD not in logged


def test_a_vendor_that_hangs_keeps_nobody_longer_than_a_phone_waits(aliyun: Vendor, settings: Any) -> None:
    settings.IDENTITY_TIMEOUT = 0.3
    aliyun.answers["/"] = Says(found("1"), after=2)
    with pytest.raises(Unreachable, match="Timeout"):
        matches()


def test_the_twin_writes_the_card_with_stars(settings: Any, tmp_path: Any) -> None:
    settings.VAR_DIR = tmp_path
    assert matches()
    assert not registry.realname().matches(name="查无此人", idcard=IDCARD)
    assert [(line["name"], line["matches"]) for line in outbox.lines("realname")] == [(NAME, True), ("查无此人", False)]
    assert IDCARD not in (tmp_path / "outbox" / "realname.jsonl").read_text()
