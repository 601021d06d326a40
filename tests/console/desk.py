"""An operator at a browser: reads, types and clicks, and people's phones beside it, on one running server."""

import hashlib
import json
import os
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from tests import factories
from tests.processes import ROOT, wait_until
from tests.site.browser import Phone
from users.models import User

SCREEN = {"width": 1440, "height": 900, "deviceScaleFactor": 1, "mobile": False}
PICTURES = ROOT / "docs" / "pictures"
SOON = 15  # seconds
LEFT = "window.left !== true && document.readyState === 'complete'"
DRAWN = "document.fonts.status === 'loaded' && [...document.images].every(each => each.complete)"
# The first that one can press, sees, and that reads so, without the name of its icon.
PRESSED = """(words => {
  const seen = each => each.getClientRects().length && getComputedStyle(each).visibility !== 'hidden';
  const reads = each => (each.innerText || each.value || '').trim().split('\\n').pop() === words;
  const all = [...document.querySelectorAll('a, button, input[type=submit], label, summary')];
  const found = all.find(each => seen(each) && reads(each));
  if (!found) return false;
  found.scrollIntoView({block: 'center'});
  window.pressed = found;
  return true;
})"""
# What belongs to a label, by its words; what is asked for in hidden corners of the page is not meant.
LABELLED = """(words => {
  const label = [...document.querySelectorAll('label')].find(
    each => each.innerText.replace('*', '').trim() === words && document.getElementById(each.htmlFor));
  if (!label) return false;
  window.pressed = document.getElementById(label.htmlFor);
  window.pressed.scrollIntoView({block: 'center'});
  return true;
})"""


def operator(name: str, role: str) -> User:
    """Somebody of the staff, in a role alone."""
    user = User.objects.create(username=name, display_name=name, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    return user


class Desk:
    def __init__(self, page: Phone, address: str) -> None:
        self.page, self.address = page, address
        page.say("Network.enable")

    def sits(self, who: User) -> None:
        """From now on it is this operator's."""
        client = Client()
        client.force_login(who)
        cookie = client.cookies["sessionid"]
        self.page.say("Network.setCookie", name=cookie.key, value=cookie.value, url=self.address)

    def leaves(self) -> None:
        self.page.say("Network.clearBrowserCookies")
        self.page.open("about:blank")
        self.page.complaints.clear()

    def opens(self, path: str) -> None:
        self.page.open(f"{self.address}/admin/{path}")

    def reads(self) -> str:
        """All that is on the page."""
        return str(self.ask("document.body.innerText"))

    def ask(self, expression: str) -> Any:
        """None while one page leaves and the next one comes."""
        with suppress(KeyError):
            return self.page.ask(expression)
        return None

    def sees(self, *words: str) -> None:
        for each in words:
            wait_until(lambda each=each: each in self.reads(), SOON, f"{each} on {self.where()}: {self.reads()[-900:]}")

    def misses(self, *words: str) -> None:
        assert [each for each in words if each in self.reads()] == []

    def where(self) -> str:
        return str(self.ask("location.pathname + location.search"))

    def waits(self, true: str, what: str) -> None:
        wait_until(lambda: self.ask(true), SOON, f"{what} on {self.where()}")

    def clicks(self, words: str) -> None:
        self.waits(f"{PRESSED}({json.dumps(words)})", f"{words} to press")
        self.taps("window.pressed")

    def taps(self, element: str) -> None:
        """In the middle of it."""
        self.page.ask(f"{element}.scrollIntoView({{block: 'center'}})")
        box = self.page.ask(
            f"(box => [box.x + box.width / 2, box.y + box.height / 2])({element}.getBoundingClientRect())"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.page.say("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def follows(self, words: str) -> None:
        """Clicks, and waits for the page that comes."""
        self.turns(lambda: self.clicks(words))

    def turns(self, deed: Callable[[], object]) -> None:
        self.page.ask("window.left = true")
        deed()
        self.waits(LEFT, "another page")

    def finds(self, label: str) -> None:
        self.waits(f"{LABELLED}({json.dumps(label)})", f"{label} to fill in")

    def types(self, label: str, text: str) -> None:
        """Over what is there."""
        self.finds(label)
        self.page.ask("window.pressed.focus(), window.pressed.select()")
        self.page.say("Input.insertText", text=text)

    def chooses(self, label: str, option: str) -> None:
        self.finds(label)
        self.picks("window.pressed", option)

    def picks(self, element: str, option: str) -> None:
        assert self.page.ask(
            f"""(select => {{
              const option = [...select.options].find(each => each.text.trim() === {json.dumps(option)});
              if (!option) return false;
              select.value = option.value;
              select.dispatchEvent(new Event('input', {{bubbles: true}}));
              select.dispatchEvent(new Event('change', {{bubbles: true}}));
              return true;
            }})({element})"""
        ), f"no {option} among what can be chosen"

    def ticks(self, label: str) -> None:
        self.finds(label)
        self.taps("window.pressed")

    def searches(self, words: str) -> None:
        self.page.ask("document.querySelector('#searchbar').focus(), document.querySelector('#searchbar').select()")
        self.page.say("Input.insertText", text=words)
        self.turns(self.enters)

    def enters(self) -> None:
        for kind in ("keyDown", "keyUp"):
            self.page.say("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", text="\r",
                          windowsVirtualKeyCode=13)  # fmt: skip

    def does(self, action: str, *rows: int) -> None:
        """An action of a list, with rows that are ticked; the page that comes."""
        for row in rows:
            self.taps(f"document.querySelector('input[name=_selected_action][value=\"{row}\"]')")
        self.waits("!!document.querySelector('select[name=action]').getClientRects().length", "the actions")
        self.picks("document.querySelector('select[name=action]')", action)
        self.follows("执行")

    def sidebar(self) -> list[str]:
        links = "[...document.querySelectorAll('#nav-sidebar-inner a, #nav-sidebar a')]"
        return [str(each) for each in self.page.ask(f"{links}.map(each => each.innerText.trim().split('\\n').pop())")]

    def may_open(self, path: str) -> bool:
        """What the server says to this operator."""
        return bool(
            self.page.say(
                "Runtime.evaluate",
                expression=f"fetch('/admin/{path}').then(answer => answer.status)",
                awaitPromise=True,
                returnByValue=True,
            )["result"]["value"]
            == 200
        )

    def picture(self, name: str) -> None:
        """Of the top of the page as it is, where HEIHEI_PICTURES=1 asks for it."""
        if os.environ.get("HEIHEI_PICTURES") == "1":
            self.page.ask("document.activeElement.blur()")
            self.waits(DRAWN, "fonts and pictures")
            self.page.picture(PICTURES / f"console-{name}.png")


class Caller:
    """A phone's HTTP side, at the same server as the desk."""

    def __init__(self, address: str, user: User) -> None:
        self.address, self.token = address, factories.token(user)

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        query = urlencode({"token": self.token, **params})
        with urllib.request.urlopen(f"{self.address}/api/{path}?{query}", timeout=10) as answer:
            return dict(json.load(answer))

    def sends_a_record(self, content: bytes) -> int:
        """As the app does: multipart, with the digest of what it sends."""
        said = {"token": self.token, "fileName": "a.wav", "fileMd5": hashlib.md5(content).hexdigest(),
                "recordLength": 5}  # fmt: skip
        file = SimpleUploadedFile("a.wav", content, "audio/wav")
        body = encode_multipart(BOUNDARY, {**said, "file": file})
        request = urllib.request.Request(
            f"{self.address}/api/record/upload-record", body, {"Content-Type": MULTIPART_CONTENT}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(json.load(answer)["recordId"])
