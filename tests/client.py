"""A phone with the shipped Android 1.1 app: sends, reads, tolerates and breaks exactly as it does.

Everything follows `android_client.md`; section numbers in docstrings are of that document. What would kill the real
app raises `AppCrash`; what would leave the person helpless raises `Stuck`.
"""

import hashlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from tests.app import (
    NOT_ENOUGH_MONEY,
    OK,
    TOKEN_INVALID,
    Answer,
    AppCrash,
    Banner,
    Line,
    Live,
    Screen,
    Stuck,
    User,
    messages_in,
    publish_url,
)
from tests.okhttp import Http, Params, Response, UnexpectedUrl, WebSocket, form_body
from tests.orgjson import Json, is_empty

FORM = "application/x-www-form-urlencoded;charset=utf-8"
SYNC_ATTEMPTS = 3
DEAD_AFTER_PINGS = 4
COMBO_SECONDS = 3

URL_MODULES = ("live", "user", "social", "message", "payment", "chat", "aboutus", "tips")
DEFAULT_URLS = {
    "usergetSMSVerificationCode": "api/user/get-sms-verification-code",
    "usersignInCLByPhone": "api/user/sign-in-cl-by-phone",
    "userupdateUser": "api/user/update",
    "useruserInfo": "api/user/info",
    "userfollowUser": "api/user/follow",
    "userunfollowUser": "api/user/unfollow",
    "userblockUser": "api/user/block-user",
    "userpushDeviceInfo": "api/user/push-device-info",
    "socialgetBanner": "api/social/get-banner",
    "livestartLive": "api/live/start-live",
    "livelistLiveByRecommend": "api/live/list-live-by-recommend",
    "livecreateLive": "api/live/create-live",
    "liveshareLive": "api/live/share-live",
    "livechangeLive": "api/live/change-live",
    "livestopLive": "api/live/stop-live",
    "livegetLive": "api/live/get-live",
    "livejoinLive": "api/live/join-live",
    "livequitLive": "api/live/quit-live",
    "liveheartBeat": "api/live/heart-beat",
    "livelistLiveByUser": "api/live/list-live-by-user",
    "livelistLiveUsers": "api/live/list-live-users",
    "livegiftInfo": "api/live/gift-info",
    "livebuyGift": "api/live/buy-gift",
    "livebuyBullet": "api/live/buy-bullet",
    "liveliveLike": "api/live/live-like",
    "chatstopMatchChat": "api/chat/stop-match-chat",
    "messagesendMsg": "api/message/send-msg",
    "messagechannel": "ws/channel",
    "messagemessageList": "api/msg/message-list",
}


