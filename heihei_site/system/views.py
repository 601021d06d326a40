"""`init`, the first call of every client, what phones ask at every start (`sys/*`), and `social/*`."""

from datetime import UTC
from typing import NotRequired, TypedDict

from django.conf import settings

from heihei_site.api.callers import Caller
from heihei_site.api.endpoints import Endpoints
from heihei_site.api.envelope import Nothing
from heihei_site.api.errors import DeedFailed, TooManyRequests
from heihei_site.api.params import Id, ShortText
from heihei_site.api.throttles import Limit
from heihei_site.providers import registry
from heihei_site.system import address_book, banners, client_logs, offers, updates
from heihei_site.system.params import AppName, InstalledVersion, LogText, Platform, UploadFormat, UploadModule
from heihei_site.uploads import grants, receiving
from heihei_site.uploads.models import Upload
from live.params import GiftIds
from payment.selectors import gift_resources
from payment.serializers import GiftFiles
from users import auth

init_api = Endpoints("init", prefix="")
sys = Endpoints("sys")
social = Endpoints("social")

PAY_TIPS = "领取红包请联系黑黑官方客服\n微信号：welines-wallet"
SEARCH_TIPS = "输入黑号或昵称搜索"


class Function(TypedDict):
    chat: bool


class Tips(TypedDict):
    pay_tips: str
    search_tips: str


class InitAnswer(TypedDict):
    """Every module's addresses by key; `msg` is a copy of `message`."""

    user: dict[str, str]
    live: dict[str, str]
    message: dict[str, str]
    msg: dict[str, str]
    social: dict[str, str]
    payment: dict[str, str]
    chat: dict[str, str]
    topic: dict[str, str]
    record: dict[str, str]
    sys: dict[str, str]
    aboutus: dict[str, str]
    tips: Tips
    function: Function
    img_path: str
    action_code: str
    comment: str


@init_api.get(open_to_all=True)
def init(
    caller: Caller,
    *,
    ap: AppName,
    version: ShortText = "",
    version_type: ShortText = "",
    build_number: ShortText = "",
    locale: ShortText = "",
    uuid: ShortText = "",
    model: ShortText = "",
    resolution: ShortText = "",
    api_version: ShortText = "",
    os_version: ShortText = "",
    apns_type: ShortText = "",
    apns_token: ShortText = "",
    device_type: ShortText = "",
    channel: ShortText = "",
    user_id: Id | None = None,
) -> InitAnswer:
    """The first call of every client: all addresses by key, texts and switches.

    Take every address from here, by group and key, and append parameters yourself: none has a query string. Works
    without a token and with a stale one; with a good one it remembers the client's version for calls that do not say
    theirs (D1, D41). `function` says what is switched on for this `deveiceType`, `channel` and `version`: where `chat`
    is false do not offer match-chat (D34). `imgPath` is the base of addresses of pictures.
    """
    if caller.anyone is not None:
        auth.remember_version(caller.session, version)
    said = caller.request.headers
    offers_matching = offers.matching(
        platform=device_type or said.get("deveiceType", ""),
        channel=channel or said.get("channel", ""),
        version=said.get("version", "") or version or (caller.session.client_version if caller.anyone else ""),
    )
    book = address_book.addresses(caller.base_url)
    return {
        "user": book["user"],
        "live": book["live"],
        "message": book["message"],
        "msg": book["message"],
        "social": book["social"],
        "payment": book["payment"],
        "chat": book["chat"],
        "topic": book["topic"],
        "record": book["record"],
        "sys": book["sys"],
        "aboutus": book["aboutus"],
        "tips": {"pay_tips": PAY_TIPS, "search_tips": SEARCH_TIPS},
        "function": {"chat": offers_matching},
        "img_path": caller.base_url,
        "action_code": "0",
        "comment": "",
    }


class UpdateAnswer(TypedDict):
    """Without `info` there is nothing newer."""

    errorcode: NotRequired[int]
    errormsg: NotRequired[str]
    info: NotRequired[updates.NewVersion]


