"""What a typed function declares is what is served (ADR 0001)."""

import inspect
from collections.abc import Iterator

import limits
import pytest

from heihei_site.api.endpoints import Endpoints, undeclared_refusal
from heihei_site.api.errors import InvalidParameter, NotEnoughGold, NotInRoom, TokenInvalid, TooManyRequests
from tests.api import kit


@pytest.fixture
def noticed() -> Iterator[list[tuple[str, type]]]:
    found: list[tuple[str, type]] = []

    def note(sender: object, endpoint, refusal, **_: object) -> None:
        found.append((endpoint.path, refusal))

    undeclared_refusal.connect(note)
    yield found
    undeclared_refusal.disconnect(note)


class TestUndeclared:
    @pytest.fixture
    def every_refusal_is_declared(self) -> None:
        """The suite's own watch, which the first test here is about, stands back."""

    @pytest.mark.urls("tests.api.kit")
    def test_an_undeclared_refusal_is_answered_and_noticed(self, call, noticed):
        assert call("kit/refuse", "declared=0") == {"errorcode": 740, "errormsg": "余额不足"}
        assert noticed == [("kit/refuse", NotEnoughGold)]

    @pytest.mark.urls("tests.api.kit")
    def test_a_declared_one_is_not_noticed(self, call, noticed):
        assert call("kit/refuse") == {"errorcode": 506, "errormsg": "您不在该队伍"}
        assert call("kit/refuse", "declared=?") == {"errorcode": 700, "errormsg": "参数错误"}
        assert noticed == []


def endpoint(name: str):
    return next(found for found in kit.api.registry if found.path == name)


def test_refusals_are_what_was_declared_and_what_follows_in_code_order():
    assert endpoint("kit/refuse").refusals == (NotInRoom, InvalidParameter)
    assert endpoint("kit/who").refusals == (InvalidParameter, TokenInvalid)
    assert endpoint("kit/fewer").refusals == (TooManyRequests, InvalidParameter, TokenInvalid)


def test_every_endpoint_says_what_it_does():
    for found in Endpoints.registry:
        assert found.function.__doc__, found.path
        assert found.answer_type is not None, found.path


def test_no_two_endpoints_share_a_path_or_a_key():
    paths = [path for found in Endpoints.registry for path in (found.path, *found.also)]
    keys = [(found.group, found.key) for found in Endpoints.registry]
    assert len(set(paths)) == len(paths)
    assert len(set(keys)) == len(keys)


def test_every_parameter_of_every_endpoint_is_read_by_a_word():
    for found in Endpoints.registry:
        named = [p for p in inspect.signature(found.function).parameters.values() if p.kind is p.KEYWORD_ONLY]
        assert [parameter.python_name for parameter in found.parameters] == [p.name for p in named]


def test_a_parameter_without_a_word_fails_at_import():
    class Elsewhere(Endpoints):
        registry = []

    with pytest.raises(TypeError, match="parameter amount is not annotated with a Word"):

        @Elsewhere("x").post()
        def broken(caller: object, *, amount: int) -> None: ...


def test_every_declared_limit_can_be_counted():
    for found in Endpoints.registry:
        for limit in found.limits:
            assert limits.parse(limit.rate).amount > 0
            assert limit.by in ("person", "address")
