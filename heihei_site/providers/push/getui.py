"""Getui's REST interface, version 2 (docs.getui.com): Android phones, and iPhones that registered with it."""

import hashlib
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar

import httpx
import orjson
from django.conf import settings
from django.utils import timezone

from heihei_site.providers.push.base import Answer, Notification, NotTaken, Result

TIMEOUT = 6.0  # seconds for one answer,
LONGEST = 24.0  # and for all that one call of `send` asks
TOKEN_INVALID = 10001
WRONG_PARAMETER = 20001
MARGIN = 600  # seconds before its end at which a token is not used any more
GONE = ("target user is invalid", "appid not match cid")  # what is said about a device that is none of ours
IGNORED = "successed_ignore"  # not seen for 90 days; an app that comes back registers anew


class _Refused(Exception):
    """The vendor's code, and what it says to it."""

    def __init__(self, code: int, said: str) -> None:
        super().__init__(f"getui {code}")
        self.code, self.said = code, said


class GetuiPush:
    """A request id is acted on once by the vendor, so whatever is in doubt is sent again under the same."""

    development_only: ClassVar[bool] = False
    needs: ClassVar = ("GETUI_APP_ID", "GETUI_APP_KEY", "GETUI_MASTER_SECRET")

    def __init__(self) -> None:
        self._client = httpx.Client(timeout=TIMEOUT)
        self._renewing = threading.Lock()
        self._token, self._good_until = "", 0.0

    def send(self, notifications: Sequence[Notification]) -> Sequence[Answer]:
        end = time.monotonic() + LONGEST
        answers: dict[str, Answer] = {}
        for part in _one_for_each_device(notifications):
            try:
                answers |= self._send(part, end)
            except (httpx.HTTPError, NotTaken) as error:
                reason = str(error) if isinstance(error, NotTaken) else type(error).__name__
                answers |= {one.request_id: Answer(Result.LATER, reason) for one in part}
        in_order = [answers[one.request_id] for one in notifications]
        if in_order and all(answer.result is Result.LATER for answer in in_order):
            raise NotTaken(in_order[0].reason)
        return in_order

    def _send(self, part: Sequence[Notification], end: float) -> dict[str, Answer]:
        """By request id. What is wrong with one of many is found out by halves: none of a refused call is taken."""
        if time.monotonic() > end:
            raise NotTaken("too slow")
        messages = [_message(one) for one in part]
        try:
            taken = self._ask("push/single/batch/cid", {"is_async": False, "msg_list": messages})
        except _Refused as refused:
            if refused.code != WRONG_PARAMETER:
                raise NotTaken(str(refused)) from None
            if len(part) == 1:
                dead = any(words in refused.said for words in GONE)
                return {part[0].request_id: Answer(Result.DEAD if dead else Result.REFUSED, str(refused))}
            middle = len(part) // 2
            return self._send(part[:middle], end) | self._send(part[middle:], end)
        said = {cid: str(status) for task in taken.values() if isinstance(task, dict) for cid, status in task.items()}
        return {one.request_id: _answer(said.get(one.token, "")) for one in part}

    def _ask(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        token = self._get_token()
        try:
            return self._post(what, body, {"token": token})
        except _Refused as refused:
            if refused.code != TOKEN_INVALID:
                raise
            return self._post(what, body, {"token": self._get_token(but=token)})

    def _get_token(self, but: str = "") -> str:
        """One for all threads of this process: the vendor gives only so many a minute."""
        with self._renewing:
            if self._token == but or time.time() > self._good_until:
                stamp = str(int(time.time() * 1000))
                signed = f"{settings.GETUI_APP_KEY}{stamp}{settings.GETUI_MASTER_SECRET}"
                sign = hashlib.sha256(signed.encode()).hexdigest()
                try:
                    given = self._post("auth", {"sign": sign, "timestamp": stamp, "appkey": settings.GETUI_APP_KEY})
                except _Refused as refused:
                    raise NotTaken(str(refused)) from None
                self._token, self._good_until = str(given["token"]), int(given["expire_time"]) / 1000 - MARGIN
            return self._token

    def _post(self, what: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> dict[str, Any]:
        """The `data` of the answer. Refusals come with any HTTP status; the code says more than that."""
        answer = self._client.post(
            f"{settings.GETUI_API}/{settings.GETUI_APP_ID}/{what}",
            content=orjson.dumps(body),
            headers={"content-type": "application/json;charset=utf-8", **(headers or {})},
        )
        try:
            said = orjson.loads(answer.content)
            code, data = int(said["code"]), said.get("data")
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            raise NotTaken(f"getui HTTP {answer.status_code}") from None
        if code:
            raise _Refused(code, str(said.get("msg", "")))
        return data if isinstance(data, dict) else {}


def _one_for_each_device(notifications: Sequence[Notification]) -> list[list[Notification]]:
    """The answer names devices only, so no call has two for one."""
    parts: list[dict[str, Notification]] = []
    for one in notifications:
        for part in parts:
            if one.token not in part:
                part[one.token] = one
                break
        else:
            parts.append({one.token: one})
    return [list(part.values()) for part in parts]


def _message(one: Notification) -> dict[str, Any]:
    """While the app runs it gets the payload itself and shows what it likes; else the phone's maker or Apple shows the
    notification and hands the payload over when that is touched."""
    payload = orjson.dumps(one.payload).decode()
    left = max(one.expires_at - timezone.now(), timedelta(seconds=1))
    alert = {"title": one.title, "body": one.text}
    ios = {
        "type": "notify",
        "payload": payload,
        "aps": {"alert": alert, "sound": "default", "content-available": 0},
        "apns-collapse-id": one.collapse,
    }
    ups = {"notification": {**alert, "click_type": "payload", "payload": payload}}
    return {
        "request_id": one.request_id,
        "settings": {"ttl": int(left.total_seconds() * 1000)},
        "audience": {"cid": [one.token]},
        "push_message": {"transmission": payload},
        "push_channel": {"ios": ios} if one.platform == "ios" else {"android": {"ups": ups}},
    }


def _answer(status: str) -> Answer:
    if status == IGNORED:
        return Answer(Result.DEAD, status)
    if status.startswith("successed"):
        return Answer(Result.ACCEPTED)
    return Answer(Result.LATER, status or "no status")
