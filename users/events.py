"""What a person is told about their own account."""

from dataclasses import dataclass

from heihei_site.realtime.events import Event, Kind


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
