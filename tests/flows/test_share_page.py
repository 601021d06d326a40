"""What somebody hears and sees who gets a live's link: real sound, a real browser, real phones in the room.

HEIHEI_PICTURES=1 puts what it looks like into docs/pictures.
"""

import io
import json
import os
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest

from tests.app import publish_url
from tests.client import Phone
from tests.processes import ROOT, wait_until
from tests.site import browser
from tests.sound import require_media_server, sending
from tests.venue import Venue

PICTURING = os.environ.get("HEIHEI_PICTURES") == "1"
PICTURES = ROOT / "docs" / "pictures"
SMALL, DESK = {"width": 360, "height": 780}, {"width": 1280, "height": 800, "mobile": False, "deviceScaleFactor": 1}
SOON, SOUND, REPLAY = 15, 40, 90  # seconds
EVIL = "<img src=x onerror=document.title=1>"
CHINA = ZoneInfo("Asia/Shanghai")
LIGHT = 100 * 1024  # bytes, before the player
HEARD = "document.getElementById('audio').currentTime"
LINES = "[...document.querySelectorAll('#lines .what')].map(each => each.textContent)"
PHASE = "document.body.dataset.phase"
LOADED = "performance.getEntriesByType('resource').map(each => each.name)"
BYTES = """[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
    .reduce((sum, each) => sum + each.encodedBodySize, 0)"""

pytestmark = browser.needs_browser


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[browser.Phone]:
    """Somebody with a small phone and no account."""
    with browser.phone(tmp_path) as opened:
        opened.screen(**SMALL)
        yield opened


def link_of(phone: Phone) -> str:
    """As it arrives in a chat."""
    share = phone.post("live", "shareLive", liveId=phone.live.id).object("share").opt_obj("wechat")
    assert share
    return share.opt_str("url")


def fits(reader: browser.Phone, width: int) -> bool:
    return bool(reader.ask(f"innerWidth === {width} && document.documentElement.scrollWidth === {width}"))


def pictured(reader: browser.Phone, name: str, *, desk: bool = True) -> None:
    if PICTURING:
        PICTURES.mkdir(exist_ok=True)
        for size, form in ((SMALL | {"deviceScaleFactor": 1.5}, "phone"), (DESK, "desk"))[: 1 + desk]:
            reader.screen(**size)
            time.sleep(0.7)
            reader.picture(PICTURES / f"share-{name}-{form}.png")
        reader.screen(**SMALL)


def test_a_live_is_heard_and_read_by_its_link_until_it_ends_and_then_as_a_replay(
    venue: Venue,
    anchor: Phone,
    viewer: Phone,
    reader: browser.Phone,
    guest: Callable[..., Phone],
    enter: Callable[[Phone], Phone],
) -> None:
    require_media_server()
    venue.keep_open(int(anchor.live.id)), venue.keep_inside(int(anchor.live.id))
    assert anchor.live.publisher
    with sending(publish_url(anchor.live.publisher)):
        reader.open(link_of(viewer))
        assert reader.ask("document.querySelector('h1').textContent") == "雨夜电台"
        assert reader.ask(PHASE) == "live" and fits(reader, 360)
        assert reader.ask(BYTES) < LIGHT and not [one for one in reader.ask(LOADED) if "hls" in one]

        reader.tap("#play")
        reader.sees(f"{HEARD} > 0.5", SOUND, "it sounds")
        before = reader.ask(HEARD)
        reader.sees(f"{HEARD} > {before} + 1", SOON, "it goes on")
        assert [one for one in reader.ask(LOADED) if one.startswith(f"{venue.base_url}/static/live/hls-")]

        people_talk(anchor, viewer, reader)
        if PICTURING:
            more_people_talk(anchor, viewer, guest, enter)
        pictured(reader, "live")
        reader.screen(**DESK)
        assert fits(reader, 1280)
        reader.screen(**SMALL)

        time.sleep(2.5)  # so that it has a second of its own
        assert viewer.say(EVIL).ok
        reader.sees(f"{LINES}.at(-1) === '{EVIL}'", SOON, "it is text")
        assert anchor.go_to_background().ok
        reader.sees("document.getElementById('lines').textContent.includes('马上回来')", SOON, "the owner is away")
        assert anchor.come_back().ok
        assert anchor.change_title("雨停了").ok
        reader.sees("document.querySelector('h1').textContent === '雨停了'", SOON, "the new title")
        assert anchor.stop().ok
        reader.sees(f"{PHASE} === 'ended'", SOON, "its end")
        assert reader.ask("document.getElementById('player').hidden")
    reader.sees(f"{PHASE} === 'replay'", REPLAY, "the replay is offered")
    replay_is_read_in_time(reader, link_of(viewer))
    pictured(reader, "replay")
    archive_is_read_as_the_app_reads_it(viewer, anchor.live.id)
    # A live's sound begins some seconds after the live: until then the list of it is not there.
    assert [one for one in reader.complaints if "404" not in one] == []


