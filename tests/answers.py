"""Reading answers in tests: one line for what went well, one for what was refused."""

from typing import Any


def ok(answer: dict[str, Any]) -> dict[str, Any]:
    assert answer["errorcode"] == 0, answer
    assert answer["errormsg"] == "success"
    return answer


def refused(answer: dict[str, Any], code: int, text: str) -> None:
    """A refusal says its number and its sentence, and nothing else."""
    assert answer == {"errorcode": code, "errormsg": text}
