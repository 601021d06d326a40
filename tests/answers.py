"""Reading answers in tests: one line for what went well, one for what was refused."""

from typing import Any


def ok(answer: dict[str, Any]) -> dict[str, Any]:
    assert answer["errorcode"] == 0, answer
    assert answer["errormsg"] == "success"
    return answer


# What somebody banned is told whose ban says nothing else.
BANNED = "您的账号因违反社区规定被封禁。解封时间：永久封禁"


def refused(answer: dict[str, Any], code: int, text: str) -> None:
    """A refusal says its number and its sentence, and nothing else."""
    assert answer == {"errorcode": code, "errormsg": text}
