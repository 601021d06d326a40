"""`manage.py demo`: a first evening on the running server, told as it happens."""

import json
import secrets
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

CLIENT = {"version": "2.0.0", "deveiceType": "ios"}
PATIENCE = 5.0  # seconds until a message counts as missing
QUIET = 0.7  # seconds in which nothing must come
GOLD = 100

SIGNED_OUT = 4401  # the close code of a socket whose sign-in has ended

Json = dict[str, Any]


class Guest:
    """One person with a phone: calls, a socket, and everything that came in over it."""

    def __init__(self, base_url: str, name: str) -> None:
        self.base_url, self.name = base_url, name
        self.phone = f"199{secrets.randbelow(10**8):08d}"
        self.token, self.id = "", 0
        self.addresses: dict[str, dict[str, str]] = {}
        self.inbox: list[tuple[float, Json]] = []
        self.close_code: int | None = None
        self._news = threading.Condition()

    def call(self, key: str, params: Json | None = None) -> Json:
        group, _, name = key.partition(".")
        if name not in self.addresses.get(group, {}):
            raise CommandError(f"init gave no address for {key}")
        return self._answer(self.addresses[group][name], {"token": self.token, **(params or {})})

    def init(self) -> None:
        self.addresses = self._answer(f"{self.base_url}/api/init", {"ap": "heihei", **CLIENT})

    def _answer(self, url: str, params: Json) -> Json:
        request = Request(url, urlencode(params).encode(), CLIENT)
        try:
            with urlopen(request, timeout=2) as response:
                answer: Json = json.load(response)
        except (URLError, TimeoutError) as error:
            raise CommandError(f"{url} does not answer ({error}). Is the server running?") from None
        if answer["errorcode"] != 0:
            raise CommandError(f"{self.name}: {url} answered {answer['errorcode']} {answer['errormsg']}")
        return answer

    def listen(self) -> None:
        socket = connect(f"{self.addresses['message']['channel']}?token={self.token}", compression=None)
        threading.Thread(target=self._read, args=(socket,), daemon=True).start()

    def _read(self, socket: ClientConnection) -> None:
        try:
            for frame in socket:
                arrived = time.monotonic()
                with self._news:
                    self.inbox += [(arrived, element["msg"]) for element in json.loads(frame)]
                    self._news.notify_all()
        except ConnectionClosed:
            pass
        with self._news:
            self.close_code = socket.close_code
            self._news.notify_all()

    def wait_for(self, since: int, kind: str, wanted: Json) -> tuple[float, Json] | None:
        """When it came and what it was, or None when patience ends."""
        with self._news:
            self._news.wait_for(lambda: self.seen(since, kind, wanted), PATIENCE)
            return self.seen(since, kind, wanted)

    def wait_for_end(self) -> int | None:
        with self._news:
            self._news.wait_for(lambda: self.close_code, PATIENCE)
            return self.close_code

    def seen(self, since: int, kind: str, wanted: Json) -> tuple[float, Json] | None:
        for arrived, message in self.inbox[since:]:
            name = message.get("action") or message.get("msgType")
            if name == kind and all(message.get(key) == value for key, value in wanted.items()):
                return arrived, message
        return None


Sight = tuple[Guest, str, Json]  # who must see which kind of message, with these fields