@sys.get(open_to_all=True)
def update(
    caller: Caller, *, version_code: InstalledVersion, platform: Platform, channel: ShortText = ""
) -> UpdateAnswer:
    """Whether there is a newer version of the app than the one that asks.

    `info` describes it; without `info` there is none. `force`: the app must not go on without it. Clients up to 1.1 get
    `errorcode` 1 with `info`, as they show their dialog for nothing else (D31).
    """
    info = updates.newest(installed=version_code, platform=platform, channel=channel)
    if info is None:
        return {}
    if caller.client.sees_updates_only_in_refusals:
        return {"errorcode": 1, "errormsg": "发现新版本", "info": info}
    return {"info": info}


@sys.post(
    open_to_all=True,
    limits=[
        Limit(settings.CLIENT_LOGS_A_PERSON),
        Limit(settings.CLIENT_LOGS_AN_ADDRESS, by="address"),
    ],
)
def upload_log(caller: Caller, *, log: LogText) -> Nothing:
    """Takes what the app wrote down, for whoever looks into a complaint.

    Also without a token and with one that is no longer good: apps crash before they are signed in. Of a long log the
    end is kept, for two weeks; what looks like a token, a code or a phone number is not. Headers `version`, `model` and
    `deveiceType` say what it comes from.
    """
    client_logs.keep(caller, log)
    return {}


class Credentials(TypedDict):
    """Of the storage; `expiration` as ISO 8601 in UTC."""

    access_key_id: str
    access_key_secret: str
    security_token: str
    expiration: str


class FileInfo(TypedDict):
    """`path` begins with the bucket. `upload_url` is there where files are put to ourselves."""

    file_name: str
    path: str
    sign: str
    upload_url: NotRequired[str]


class UploadGranted(TypedDict):
    credentials: Credentials
    file_info: FileInfo


@sys.post(raises=[DeedFailed, TooManyRequests])
def oss_token(caller: Caller, *, format: UploadFormat, module: UploadModule) -> UploadGranted:
    """Leave to write one file, for an hour: `FileInfo.path` in the object storage, with these `Credentials`, which are
    good for nothing else. With `FileInfo.uploadUrl`: PUT the raw bytes there instead, as they are.

    Then say `FileInfo.sign` where the file is used: a post, a message, the avatar. It is used once, by whoever asked
    for it, and has to be what it says it is, at most 20 MB (102). `record` takes sound, `avatar` (`avator`) pictures,
    `message` both, and mp4; another format there is 400. 429 for who has a hundred unused ones.
    """
    upload, credentials = grants.grant(user_id=caller.person.pk, module=Upload.Module(module), format=format)
    given = registry.credentials()
    file: FileInfo = {"file_name": upload.name, "path": f"{given.bucket}/{upload.key}", "sign": upload.sign}
    if given.local:
        file["upload_url"] = receiving.address_of(upload, caller.base_url)
    return {
        "credentials": {
            "access_key_id": credentials.access_key_id,
            "access_key_secret": credentials.access_key_secret,
            "security_token": credentials.security_token,
            "expiration": f"{credentials.expires_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        },
        "file_info": file,
    }


@social.get()
def get_banner(caller: Caller) -> banners.Banners:
    """The banners of the home page, in order; an empty list where there are none.

    `type` is 1 for a person, 2 for a live, 3 for a page; `link` is the deep link to follow. Ask again after
    `expireTime` seconds.
    """
    return banners.for_home_page(caller.base_url)


@social.get(path="gift-resources", key="giftResources")
def gift_files(caller: Caller, *, gift_ids: GiftIds = "") -> GiftFiles:
    """Animation files of gifts, of all where no `giftIds` are given; retired ones apart, for replays."""
    wanted = [int(part) for part in gift_ids.split(",") if part]
    return gift_resources(wanted or None, caller.base_url)
