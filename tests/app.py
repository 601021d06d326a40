"""What the 1.1 app keeps in memory and shows, and how it reads that from answers and frames."""

from contextlib import suppress
from dataclasses import dataclass, field

from tests.okhttp import Response
from tests.orgjson import Json, NotJson, is_empty, read

FAILED, OK, TOKEN_INVALID, NOT_ENOUGH_MONEY = -1, 0, 720, 740


class AppCrash(Exception):
    """The app dies in the person's hand."""


class Stuck(Exception):
    """The app lives, but the person cannot go on."""


@dataclass(frozen=True)
class Answer:
    code: int = FAILED
    text: str = "失败"
    json: Json | None = None

    @property
    def ok(self) -> bool:
        return self.code == OK

    @classmethod
    def of(cls, response: Response | None) -> "Answer":
        """1.5: only 2xx with a JSON object counts; everything else is -1."""
        if response is None or not 200 <= response.status < 300:
            return cls()
        try:
            json = Json.parse(response.text)
        except NotJson:
            return cls(FAILED, "")
        return cls(json.opt_int("errorcode", FAILED), json.opt_str("errormsg"), json)

    def object(self, key: str) -> Json:
        found = self.json and self.json.opt_obj(key)
        if not found:
            raise Stuck(f"no {key} in {self}")
        return found


@dataclass
class User:
    """3.0; a field the server leaves out keeps its value, except gender."""

    id: str = ""
    token: str = ""
    name: str = ""
    description: str = ""
    gender: str = "Male"
    birthday: str = ""
    cover: str = ""
    gold: int = 0
    point: int = 0
    all_points: int = 0
    level: int = 1
    followed: bool = False
    blocked: bool = False

    def read(self, json: Json) -> "User":
        self.id = json.opt_str("id", self.id)
        self.token = json.opt_str("token", self.token)
        self.name = json.opt_str("displayName", self.name)
        self.description = json.opt_str("description", self.description)
        self.gender = gender(json)
        self.birthday = json.opt_str("birthDay", self.birthday)
        self.cover = json.opt_str("coverUrl", self.cover)
        self.gold = json.opt_int("goldCount", self.gold)
        self.point = json.opt_int("point", self.point)
        self.all_points = json.opt_int("allEarnPoint", self.all_points)
        self.level = json.opt_int("level", self.level)
        self.followed = json.opt_bool("isFollowed", self.followed)
        self.blocked = json.opt_bool("isBlocked", self.blocked)
        return self

    @property
    def complete(self) -> bool:
        return not is_empty(self.name) and not is_empty(self.birthday) and self.gender != "Unspecified"


@dataclass
class Live:
    id: str = ""
    title: str = ""
    status: int = 0
    stream: str = ""
    replay: str = ""
    owner: User = field(default_factory=User)
    total_users: int = 0
    tickets: int = 0
    publisher: Json | None = None

    def read(self, json: Json) -> "Live":
        self.id = json.opt_str("liveId", self.id)
        self.title = json.opt_str("title", self.title)
        self.status = json.opt_int("status")
        self.stream = json.opt_str("streamAddr", self.stream)
        self.replay = json.opt_str("lookbackAddr", self.replay)
        self.owner = User(json.opt_str("userId"), name=json.opt_str("userName"), gender=gender(json))
        self.total_users = json.opt_int("totalUsers")
        self.tickets = json.opt_int("totalTickets")
        if json.has("qiniuObj"):
            with suppress(NotJson):
                self.publisher = Json.parse(json.opt_str("qiniuObj"))
        return self


@dataclass(frozen=True)
class Line:
    """One line of the chat as it stands on the screen."""

    kind: str
    who: str
    text: str
    gift: int = -1


@dataclass
class Banner:
    who: str
    gift: int
    combo: int
    key: tuple[str, int, str] = ("", 0, "")
    since: float = 0.0


@dataclass
class Screen:
    """What the person sees."""

    page: str = "login"
    title: str = ""
    chat: list[Line] = field(default_factory=list)
    banners: list[Banner] = field(default_factory=list)
    people: list[User] = field(default_factory=list)
    earnings: int = 0
    diamonds: int = 0
    feed: list[Live] = field(default_factory=list)
    toasts: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def texts(self, kind: str = "text") -> list[str]:
        return [line.text for line in self.chat if line.kind == kind]


def gender(json: Json) -> str:
    word = json.opt_str("gender")
    return word if word in ("Female", "Unspecified") else "Male"


def messages_in(frame: str) -> list[Json]:
    """4.5: the envelope is an array of objects with `msg`, an object or its text; see the table for the rest."""
    try:
        elements = read(frame)
    except NotJson:
        return []
    found: list[Json] = []
    for element in elements if isinstance(elements, list) else []:
        if not isinstance(element, dict):
            break
        try:
            found.append(Json.parse(Json(element).opt_str("msg")))
        except NotJson:
            continue
    return found


def publish_url(publisher: Json) -> str:
    """5.9: the publisher reads with throwing getters; one missing text kills the app."""
    for key in ("id", "hub", "title", "publishKey", "publishSecurity"):
        if not publisher.has(key):
            raise AppCrash(f"qiniuObj without {key}")
    hosts = publisher.opt_obj("hosts")
    publish = hosts and hosts.opt_obj("publish")
    if not publish or not publish.has("rtmp"):
        raise AppCrash("qiniuObj without hosts.publish.rtmp")
    stream = f"{publish.opt_str('rtmp')}/{publisher.opt_str('hub')}/{publisher.opt_str('title')}"
    secret = "key=" + publisher.opt_str("publishKey")
    return f"rtmp://{stream}?{secret if publisher.opt_str('publishSecurity') == 'static' else 'nonce=…'}"
