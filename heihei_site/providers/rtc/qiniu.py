"""Qiniu's real-time audio, through its SDK: one app of theirs, as many rooms in it as there are names."""

from typing import ClassVar

import qiniu
from django.conf import settings
from qiniu.services.pili.rtc_server_manager import RtcServer, get_room_token

from heihei_site.providers.rtc.base import NotRemoved

NOT_THERE = 612

# The SDK has one time-out for all its calls of a process.
qiniu.set_default(connection_timeout=settings.RTC_TIMEOUT)


class QiniuRtc:
    development_only: ClassVar[bool] = False
    needs: ClassVar = ("QINIU_ACCESS_KEY", "QINIU_SECRET_KEY", "QINIU_RTC_APP")

    def token(self, *, room: str, user_id: int, expires: int) -> str:
        claims = {
            "appId": settings.QINIU_RTC_APP,
            "roomName": room,
            "userId": str(user_id),
            "expireAt": expires,
            "permission": "user",
        }
        return str(get_room_token(settings.QINIU_ACCESS_KEY, settings.QINIU_SECRET_KEY, claims))

    def remove(self, *, room: str, user_id: int) -> None:
        server = RtcServer(qiniu.QiniuMacAuth(settings.QINIU_ACCESS_KEY, settings.QINIU_SECRET_KEY))
        server.host = settings.QINIU_RTC_API
        _, said = server.kick_user(settings.QINIU_RTC_APP, room, user_id)
        if said.exception is not None:
            raise NotRemoved(type(said.exception).__name__)
        if said.req_id is None or said.status_code not in (200, NOT_THERE):
            raise NotRemoved(f"HTTP {said.status_code}")
