"""`/playground` as somebody new uses it: two tabs of a real browser, one wide and one as narrow as a small phone."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.processes import wait_until
from tests.site import browser
from tests.venue import Venue, open_venue

DESK = {"width": 1360, "height": 860, "deviceScaleFactor": 1, "mobile": False}
SMALL = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
PATIENCE = 60  # seconds

pytestmark = browser.needs_browser


class Tab:
    """One person. What it does is a click or a key of theirs; what it sees is on the page."""

    def __init__(self, page: browser.Phone, address: str) -> None:
        self.page, self.address = page, address

    def ask(self, expression: str) -> Any:
        self.page.say("Page.bringToFront")
        return self.page.ask(expression)

    def wait_for(self, expression: str, what: str) -> None:
        try:
            wait_until(lambda: self.ask(f"!!({expression})"), PATIENCE, what)
        except AssertionError as error:
            raise AssertionError(f"{error}; there is: {self.text('body')[-2500:]}") from None

    def click(self, selector: str) -> None:
        self.wait_for(f"document.querySelector({selector!r})", f"{selector} is there")
        self.ask(f"document.querySelector({selector!r}).click()")

    def fill(self, selector: str, text: str) -> None:
        self.ask(f"document.querySelector({selector!r}).value = {text!r}")

    def text(self, selector: str) -> str:
        return str(self.page.ask(f"document.querySelector({selector!r}).innerText"))

    def frames(self, name: str) -> int:
        """How many frames of this name came by the socket."""
        shown = (
            f"[...document.querySelectorAll('#frames .socket.down b')].filter(b => b.textContent == {name!r}).length"
        )
        return int(self.ask(shown))

    def sign_in(self, number: str) -> None:
        self.page.say("Page.bringToFront")
        self.page.open(f"{self.address}/playground")
        self.fill("#phone", number)
        self.click("#enter button")
        self.wait_for("document.querySelector('#line').dataset.state == 'on'", "signed in and connected")
        self.wait_for("document.querySelectorAll('#gifts .gift').length == 16", "the gifts are there")

    def say(self, text: str) -> None:
        self.fill("#text", text)
        self.click("#say .main")

    def hears(self, text: str) -> None:
        self.wait_for(f"document.querySelector('#talk').innerText.includes({text!r})", f"{text} is heard")

    def fits(self) -> None:
        wide = self.ask("[innerWidth, document.documentElement.scrollWidth]")
        assert wide[0] == wide[1], "nothing sticks out"


@pytest.fixture(scope="module")
def venue() -> Iterator[Venue]:
    with open_venue() as venue:
        yield venue


@pytest.fixture
def tabs(venue: Venue, tmp_path: Path) -> Iterator[tuple[Tab, Tab]]:
    with browser.tabs(tmp_path, DESK, SMALL) as [desk, small]:
        yield Tab(desk, venue.base_url), Tab(small, venue.base_url)
        assert desk.complaints == small.complaints == []


def somebody(tab: Tab, venue: Venue) -> str:
    number = f"197{secrets.randbelow(10**8):08d}"
    tab.sign_in(number)
    return number


def test_two_tabs_share_a_room_talk_and_give(tabs: tuple[Tab, Tab], venue: Venue) -> None:
    host, guest = tabs
    for tab in tabs:
        tab.page.say("Page.bringToFront")
        tab.page.open(f"{venue.base_url}/playground")
        tab.fits()
        somebody(tab, venue)
        tab.fits()
    host.fill("#title", "雨夜电台")
    host.click("#open button")
    host.wait_for("!document.querySelector('#stage').hidden", "the room is open")
    guest.click("#lives .main")
    guest.wait_for("!document.querySelector('#stage').hidden", "the guest is in the room")
    assert guest.text("#room-title") == "雨夜电台"
    host.wait_for("document.querySelector('#room-count').textContent == '2 / 8 个座位'", "the host sees the guest")

    guest.say("晚上好")
    host.hears("晚上好")
    host.say("<b>欢迎</b>")
    guest.hears("<b>欢迎</b>")
    assert guest.ask("document.querySelectorAll('#talk b').length") == 0, "a text is a text"

    guest.click("[data-id='103']")
    guest.wait_for("document.querySelector('#toast').textContent == '余额不足'", "without gold there is no gift")
    guest.click("#gold")
    guest.wait_for("document.querySelector('#gold b').textContent == '1000'", "gold has come")
    guest.click("[data-id='103']")
    guest.click("[data-id='103']")
    guest.wait_for("document.querySelector('#gold b').textContent == '996'", "two roses are paid")
    for tab in tabs:
        tab.hears("玫瑰 ×2")
        tab.wait_for("document.querySelector('#room-tickets').textContent == '4 黑票'", "what it was worth")
        tab.fits()
    assert host.frames("gift") == 2

    guest.click("#cut")
    for line in ("一", "二", "三"):
        host.say(line)
        host.hears(line)
    guest.hears("三")
    assert (
        guest.ask("[...document.querySelectorAll('#talk li p')].map(p => p.textContent).slice(-3).join()") == "一,二,三"
    )

    host.click("#leave")
    guest.wait_for("document.querySelector('#stage').hidden", "the room is closed for the guest too")


def test_one_calls_the_other_they_talk_and_write(tabs: tuple[Tab, Tab], venue: Venue) -> None:
    caller, callee = tabs
    for tab in tabs:
        somebody(tab, venue)
    number = callee.ask("document.querySelector('#number').textContent")  # others may be called the same
    row = f"[...document.querySelectorAll('#people li')].find(row => row.innerText.includes({number!r}))"
    caller.wait_for(row, "the other one is in the list")
    caller.ask(f"{row}.querySelectorAll('button')[0].click()")
    caller.fill("#letter-text", "在吗")
    caller.click("#write .main")
    caller.wait_for("document.querySelector('#letters').innerText.includes('在吗')", "the letter has been stored")
    caller.click("#letter-close")
    callee.wait_for("document.querySelector('#toast').textContent.includes('在吗')", "the letter has come")

    caller.ask(f"{row}.querySelectorAll('button')[1].click()")
    callee.wait_for("document.querySelector('#ring').open", "it rings")
    callee.fits()
    callee.click("#accept")
    for tab in tabs:
        tab.wait_for("document.querySelectorAll('#two .there').length == 2", "both are in the call")
        tab.fits()
    caller.click("#hang-up")
    callee.wait_for("document.querySelector('#call').hidden", "the call is over for the other one too")


def test_who_signs_in_elsewhere_is_told_so_here(tabs: tuple[Tab, Tab], venue: Venue) -> None:
    first, second = tabs
    number = somebody(first, venue)
    venue.later(number)
    second.sign_in(number)
    first.wait_for("document.querySelector('#wrong').textContent.includes('在别处登录')", "the first tab is told")
    assert not first.ask("document.querySelector('#door').hidden")
