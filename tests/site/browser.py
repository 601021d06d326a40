"""A person's browser as headless Chromium plays it, asked over its own protocol."""

import base64
import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.processes import wait_until

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-headless-shell")
REQUIRED = "HEIHEI_REQUIRE_BROWSER"  # set to 1 where a missing browser is a failure
needs_browser = pytest.mark.skipif(
    CHROMIUM is None and os.environ.get(REQUIRED) != "1", reason="no chromium on this machine"
)
SCREEN = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}


class Phone:
    def __init__(self, line: ClientConnection, screen: dict[str, Any] = SCREEN) -> None:
        self.line = line
        self.number = 0
        self.complaints: list[str] = []
        for domain in ("Page", "Runtime", "Log"):
            self.say(f"{domain}.enable")
        self.screen(**screen)

    def screen(self, **size: Any) -> None:
        self.say("Emulation.setDeviceMetricsOverride", **SCREEN | size)

    def say(self, method: str, **params: Any) -> dict[str, Any]:
        self.number += 1
        self.line.send(json.dumps({"id": self.number, "method": method, "params": params}))
        while True:
            heard = self.hear()
            if heard.get("id") == self.number:
                return dict(heard["result"])

    def hear(self) -> dict[str, Any]:
        heard: dict[str, Any] = json.loads(self.line.recv(timeout=20))
        if heard.get("method") == "Log.entryAdded":
            self.complaints.append(heard["params"]["entry"]["text"])
        if heard.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(str(heard["params"]["exceptionDetails"].get("exception")))
        return heard

    def open(self, address: str) -> None:
        self.say("Page.navigate", url=address)
        while self.hear().get("method") != "Page.loadEventFired":
            pass

    def ask(self, expression: str) -> Any:
        """What a line of JavaScript says about the page."""
        return self.say("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def sees(self, expression: str, seconds: float, what: str) -> None:
        """Until a line of JavaScript is true."""
        wait_until(lambda: self.ask(expression), seconds, what)

    def tap(self, selector: str) -> None:
        """As a finger does, in the middle of it."""
        box = f"document.querySelector('{selector}').getBoundingClientRect()"
        x, y = self.ask(f"(box => [box.x + box.width / 2, box.y + box.height / 2])({box})")
        for kind in ("mousePressed", "mouseReleased"):
            self.say("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def picture(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.say("Page.captureScreenshot", format="png")["data"]))


@contextmanager
def phone(home: Path) -> Iterator[Phone]:
    with tabs(home, SCREEN) as [only]:
        yield only


@contextmanager
def tabs(home: Path, *screens: dict[str, Any]) -> Iterator[list[Phone]]:
    """One browser with as many tabs, each with a screen of its own."""
    assert CHROMIUM, f"{REQUIRED}=1 and there is no chromium"
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"]
    command += ["--disable-background-networking", "--disable-component-update", "--disable-quic", "--mute-audio"]
    command += [f"--user-data-dir={home}", "--remote-debugging-port=0", "about:blank"]
    browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        port_file = home / "DevToolsActivePort"
        wait_until(lambda: port_file.exists() and port_file.read_text().strip(), 30, "the browser listens")
        port = port_file.read_text().split()[0]
        with ExitStack() as stack:
            pages = [_new_tab(port) for _ in screens]
            lines = [stack.enter_context(connect(page, max_size=None)) for page in pages]
            yield [Phone(line, screen) for line, screen in zip(lines, screens, strict=True)]
    finally:
        browser.terminate()
        browser.wait(10)


def _new_tab(port: str) -> str:
    """The address of its debugger."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/json/new?about:blank", method="PUT")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(json.load(answer)["webSocketDebuggerUrl"])
