"""What a person is told about their own account, and by operators."""

from dataclasses import dataclass
from typing import TypedDict

from heihei_site.api.clients import EVERYONE
from heihei_site.realtime.events import Event, Kind
from heihei_site.realtime.pushing import Push


@dataclass(frozen=True, kw_only=True)
class DataExported(Event):
    """The copy of their data that somebody asked for (`user/export-data`) is ready: a ZIP of JSON files at `url`, for
    `expire_time` seconds."""

    kind = Kind.PERSONAL
    msg_type = "action"
    action = "data-export"
    comment = "个人数据导出"

    expire_time: int
    url: str

    def push(self) -> Push:
        """Without the address: it is for its person only, and pushes pass through others' hands."""
        return Push(
            title=self.comment,
            text="您的个人数据已经备好，请打开黑黑下载",
            action="homepage",
            links={EVERYONE: "wmlives_heihei://homepage"},
            collapse=self.action,
        )


class TipButton(TypedDict):
    """What a press does: `action` or `jump` is a link as banners have them, both "" only close the tip."""

    title: str
    action: str
    jump: str


class Tip(TypedDict):
    """`type` is alert, toast or image; `timeout` in seconds; `jump` is where a press beside the buttons leads."""

    type: str
    title: str
    desc: str
    jump: str
    timeout: int
    image: str
    buttons: list[TipButton]


@dataclass(frozen=True, kw_only=True)
class TipShown(Event):
    """Operators have something to say to one person."""

    kind = Kind.PERSONAL
    msg_type = "action"
    action = "show-tip"
    comment = "tip消息"

    message: Tip
