"""One real server for everything here, and rooms with real phones in them."""

from collections.abc import Callable, Iterator

import pytest

from tests.client import Phone
from tests.venue import AnyPhone, Venue, open_venue


@pytest.fixture(scope="package")
def venue() -> Iterator[Venue]:
    with open_venue() as venue:
        yield venue


@pytest.fixture
def switched_off(venue: Venue) -> Iterator[list[Phone]]:
    """Phones that are put away after the test."""
    phones: list[Phone] = []
    yield phones
    for phone in phones:
        phone.switch_off()


@pytest.fixture
def guest(venue: Venue, switched_off: list[Phone]) -> Callable[..., Phone]:
    def arrive(name: str = "阿南", gender: str = "Male", kind: type[AnyPhone] = Phone, gold: int = 0) -> AnyPhone:  # type: ignore[assignment]
        phone = venue.guest(name, gender, kind, gold=gold)
        switched_off.append(phone)
        return phone

    return arrive


@pytest.fixture
def anchor(guest: Callable[..., Phone]) -> Phone:
    """小雨, on air."""
    phone = guest("小雨", "Female")
    assert phone.go_on_air("雨夜电台").ok
    return phone


@pytest.fixture
def enter(anchor: Phone) -> Callable[[Phone], Phone]:
    """Into 小雨's room; afterwards the phone hears what is said there."""

    def into(phone: Phone) -> Phone:
        before = len(phone.received("action", action="list-live-users"))
        assert phone.join_live(anchor.live.id).ok, phone.screen
        phone.wait_for(lambda: len(phone.received("action", action="list-live-users")) > before)
        return phone

    return into


@pytest.fixture
def viewer(guest: Callable[..., Phone], enter: Callable[[Phone], Phone]) -> Phone:
    """阿南, with 1,000 gold, in 小雨's room."""
    return enter(guest("阿南", "Male", gold=1000))
