"""Apple's own service: HTTP/2, one request a notification, signed in by a token of ours (ES256)."""

import asyncio
import threading
import time
import uuid
from collections.abc import Sequence
from typing import ClassVar

import httpx
import jwt
import orjson
from django.conf import settings

from heihei_site.providers.push.base import Answer, Notification, NotTaken, Result

TIMEOUT = 6.0  # seconds for one answer,
LONGEST = 24.0  # and until nothing more of a batch is begun
AT_ONCE = 16  # requests on the one connection
TOKEN_SECONDS = 2400  # Apple takes one for an hour, and does not like more than one in 20 minutes
GONE = {"Unregistered", "BadDeviceToken", "DeviceTokenNotForTopic"}
EXPIRED = "ExpiredProviderToken"
# So ids of the same push are the same, whenever it is tried.
_IDS = uuid.UUID("5f1e2a3c-6d0b-4f7e-9d55-1c7a8e0b4d21")


class ApnsPush:
    """A repeat replaces the first on the phone's screen: both have the same collapse id.

    The one connection lives on a loop and a thread of its own: used from several threads at once, httpx loses answers
    that came by HTTP/2.
    """

    development_only: ClassVar[bool] = False
    needs: ClassVar = ("APNS_KEY", "APNS_KEY_ID", "APNS_TEAM_ID", "APNS_TOPIC")

    def __init__(self) -> None:
        self._client = httpx.AsyncClient(http1=False, http2=True, timeout=TIMEOUT)
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="apns", daemon=True).start()
        self._signing = threading.Lock()
        self._token, self._signed_at = "", 0.0

    def send(self, notifications: Sequence[Notification]) -> Sequence[Answer]:
        call = _Call(self._client, self._get_token(), time.monotonic() + LONGEST)
        answers = asyncio.run_coroutine_threadsafe(call.send_all(notifications), self._loop).result()
        if any(answer.reason == EXPIRED for answer in answers):
            self._get_token(but=call.token)
        if answers and all(answer.result is Result.LATER for answer in answers):
            raise NotTaken(answers[0].reason)
        return answers

    def _get_token(self, but: str = "") -> str:
        with self._signing:
            if self._token == but or time.time() > self._signed_at + TOKEN_SECONDS:
                said = {"iss": settings.APNS_TEAM_ID, "iat": int(time.time())}
                key = {"kid": settings.APNS_KEY_ID}
                self._token = jwt.encode(said, settings.APNS_KEY, algorithm="ES256", headers=key)
                self._signed_at = time.time()
            return self._token


class _Call:
    """One batch. Where the connection fails for one, the rest is not tried: nobody waits for each of 200."""

    def __init__(self, client: httpx.AsyncClient, token: str, end: float) -> None:
        self.token = token
        self._client, self._end = client, end
        self._failed = ""
        self._places = asyncio.Semaphore(AT_ONCE)

    async def send_all(self, notifications: Sequence[Notification]) -> list[Answer]:
        return await asyncio.gather(*map(self._send, notifications))

    async def _send(self, one: Notification) -> Answer:
        async with self._places:
            return await self._send_now(one)

    async def _send_now(self, one: Notification) -> Answer:
        if not one.token.isascii() or not one.token.isalnum():
            return Answer(Result.DEAD, "no token")
        if self._failed or time.monotonic() > self._end:
            return Answer(Result.LATER, self._failed or "too slow")
        try:
            answer = await self._client.post(
                f"{settings.APNS_API}/3/device/{one.token}", content=_body(one), headers=self._headers(one)
            )
        except httpx.HTTPError as error:
            self._failed = type(error).__name__
            return Answer(Result.LATER, self._failed)
        return _answer(answer)

    def _headers(self, one: Notification) -> dict[str, str]:
        return {
            "authorization": f"bearer {self.token}",
            "apns-id": str(uuid.uuid5(_IDS, one.request_id)),
            "apns-topic": settings.APNS_TOPIC,
            "apns-push-type": "alert",
            "apns-priority": "10",
            "apns-expiration": str(int(one.expires_at.timestamp())),
            "apns-collapse-id": one.collapse,
        }


def _body(one: Notification) -> bytes:
    """What the app reads stands beside `aps`, as the document has it."""
    shown = {"alert": {"title": one.title, "body": one.text}, "sound": "default"}
    return orjson.dumps({**one.payload, "aps": shown})


def _answer(answer: httpx.Response) -> Answer:
    if answer.status_code == 200:
        return Answer(Result.ACCEPTED)
    try:
        reason = str(orjson.loads(answer.content)["reason"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        reason = f"HTTP {answer.status_code}"
    if reason in GONE or answer.status_code == 410:
        return Answer(Result.DEAD, reason)
    # 403 is about our key, 429 and above about the moment; nothing of that is this notification's fault.
    passing = answer.status_code in (403, 429) or answer.status_code >= 500
    return Answer(Result.LATER if passing else Result.REFUSED, reason)