class Command(BaseCommand):
    help = "Play a first evening with two real clients on the running server; a missing message fails it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--base-url", default=f"http://127.0.0.1:{settings.PORT}")

    def handle(self, *, base_url: str, **options: Any) -> None:
        self.rain, self.south = Guest(base_url, "小雨"), Guest(base_url, "阿南")
        began = time.monotonic()
        self.arrive()
        self.open_the_room()
        self.talk()
        self.spend()
        self.come_and_go()
        self.close()
        self.say(self.style.SUCCESS(f"\nEvery message arrived. {time.monotonic() - began:.1f} s."))

    # --- The evening -----------------------------------------------------------------------------------------

    def arrive(self) -> None:
        self.chapter("Two people sign in with their phones")
        for guest, gender in ((self.rain, "Female"), (self.south, "Male")):
            guest.init()
            number = {"phoneNo": guest.phone}
            self.deed(guest, "asks for an SMS code", "user.getSMSVerificationCode", number)
            code = {"verifyCode": code_sent_to(guest.phone)}
            signed_in = self.deed(guest, "signs in with it", "user.signInCLByPhone", number | code)
            guest.token, guest.id = signed_in["token"], signed_in["userInfo"]["id"]
            card = {"displayName": guest.name, "gender": gender, "birthDay": "1995-05-05"}
            self.deed(guest, "fills in the profile", "user.updateUser", card)
            guest.listen()

    def open_the_room(self) -> None:
        self.chapter("小雨 opens a room, 阿南 finds it")
        rain, south = self.rain, self.south
        live = self.deed(rain, "creates 「雨夜电台」", "live.createLive", {"title": "雨夜电台"})["live"]
        self.room = live["liveId"]
        here = {"liveId": self.room}
        self.need(live.get("qiniuObj"), "create-live gave the owner no qiniuObj")
        self.deed(rain, "beats", "live.heartBeat", here | {"isCreator": 1})
        self.deed(rain, "joins the own room", "live.joinLive", here)
        self.deed(rain, "goes on air", "live.startLive", here)
        feed = self.deed(south, "looks through the rooms", "live.listLiveByRecommend")
        self.need(self.room in [card["liveId"] for card in feed["lives"]], "the room is not in the feed")
        self.need(self.enter()["live"]["status"] == 1, "the room is not running")
        listed = self.deed(south, "looks who is there", "live.listLiveUsers", here)["users"]
        self.need({rain.id, south.id} <= {person["id"] for person in listed}, "somebody is not listed")

    def talk(self) -> None:
        self.chapter("They talk")
        self.speak(self.south, self.rain, "晚上好！100% 喜欢 {这首}")
        self.speak(self.rain, self.south, "欢迎阿南 😀")
        here = {"liveId": self.room}
        heart = (self.rain, "like", {"text": "点亮了", "roomId": self.room})
        self.deed(self.south, "likes", "live.liveLike", here | {"type": 1}, [heart])
        title = {"title": "雨夜电台 · 第二场"}
        changed = (self.south, "live-change", here | title)
        self.deed(self.rain, "renames the room", "live.changeLive", here | title, [changed])
        share = self.deed(self.rain, "shares it", "live.shareLive", here)["share"]
        self.need({"weibo", "wechat", "friend"} <= share.keys(), "share lacks a target")

    def spend(self) -> None:
        self.chapter(f"阿南 gets {GOLD} gold and spends some")
        call_command("grant", user=self.south.id, gold=GOLD, stdout=self.stdout)
        bullet = {"liveId": self.room, "message": "冲呀"}
        flying = (self.rain, "barrage", {"text": "冲呀", "roomId": self.room})
        gold = self.deed(self.south, "fires a bullet", "live.buyBullet", bullet, [flying])["gold"]
        gift = self.south.call("live.giftInfo")["gifts"][0]
        combo = secrets.token_hex(16)
        for amount in (1, 2, 3):
            left = self.give(gift, combo, amount)
            self.need(left == gold - gift["gold"], f"{left} gold left, which is not one gift less")
            gold = left
        self.need(self.give(gift, combo, 3, again=True) == gold, "the repeated request was charged again")
        time.sleep(QUIET)
        shown = [message for _, message in self.rain.inbox if message.get("gift_uuid") == combo]
        self.need(len(shown) == 3, f"three gifts were shown {len(shown)} times")

    def come_and_go(self) -> None:
        self.chapter("阿南 goes and comes back")
        room = self.room
        self.deed(self.south, "leaves", "live.quitLive", {"liveId": room})
        mark = len(self.south.inbox)
        alone = {"text": "走了？", "roomId": room, "liveId": room}
        self.deed(self.rain, "speaks to herself", "message.sendMsg", alone)
        time.sleep(QUIET)
        self.need(not self.south.seen(mark, "text", {}), "somebody outside heard what was said inside")
        self.say("             阿南 hears nothing of it")
        self.enter()
        self.speak(self.rain, self.south, "欢迎回来")

    def close(self) -> None:
        self.chapter("The evening ends")
        here = {"liveId": self.room}
        self.deed(self.rain, "ends the live", "live.stopLive", here, [(self.south, "stop-live", {})])
        _, message = self.south.seen(0, "stop-live", {}) or (0, {})
        self.need(message.get("live", {}).get("liveId") == self.room, "stop-live came without its live")
        ended = self.deed(self.south, "looks at the end page", "live.getLive", here)["live"]
        self.need(ended["status"] == 2, f"the ended live has status {ended['status']}")
        for guest in (self.rain, self.south):
            self.deed(guest, "signs out", "user.signOut")
            self.need(guest.wait_for_end() == SIGNED_OUT, f"the socket closed with {guest.close_code}")

    # --- What happens more than once -------------------------------------------------------------------------

    def enter(self) -> Json:
        here = {"liveId": self.room}
        counted = (self.rain, "list-live-users", here | {"totalCount": 2})
        joined = self.deed(self.south, "comes in", "live.joinLive", here, [counted])
        self.deed(self.south, "beats", "live.heartBeat", here | {"isCreator": 0})
        return joined

    def speak(self, speaker: Guest, listener: Guest, text: str) -> None:
        said = {"text": text, "roomId": self.room}
        heard = (listener, "text", said | {"fromUserId": speaker.id})
        self.deed(speaker, f"says {text}", "message.sendMsg", said | {"liveId": self.room}, [heard])

    def give(self, gift: Json, combo: str, amount: int, *, again: bool = False) -> int:
        """The gold that is left. `again`: by accident; nobody sees it a second time."""
        given = {"giftId": gift["id"], "amount": amount, "gift_uuid": combo}
        what = f"gives {gift['name']} ×{amount}" + " (sent twice)" * again
        banner = (self.rain, "gift", given | {"fromUserId": self.south.id})
        line = (self.rain, "text", {"giftId": gift["id"]})
        seen = [] if again else [banner, line]
        return int(self.deed(self.south, what, "live.buyGift", given | {"liveId": self.room}, seen)["gold"])

    def deed(self, guest: Guest, what: str, key: str, params: Json | None = None, seen: Sequence[Sight] = ()) -> Json:
        """One call, and what others must see of it on their sockets."""
        marks = [len(other.inbox) for other, _, _ in seen]
        began = time.monotonic()
        answer = guest.call(key, params or {})
        self.say(f"{milliseconds(time.monotonic() - began)}  {guest.name} {what}")
        for mark, (other, kind, wanted) in zip(marks, seen, strict=True):
            found = other.wait_for(mark, kind, wanted)
            if found is None:
                raise CommandError(f"{other.name} never got {kind} {wanted} after {guest.name} {what}")
            arrived, message = found
            self.say(f"{milliseconds(arrived - began)}     → {other.name} sees {describe(kind, message)}")
        return answer

    def need(self, found: object, complaint: str) -> None:
        if not found:
            raise CommandError(complaint)

    def chapter(self, title: str) -> None:
        self.say(self.style.MIGRATE_HEADING(f"\n{title}"))

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def code_sent_to(phone: str) -> str:
    """The newest code in the development outbox."""
    outbox = Path(settings.VAR_DIR) / "outbox" / "sms.jsonl"
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:  # a worker sends it
        lines = outbox.read_text().splitlines() if outbox.exists() else []
        for line in reversed(lines):
            sms = json.loads(line)
            if sms["phone"] == phone:
                return str(sms["code"])
        time.sleep(0.05)
    raise CommandError(f"No SMS for the demo's phone in {outbox}. Has the server the same HEIHEI_VAR?")


def describe(kind: str, message: Json) -> str:
    who = message.get("fromUserName", "")
    words = {
        "text": message.get("text"),
        "like": message.get("text"),
        "barrage": f"{message.get('text')} (收益 {message.get('totalTicket')})",
        "gift": f"礼物 {message.get('giftId')} ×{message.get('amount')} (收益 {message.get('totalTicket')})",
        "live-change": f"「{message.get('title')}」",
        "list-live-users": f"{message.get('totalCount')} 人在房间",
    }
    return " ".join(filter(None, (kind, who and f"{who}:", words.get(kind))))


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:5.0f} ms"
