"""D4: one table of numbers and sentences, compared with the document's data."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from heihei_site.api.errors import TEXT_AT, Refusal, catalogue

DOCUMENTED: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "contract" / "endpoints.json").read_text()
)
# Documented half in English: a person reads Chinese (D3).
IN_CHINESE = {
    (725, "live is not inactive"): "直播未开始或已结束",
    (726, "invalid packageId"): "无效的套餐",
    (726, "invalid package"): "无效的套餐",
    (726, "invalid alipaycode"): "无效的支付宝账号",
    (727, "invalid order"): "无效的订单",
    (732, "chat无效"): "对话无效",
    (733, "room无效"): "房间无效",
}
OURS = {
    (-1, "服务器开小差了"),
    (400, "第三方登录暂时不可用，请稍后再试"),
    (400, "管理员人数已满"),
    (400, "支付暂时不可用，请稍后再试"),
    (400, "实名认证服务暂时不可用，请稍后再试"),
    (429, "操作太频繁"),
    (700, "标题含有不允许的词，请修改后再试"),
    (700, "提现金额低于最低限额"),
    (700, "超过每日提现限额"),
    (711, "请重新登录后再试"),
    (721, "今日充值已达上限"),
    (721, "您已被禁止开播"),
    (721, "注册时间太短，暂时不能提现"),
}
NOT_AT_AN_ENDPOINT = {(757, "无法删除不属于自己的录音")}  # two texts of one code in one list: contract_notes (b)


def texts(code: int, path: str) -> set[str]:
    return {refusal.text_at(path) for refusal in catalogue() if refusal.code == code}


@pytest.mark.parametrize("path", sorted(DOCUMENTED))
def test_every_documented_refusal_has_its_number_and_its_words(path):
    for number, text in DOCUMENTED[path].get("errors", {}).items():
        code = int(number)
        wanted = IN_CHINESE.get((code, text), text.replace("token 无效", "token无效"))
        assert wanted in texts(code, path.removeprefix("/api/")), (code, text)


def test_nothing_is_in_the_table_that_nobody_documented():
    documented = {
        (int(code), IN_CHINESE.get((int(code), text), text.replace("token 无效", "token无效")))
        for endpoint in DOCUMENTED.values()
        for code, text in endpoint.get("errors", {}).items()
    }
    ours = {(refusal.code, refusal.text) for refusal in catalogue()} | {
        (code, text) for (code, _), text in TEXT_AT.items()
    }
    assert ours == documented | OURS | NOT_AT_AN_ENDPOINT


def test_wording_by_endpoint_belongs_to_documented_endpoints():
    assert {f"/api/{path}" for _, path in TEXT_AT} <= set(DOCUMENTED)


def test_every_sentence_is_fit_to_show_a_person():
    for refusal in catalogue():
        assert re.search("[一-鿿]", refusal.text), refusal


def test_the_table_stands_in_code_order():
    written = [refusal.code for refusal in Refusal.__subclasses__()]
    assert written == sorted(written)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "text"),
    [("live/join-live", "直播无效"), ("live/buy-bullet", "无效的直播"), ("live/start-live", "直播无效")],
)
def test_the_same_number_is_worded_as_each_endpoint_words_it(api, path, text):
    from tests import factories

    answer = api(factories.person()).post(path, liveId=5, message="x")
    assert answer == {"errorcode": 731, "errormsg": text}