class Phone:
    VERSION = "1.1.2"

    def __init__(
        self, base_url: str, *, imei: str = "866000000000001", ping_every: float = 5.0, own_address: str = ""
    ) -> None:
        self.base_url = base_url.rstrip("/") + "/"
        self.imei, self.ping_every, self.own_address = imei, ping_every, own_address
        self.user, self.screen, self.live = User(), Screen(), Live()
        self.frames: list[str] = []
        self.messages: list[Json] = []
        self.urls: dict[str, str] = {}
        self.gifts: dict[int, Json] = {}
        self.next_beat = 15
        self._news = threading.Condition()
        self._crash: BaseException | None = None
        self._failed_beats = 0
        self._socket: WebSocket | None = None
        self._first_socket: WebSocket | None = None
        self._boot()

    # --- The app's process -----------------------------------------------------------------------------------

    def _boot(self) -> None:
        """1.4: the headers, token included, are built once per process and never again."""
        self.http = Http(self.own_address)
        self._main_thread = ThreadPoolExecutor(1, "main")
        self._timers_end = threading.Event()
        self._initialised, self._list_read_at = False, -1e9
        empty = (
            "Appkey",
            "Udid",
            "Os",
            "Osversion",
            "Appversion",
            "Sourceid",
            "Ver",
            "x-jiyu-uid",
            "x-jiyu-v",
            "x-jiyu",
        )
        self._device: dict[str, object] = {
            "ap": "heihei",
            "version": self.VERSION,
            "buildNumber": "ea9c9f0",
            "local": "zh_CN",
            "uuid": self.imei,
            "model": "Xiaomi:红米Note",
            "resolution": self.VERSION,
            "apiVersion": "1.0",
            "deveiceType": "android",
            "channel": "huawei",
        }
        self._headers: dict[str, object] = {**dict.fromkeys(empty, ""), **self._device}
        if self.signed_in:
            self._headers["token"] = self.user.token

    def start(self) -> "Phone":
        """5.0: cold start up to the splash screen."""
        self.init()
        if self.signed_in:
            self.screen.page = "main" if self.user.complete else "profile"
            self.connect()
        return self

    def restart(self) -> "Phone":
        """The process dies and starts again; description and earned points are not saved."""
        self.switch_off()
        self.user.description, self.user.all_points = "", 0
        self.live, self.screen = Live(), Screen()
        self._boot()
        return self.start()

    def switch_off(self) -> None:
        self._timers_end.set()
        for socket in (self._socket, self._first_socket):
            if socket:
                socket.drop()
        self._main_thread.shutdown(wait=False, cancel_futures=True)
        self.http.close()

    @property
    def signed_in(self) -> bool:
        return not is_empty(self.user.id) and not is_empty(self.user.token)

    def wait_for(self, seen: Callable[[], Any], timeout: float = 20.0) -> Any:
        """The first true value of `seen()`; AssertionError when the person waits in vain."""
        end = time.monotonic() + timeout
        while True:
            if self._crash:
                raise self._crash
            if found := seen():
                return found
            if time.monotonic() > end:
                raise AssertionError(f"not seen within {timeout} s; screen: {self.screen}")
            with self._news:
                self._news.wait(0.05)

    def received(self, kind: str, **fields: str) -> list[Json]:
        """The messages of one msgType that came in, by the text of some fields."""
        return [
            message
            for message in list(self.messages)
            if message.opt_str("msgType") == kind
            and all(message.opt_str(key) == value for key, value in fields.items())
        ]

    # --- Calls -----------------------------------------------------------------------------------------------

    def url(self, module: str, key: str) -> str:
        """2.3: init's address, else the app's default; for three of them that is a crash."""
        if found := self.urls.get(module + key):
            return found
        if module + key == "userunblockUser":
            return "userunblockUser"
        default = DEFAULT_URLS.get(module + key)
        if default is None:
            raise AppCrash(f"init gave no {module}.{key}")
        host = self.base_url.replace("http://", "ws://") if key == "channel" else self.base_url
        return host + default

    def get(self, module: str, key: str, **params: object) -> Answer:
        return self._async(lambda url: self.http.get(url, self._with_token(params), self._headers), module, key)

    def post(self, module: str, key: str, **params: object) -> Answer:
        return self._post(module, key, self._with_token(params))

    def post_as_nobody(self, module: str, key: str, **params: object) -> Answer:
        return self._post(module, key, params)

    def _post(self, module: str, key: str, params: Params) -> Answer:
        body = self.encode_form(params)
        return self._async(lambda url: self.http.post(url, body, self._headers, form=FORM), module, key)

    def get_sync(self, module: str, key: str, *, stop: tuple[int, ...], **params: object) -> Answer:
        """1.6: no app headers, three attempts without a pause; 720 means nothing here."""
        for _ in range(SYNC_ATTEMPTS):
            answer = Answer.of(self.http.get(self.url(module, key), self._with_token(params), {}, once=False))
            if answer.code in stop:
                break
        return answer

    def encode_form(self, params: Params) -> bytes:
        return form_body(params)

    def _with_token(self, params: Params) -> Params:
        return {"token": self.user.token, **params}

    def _async(self, send: Callable[[str], Response | None], module: str, key: str) -> Answer:
        try:
            answer = Answer.of(send(self.url(module, key)))
        except UnexpectedUrl as error:
            raise AppCrash(f"unexpected url: {error}") from error
        if answer.code == TOKEN_INVALID and self.screen.page not in ("login", "profile"):
            self.screen.toasts.append("此账号已在别处登录")
            self.user, self.screen.page = User(), "login"
        return answer

    def _toast(self, answer: Answer) -> Answer:
        if not answer.ok:
            self.screen.toasts.append(answer.text)
        return answer

    # --- Init and sign-in ------------------------------------------------------------------------------------

    def init(self) -> Answer:
        """2.2: each text of the known groups is an address under group + key."""
        params = self._with_token(self._device) if self.signed_in else self._device
        answer = Answer.of(self.http.get(self.base_url + "api/init", params, self._headers))
        if answer.ok and answer.json:
            self._initialised = True
            for module in URL_MODULES:
                group = answer.json.opt_obj(module)
                for key in group.members if group else ():
                    value = group.opt_str(key) if group else ""
                    if not is_empty(value):
                        self.urls[module + key] = value
        return answer

    def request_code(self, phone: str) -> Answer:
        answer = self.post_as_nobody("user", "getSMSVerificationCode", phoneNo=phone)
        self.screen.toasts.append("验证码已发送" if answer.ok else answer.text)
        return answer

    def sign_in(self, phone: str, code: str) -> Answer:
        if len(code) < 6:
            raise Stuck("the login button stays grey below six characters")
        answer = self._toast(self.post_as_nobody("user", "signInCLByPhone", phoneNo=phone, verifyCode=code))
        if not answer.ok or not answer.json:
            return answer
        card, token = answer.json.opt_obj("userInfo"), answer.json.opt_str("token")
        if is_empty(token):
            self.screen.toasts.append("登录失败，请重试")
            return answer
        self.user = User(token=token)
        if not card or not self.user.read(card).id:
            raise Stuck("no userInfo.id: the app does not count as signed in")
        registered = self.user.complete and not answer.json.opt_bool("needRegist")
        if registered:
            self.open_main_page()
        else:
            self.screen.page = "profile"
        return answer

    def complete_profile(self, name: str, gender: str = "Female", birthday: str = "1995-05-05") -> Answer:
        answer = self._toast(self.post("user", "updateUser", displayName=name, gender=gender, birthDay=birthday))
        if answer.ok:
            self.user.name, self.user.gender, self.user.birthday = name, gender, birthday
            if self.screen.page == "profile":
                self.open_main_page()
        return answer

    def edit_profile(self, **changes: str) -> Answer:
        for name, value in changes.items():
            setattr(self.user, name, value)
        return self._toast(self._update())

    def locate(self, latlng: str = "30.27,120.15") -> Answer:
        """The automatic update at every start in another city: the signature as known here, no address."""
        return self._update(address="", latlng=latlng)

    def _update(self, **where: str) -> Answer:
        user = self.user
        card = {"displayName": user.name, "description": user.description}
        gender = "Female" if user.gender == "Female" else "Male"
        return self.post("user", "updateUser", **card, gender=gender, birthDay=user.birthday, **where)

    def open_main_page(self) -> None:
        """5.0 3: a second socket where there is one already, and what the page fetches."""
        self.screen.page = "main"
        if self._socket:
            self.open_second_socket()
        else:
            self.connect()
        self.load_gifts()
        self.post("chat", "stopMatchChat")
        self.open_home()
        self.look_at_myself()

    def open_home(self) -> None:
        banner = self.get("social", "getBanner")
        if banner.ok and banner.json and banner.json.opt_arr("banners") is None:
            raise AppCrash("get-banner without banners")
        feed = self.get("live", "listLiveByRecommend")
        lives = feed.json.opt_arr("lives") if feed.ok and feed.json else None
        if lives is not None:
            self.screen.feed = [Live().read(live) for live in lives.objects() if live]

    # --- People ----------------------------------------------------------------------------------------------

    def look_at_myself(self) -> Answer:
        answer = self.get("user", "userInfo", uid=self.user.id)
        if answer.ok and answer.json and (card := answer.json.opt_obj("result")):
            self.user.read(card)
            self.screen.diamonds = self.user.gold
        return answer

    def look_at(self, user_id: str) -> User:
        answer = self.get("user", "userInfo", uid=user_id, cuid=self.user.id)
        return User().read(answer.object("result"))

    def follow(self, user_id: str) -> Answer:
        return self._toast(self.post("user", "followUser", userId=user_id, liveId=self.live.id))

    def unfollow(self, user_id: str) -> Answer:
        return self._toast(self.post("user", "unfollowUser", userId=user_id))

    def block(self, user_id: str) -> Answer:
        return self._toast(self.post("user", "blockUser", userId=user_id))

    def unblock(self, user_id: str) -> Answer:
        return self._toast(self.post("user", "unblockUser", targetId=user_id))

    def report(self, user_id: str, kind: int) -> Answer:
        """3.1: the report menu posts to the address of unblock-user; the answer is not looked at."""
        self.screen.toasts.append("感谢您的举报")
        return self.post("user", "unblockUser", userId=user_id, reportType=kind)

    # --- The anchor (5.2) ------------------------------------------------------------------------------------

    def create_live(self, title: str) -> Answer:
        answer = self._toast(self.post("live", "createLive", title=title))
        if answer.ok:
            self.live = Live().read(answer.object("live"))
        return answer

    def go_on_air(self, title: str) -> Answer:
        """Create, open the anchor's page, publish, start. Afterwards the room is running."""
        answer = self.create_live(title)
        if answer.ok:
            self.open_anchor_page()
        return answer

    def open_anchor_page(self) -> None:
        live_id = self.live.id
        self.screen.page, self.screen.title = "anchor", self.live.title
        self.list_users()
        self.beat()
        joined = self.post("live", "joinLive", liveId=live_id)
        if not self.live.publisher and joined.ok:
            self.live.read(joined.object("live"))
        if not self.live.publisher:
            self.screen.toasts.append("网络异常")
            self.stop()
            raise Stuck("nowhere to publish: the page closes and ends the live")
        publish_url(self.live.publisher)
        self.start_live()

    def reopen_my_live(self, live: Live) -> None:
        """Tapped in the feed: the anchor's page without a publisher."""
        self.live = Live(id=live.id, title=live.title, status=live.status)
        self.open_anchor_page()

    def start_live(self) -> Answer:
        return self.get("live", "startLive", liveId=self.live.id)

    def change_title(self, title: str) -> Answer:
        answer = self._toast(self.post("live", "changeLive", title=title, liveId=self.live.id))
        if answer.ok:
            self.screen.title = self.live.title = title
        return answer

    def go_to_background(self) -> Answer:
        return self.post("live", "pauseLive", liveId=self.live.id)

    def come_back(self) -> Answer:
        return self.post("live", "continueLive", liveId=self.live.id)

    def stop(self) -> Answer:
        """The page is destroyed: stop-live, possibly twice; the end page looks before and shares after."""
        live_id = self.live.id
        answer = self.post("live", "stopLive", liveId=live_id)
        self.screen.page = "end"
        self._end_page(live_id)
        self.post("live", "stopLive", liveId=live_id)
        return answer

    # --- The audience (5.3) ----------------------------------------------------------------------------------

    def join_live(self, live_id: str) -> Answer:
        answer = self.post("live", "joinLive", liveId=live_id)
        if not answer.ok:
            self.screen.toasts.append("网络异常")
            self.post("live", "quitLive", liveId=live_id)
            return answer
        self._clear_room()
        self.live = Live().read(answer.object("live"))
        if answer.json and (card := answer.json.opt_obj("userInfo")):
            self.live.owner = User().read(card)
        self.screen.earnings, self.screen.title = self.live.tickets, self.live.title
        if self.live.status != 1:
            self.screen.page = "end"
            self._end_page(self.live.id)
        elif is_empty(self.live.stream):
            self.screen.toasts.append("播放地址为空")
            self.screen.page = "main"
        else:
            self.screen.page = "audience"
            self.list_users()
            self.beat()
            self._show(Line("local", self.user.name, "加入房间"))
        return answer

    def beat(self) -> Answer:
        """Two failures in a row: the anchor's live ends, a viewer stops beating."""
        creator = self.screen.page == "anchor"
        answer = self.get("live", "heartBeat", liveId=self.live.id, isCreator=int(creator))
        self._failed_beats = 0 if answer.ok else self._failed_beats + 1
        if answer.json:
            self.next_beat = 10 if creator else answer.json.opt_int("nextTimeout") or 15
        if creator and self._failed_beats >= 2:
            self.screen.dialogs.append("当前网络不佳，即将关闭直播")
            self.stop()
        return answer

    def list_users(self) -> Answer:
        answer = self.get("live", "listLiveUsers", liveId=self.live.id, lastJoinTime=0, direction=0)
        users = answer.json.opt_arr("users") if answer.ok and answer.json else None
        if users is not None:
            self.screen.people = [User().read(card) for card in users.objects() if card]
        return answer

    def look_again(self) -> Live:
        """GET get-live, after the player or the publisher lost the stream."""
        answer = self.get("live", "getLive", liveId=self.live.id)
        live = Live().read(answer.object("live"))
        if live.status != 1:
            self.screen.dialogs.append("服务器已关闭当前直播间")
        return live

    def say(self, text: str) -> Answer:
        self._show(Line("text", self.user.name, text))
        room = self.live.id
        return self.get_sync("message", "sendMsg", stop=(OK,), text=text, roomId=room, liveId=room)

    def bullet(self, text: str) -> Answer:
        answer = self.get_sync("live", "buyBullet", stop=(OK, NOT_ENOUGH_MONEY), liveId=self.live.id, message=text)
        return self._spent(answer, Line("barrage", self.user.name, text))

    def gift(self, gift_id: int, amount: int = 1, combo: str = "") -> Answer:
        """One tap. `combo` is the gift_uuid: constant while `amount` counts up within three seconds."""
        combo = combo or hashlib.md5(f"{self.user.id}{gift_id}{time.time_ns()}".encode()).hexdigest()
        name = self.gifts[gift_id].opt_str("name") if gift_id in self.gifts else ""
        answer = self.get_sync(
            "live",
            "buyGift",
            stop=(OK, NOT_ENOUGH_MONEY),
            giftId=gift_id,
            liveId=self.live.id,
            amount=amount,
            gift_uuid=combo,
        )
        return self._spent(answer, Line("local", self.user.name, f"送主播{name}"))

    def _spent(self, answer: Answer, line: Line) -> Answer:
        if answer.ok and answer.json:
            self.screen.diamonds = answer.json.opt_int("gold")
            self._show(line)
        elif answer.code == NOT_ENOUGH_MONEY:
            self.screen.dialogs.append("余额不足")
        return answer

    def like(self, type: int = 1) -> Answer:
        answer = self.post("live", "liveLike", liveId=self.live.id, type=type)
        if answer.ok:
            self._show(Line("like", self.user.name, ("点亮了", "又点亮了", "用了洪荒之力点亮了")[type - 1]))
        return answer

    def share(self) -> Answer:
        answer = self.post("live", "shareLive", liveId=self.live.id)
        share = answer.json.opt_obj("share") if answer.json else None
        if share and not share.opt_obj("weibo"):
            raise AppCrash("share without weibo")
        if not share:
            self.screen.toasts.append("未获取到分享信息")
        return answer

    def quit(self) -> Answer:
        """Normally sent twice a visit."""
        live_id = self.live.id
        self.post("live", "quitLive", liveId=live_id)
        answer = self.post("live", "quitLive", liveId=live_id)
        self.live, self.screen.page = Live(), "main"
        return answer

    def load_gifts(self) -> list[list[Json]]:
        """The pages of the gift dialog: ten each, an incomplete last one is thrown away."""
        answer = self.get("live", "giftInfo")
        found = answer.json.opt_arr("gifts") if answer.ok and answer.json else None
        gifts = [gift for gift in found.objects() if gift] if found else []
        self.gifts = {gift.opt_int("id"): gift for gift in gifts}
        return [gifts[start : start + 10] for start in range(0, len(gifts) - 9, 10)]

    def _end_page(self, live_id: str) -> None:
        answer = self.get("live", "getLive", liveId=live_id)
        if answer.ok and answer.json:
            self.live.read(answer.object("live"))
            card = answer.json.opt_obj("userInfo")
            self.live.owner = User().read(card) if card else User()
        self.share()

    def _clear_room(self) -> None:
        self.screen.chat, self.screen.banners = [], []

    def _show(self, line: Line) -> None:
        self.screen.chat.append(line)

    # --- The socket (4) --------------------------------------------------------------------------------------

    def connect(self) -> None:
        """The service starts: one connection, and a timer that pings and reconnects for ever."""
        self._open_socket()
        threading.Thread(target=self._service, args=(self._timers_end,), daemon=True, name="service").start()

    def open_second_socket(self) -> None:
        """4.4: normal at a cold start. The first one stays open, is never pinged again and is still listened to."""
        self._first_socket, self._socket = self._socket, None
        self.connect()

    @property
    def connected(self) -> bool:
        return self._socket is not None and self._socket.connected

    def lose_network(self) -> None:
        for socket in (self._socket, self._first_socket):
            if socket:
                socket.drop()

    def _open_socket(self) -> None:
        try:
            self._socket = WebSocket(
                f"{self.url('message', 'channel')}?token={self.user.token}",
                on_text=self._on_frame,
                on_crash=lambda why: self._die(AppCrash(why)),
                on_end=self._tell,
                own_address=self.own_address,
            )
        except OSError:
            return
        if time.monotonic() - self._list_read_at > 20:
            self._list_read_at = time.monotonic()
            self._later(lambda: self.get("message", "messageList"))

    def _service(self, end: threading.Event) -> None:
        """A tick: ping; or, when the line is dead, a tick of patience and a new connection."""
        while not end.wait(self.ping_every):
            socket = self._socket
            if socket and socket.connected and socket.unanswered < DEAD_AFTER_PINGS:
                socket.ping()
                continue
            if end.wait(self.ping_every) or self._socket is not socket:
                continue
            if socket:
                socket.close_with_zero()
            self._open_socket()

    def _on_frame(self, frame: str) -> None:
        self.frames.append(frame)
        for message in messages_in(frame):
            self.messages.append(message)
            self._dispatch(message)
        self._tell()

    def _dispatch(self, message: Json) -> None:
        """4.6; types nobody knows are ignored."""
        kind = message.opt_str("msgType")
        if kind == "action":
            self._act(message)
        elif kind == "system":
            if self.screen.page in ("anchor", "audience"):
                self._show(Line("system", "", message.opt_str("text")))
        elif kind in ("text", "barrage", "like", "gift") and self._is_here(message):
            mine = message.opt_str("fromUserId") == self.user.id
            if kind == "barrage" or (kind == "gift" and not mine):
                self.screen.earnings = message.opt_int("totalTicket")
            if not mine and kind == "gift":
                self._show_gift(message)
            elif not mine:
                self._show_line(kind, message)

    def _is_here(self, message: Json) -> bool:
        return self.screen.page in ("anchor", "audience") and message.opt_str("roomId") == self.live.id

    def _show_line(self, kind: str, message: Json) -> None:
        gift = message.opt_int("giftId", -1) if kind == "text" else -1
        self._show(Line(kind, message.opt_str("fromUserName"), message.opt_str("text"), gift))

    def _show_gift(self, message: Json) -> None:
        """A combo is one banner whose number only grows; the anchor's page does not look at its gift_uuid."""
        gift, amount = message.opt_int("giftId"), message.opt_int("amount")
        combo = "" if self.screen.page == "anchor" else message.opt_str("gift_uuid")
        key = (message.opt_str("fromUserId"), gift, combo)
        if gift not in self.gifts:
            return
        now = time.monotonic()
        running = [shown for shown in self.screen.banners if shown.key == key and now - shown.since < COMBO_SECONDS]
        if not running:
            self.screen.banners.append(Banner(message.opt_str("fromUserName"), gift, amount, key, now))
        elif amount > running[-1].combo:
            running[-1].combo, running[-1].since = amount, now

    def _act(self, message: Json) -> None:
        action = message.opt_str("action")
        if action == "live-change" and message.opt_str("liveId") == self.live.id:
            if self.screen.page == "audience":
                self.screen.title = message.opt_str("title")
        elif action == "stop-live":
            live = message.opt_obj("live")
            if live and live.opt_str("liveId") == self.live.id and self.screen.page == "audience":
                self.screen.page = "end"
                self._later(partial(self._leave_ended, self.live.id))

    def _leave_ended(self, live_id: str) -> None:
        self.post("live", "quitLive", liveId=live_id)
        self._end_page(live_id)
        self.post("live", "quitLive", liveId=live_id)

    def _later(self, work: Callable[[], object]) -> None:
        """On the app's main thread."""

        def done(work: Future[object]) -> None:
            if not work.cancelled() and (error := work.exception()):
                self._die(error)
            self._tell()

        self._main_thread.submit(work).add_done_callback(done)

    def _die(self, error: BaseException) -> None:
        self._crash = error
        self._tell()

    def _tell(self) -> None:
        with self._news:
            self._news.notify_all()
