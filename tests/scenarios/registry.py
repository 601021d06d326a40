"""Where the scenarios of all modules come together."""

from collections.abc import Callable
from typing import Any

from tests.messages.servers import post
from users.models import User

Params = dict[str, Any]
Scenario = Callable[[], tuple[User | None, Params]]  # who calls, with what

scenarios: dict[str, Scenario] = {}


def scenario(path: str) -> Callable[[Scenario], Scenario]:
    def register(make: Scenario) -> Scenario:
        scenarios[path] = make
        return make

    return register


def answer_to(phone: Any, path: str, params: Params) -> Any:
    """Other servers of ours call by a road of their own."""
    if path.endswith(".action"):
        return post(path.removeprefix("msg/").removesuffix(".action"), params)
    return phone.post(path, **params)
