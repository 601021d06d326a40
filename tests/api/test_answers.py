"""D3: whatever happens under /api, the answer is HTTP 200 and a JSON object that a phone can read."""

import json
import logging

import pytest
from django.test import Client

from tests.api.kit import FRAMEWORK_ERRORS

pytestmark = pytest.mark.urls("tests.api.kit")
WRONG = {"errorcode": 700, "errormsg": "参数错误"}


def test_success_is_zero_and_says_success(api):
    assert api().post("kit/refuse", declared="perhaps") == WRONG
    assert api().post("kit/few") == {"errorcode": 0, "errormsg": "success"}


@pytest.mark.parametrize("path", ["nothing", "live/nothing", "live/join-live/", "init/", "kit/show/x", "%00", "中文"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_path_is_a_wrong_parameter(call, path, method):
    assert call(path, method=method) == WRONG


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
@pytest.mark.parametrize("path", ["kit/show", "live/create-live"])
def test_a_wrong_method_is_a_wrong_parameter(call, path, method):
    assert call(path, method=method) == WRONG


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "a b", "127.0.0.1:x", "'", "", "@"])
def test_a_foreign_host_is_a_wrong_parameter(host):
    answer = Client().get("/api/init?ap=heihei", headers={"host": host})
    assert (answer.status_code, answer.json()) == (200, WRONG)


def test_outside_the_api_the_usual_status_is_kept():
    assert Client().get("/nothing").status_code == 404
    assert Client().get("/", headers={"host": "evil.example"}).status_code == 400


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/*", "*/*;q=0", "nonsense", ""])
def test_the_answer_is_json_whatever_the_phone_accepts(accept):
    answer = Client().get("/api/kit/show", headers={"accept": accept})
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")


def test_a_format_parameter_changes_nothing(call):
    assert call("kit/show", query="format=html", method="GET")["got"] == {"format": "html"}


def failing_lines(records: list[logging.LogRecord]) -> list[dict[str, object]]:
    return [record.msg for record in records if isinstance(record.msg, dict) and record.levelname == "ERROR"]


def test_our_own_failure_is_minus_one_with_a_trace_id_and_no_stack_trace(call, caplog):
    answer = call("kit/fail", "text=secret")
    trace_id = answer.pop("traceId")
    assert answer == {"errorcode": -1, "errormsg": "服务器开小差了"}
    [line] = [line for line in failing_lines(caplog.records) if line["event"] == "request_failed"]
    assert (line["request_id"], line["endpoint"]) == (trace_id, "kit/fail")
    assert str(line["exc_info"]) == "kaputt secret"


def test_two_failures_have_two_trace_ids(call):
    assert call("kit/fail")["traceId"] != call("kit/fail")["traceId"]


def test_the_log_line_of_a_failure_is_json_with_the_trace_and_without_variables(call, printed):
    trace_id = call("kit/fail", "text=token=deadbeef")["traceId"]
    [line] = [line for line in map(json.loads, printed()) if line["event"] == "request_failed"]
    assert line["request_id"] == trace_id
    [exception] = line["exception"]
    assert (exception["exc_type"], exception["exc_value"]) == ("RuntimeError", "kaputt token=[hidden]")
    assert exception["frames"]
    assert "deadbeef" not in "".join(printed())


def test_an_answer_that_cannot_be_written_is_our_failure_too(call):
    answer = call("kit/answer-nonsense")
    assert (answer["errorcode"], answer["errormsg"]) == (-1, "服务器开小差了")
    assert len(answer["traceId"]) == 36


def test_a_failing_middleware_is_our_failure_too(call, monkeypatch):
    def break_down(*_: object) -> None:
        raise RuntimeError("kaputt")

    monkeypatch.setattr("django.middleware.common.CommonMiddleware.process_request", break_down)
    answer = call("kit/show")
    assert (answer["errorcode"], answer["errormsg"]) == (-1, "服务器开小差了")
    assert len(answer["traceId"]) == 36


def test_a_refusal_is_not_logged_as_a_failure(call, caplog):
    assert call("kit/refuse")["errorcode"] == 506
    assert not failing_lines(caplog.records)


def test_an_id_of_the_caller_s_own_making_is_not_a_way_into_the_log(call, printed):
    trace_id = call("kit/fail", **{"x-request-id": 'a" token=deadbeef\\n'})["traceId"]
    lines = [json.loads(line) for line in printed()]
    assert len(lines) == 2
    assert {line["request_id"] for line in lines} == {trace_id}
    assert "deadbeef" not in "".join(printed())


@pytest.mark.parametrize(("number", "error"), enumerate(FRAMEWORK_ERRORS), ids=repr)
def test_what_the_framework_refuses_with_has_a_number(call, caplog, number, error):
    answer = call("kit/fail-as-the-framework", f"number={number}")
    assert answer["errorcode"] in (429, 700, 720)
    assert not failing_lines(caplog.records)
