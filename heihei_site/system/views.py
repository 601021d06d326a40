"""`init`, the first call of every client, and `social/*`."""

from typing import Annotated, TypedDict

from rest_framework import serializers as drf

from heihei_site.api.callers import Caller
from heihei_site.api.endpoints import Endpoints
from heihei_site.api.params import Id, ShortText, Word
from heihei_site.system import address_book
from live.params import GiftIds
from payment.selectors import gift_resources
from payment.serializers import GiftFiles
from users import auth

init_api = Endpoints("init", prefix="")
social = Endpoints("social")

PAY_TIPS = "提现请联系黑黑官方客服\n微信号：heiheiapp"
SEARCH_TIPS = "输入昵称或黑号查找好友"

AppName = Annotated[str, Word(lambda **kwargs: drf.ChoiceField([("heihei", "heihei")], **kwargs), name="ap")]


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
    """The first call of every client: all addresses by key, texts and switches. Works without a token and with a
    stale one; with a good one it remembers the client's version (D1, D41)."""
    if caller.anyone is not None:
        auth.remember_version(caller.session, version)
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
        "function": {"chat": "matchChat" in book["chat"]},
        "img_path": caller.base_url,
        "action_code": "0",
        "comment": "",
    }


@social.get(path="gift-resources", key="giftResources")
def gift_files(caller: Caller, *, gift_ids: GiftIds = "") -> GiftFiles:
    """Animation files of gifts, of all where no `giftIds` are given; retired ones apart, for replays."""
    wanted = [int(part) for part in gift_ids.split(",") if part]
    return gift_resources(wanted or None, caller.base_url)