def people_talk(anchor: Phone, viewer: Phone, reader: browser.Phone) -> None:
    assert viewer.say("下雨天听你的声音，刚刚好").ok
    assert anchor.say("欢迎新来的朋友，今晚聊聊下雨天想起的人").ok
    assert viewer.like().ok
    assert viewer.say("想起外婆家的屋檐，滴滴答答").ok
    assert viewer.bullet("主播唱一首《雨爱》吧").ok
    for count in (1, 2, 3):
        assert viewer.gift(103, count, "combo").ok
    wanted = ["下雨天听你的声音，刚刚好", "欢迎新来的朋友，今晚聊聊下雨天想起的人", "想起外婆家的屋檐，滴滴答答"]
    wanted += ["主播唱一首《雨爱》吧", "送出 玫瑰×3"]
    reader.sees(f"{LINES}.length >= 5 && {LINES}.at(-1).endsWith('×3')", SOON, "everything is read")
    assert reader.ask(LINES) == wanted
    assert reader.ask("document.querySelector('.gifts b').textContent") == "×3"
    assert reader.ask("document.querySelector('.flying span').textContent") == "阿南：主播唱一首《雨爱》吧"
    assert reader.ask("document.querySelector('#lines .gift img').naturalWidth") > 0


def more_people_talk(
    anchor: Phone, viewer: Phone, guest: Callable[..., Phone], enter: Callable[[Phone], Phone]
) -> None:
    """For the pictures."""
    chestnut, far = enter(guest("栗子", "Female", gold=100)), enter(guest("阿远", "Male", gold=100))
    assert chestnut.say("刚下班，耳机里全是雨声").ok
    assert far.gift(110, 1, "far").ok
    assert anchor.say("谢谢阿远的麦克风，下一首送给你").ok
    assert chestnut.like().ok
    assert far.say("点一首《晴天》，等雨停").ok
    assert chestnut.bullet("今晚的雨和你都很温柔").ok
    for count in (4, 5, 6):
        assert viewer.gift(103, count, "combo").ok


def replay_is_read_in_time(reader: browser.Phone, link: str) -> None:
    """Each line from its second on, and not before, wherever somebody jumps to."""
    lines = httpx.get(link.replace("live.html", "live-lines.json")).json()["lines"]
    [evil_at] = [line["at"] for line in lines if line["msg"].get("text") == EVIL]
    reader.sees("document.getElementById('audio').duration > 3", SOUND, "how long it is")
    reader.tap("#play")
    reader.sees(f"{HEARD} > 0.3", SOON, "it sounds")
    reader.tap("#play")
    assert reader.ask("document.getElementById('audio').paused")
    jump = "document.getElementById('audio').currentTime = {}"
    reader.ask(jump.format(0.1))
    reader.sees(f"{LINES}.length === 0", SOON, "nothing was said at its beginning")
    reader.ask(jump.format(evil_at + 0.1))
    reader.sees(f"{LINES}.includes('{EVIL}')", SOON, "it was said by now")
    reader.ask(jump.format(evil_at - 1))
    reader.sees(f"{LINES}.length >= 5 && !{LINES}.includes('{EVIL}')", SOON, "it was not said yet")
    assert reader.ask(f"{LINES}[1]") == "欢迎新来的朋友，今晚聊聊下雨天想起的人"
    assert "送出 玫瑰×3" in reader.ask(LINES) and EVIL not in reader.ask(LINES)


def archive_is_read_as_the_app_reads_it(phone: Phone, live_id: str) -> None:
    """B56, B57: an array of strings in every entry, each line at a second of the recording."""
    card = phone.get("live", "getLive", liveId=live_id).object("live")
    with zipfile.ZipFile(io.BytesIO(httpx.get(card.opt_str("messageAddr")).content)) as archive:
        strings = [each for name in archive.namelist() for each in json.loads(archive.read(name))]
    assert all(isinstance(each, str) for each in strings)
    elements = [json.loads(each) for each in strings]
    texts = [message["text"] for each in elements if (message := json.loads(each["msg"]))["msgType"] == "text"]
    assert texts[:2] == ["下雨天听你的声音，刚刚好", "欢迎新来的朋友，今晚聊聊下雨天想起的人"]
    began = datetime.strptime(card.opt_str("createTime"), "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA).timestamp()
    ended = datetime.strptime(card.opt_str("endTime"), "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA).timestamp()
    assert all(began <= each["timeStamp"] <= ended for each in elements)


def test_links_that_are_forged_or_too_old_say_so(
    venue: Venue, anchor: Phone, reader: browser.Phone, guest: Callable[..., Phone]
) -> None:
    good = link_of(anchor)
    sign = good.split("sign=")[1].split("&")[0]
    old = venue.run(f"from live import sharing; print(sharing.signature({int(anchor.live.id)}, now=0))").strip()
    for wrong, reason, title in ((sign[:-1] + "x", "forged", "链接打不开"), (old, "expired", "链接已过期")):
        reader.open(good.replace(sign, wrong))
        assert reader.ask("document.body.dataset.reason") == reason and fits(reader, 360)
        assert reader.ask("document.querySelector('h1').textContent") == title
        assert "雨夜电台" not in reader.ask("document.documentElement.outerHTML")
        assert httpx.get(good.replace(sign, wrong).replace("live.html", "live-lines.json")).status_code in (404, 410)
    pictured(reader, "expired", desk=False)
    wait_until(lambda: httpx.get(good).status_code == 200, SOON, "the good one is good")
