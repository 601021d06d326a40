"""Tokens and sessions (D5): the token parameter is the credential, only its SHA-256 is stored, 30 days sliding."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.request import Request

from heihei_site.api.callers import Caller
from heihei_site.api.clients import Client
from heihei_site.api.parsers import parameters
from heihei_site.postgres.compiled import Compiled, Given
from heihei_site.realtime import publish
from heihei_site.realtime.publish import telling
from heihei_site.realtime.sessions import Connection
from users.models import Ban, BannedToken, Device, Session, User

SESSIONS_AT_ONCE = 500  # expired ones deleted in one transaction
_LIVING = Q(expires_at__gt=Now(), user__is_active=True, user__deletion_due_at=None)


def digest_of(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


@dataclass(frozen=True)
class Origin:
    """Where a sign-in comes from, in the phone's own words but for the address."""

    version: str = ""
    model: str = ""
    platform: str = ""
    uuid: str = ""
    address: str = ""

    @classmethod
    def of(cls, caller: Caller) -> "Origin":
        """Out of the headers that every generation of phones sends."""
        said = caller.request.headers
        return cls(
            version=_version(said.get("version", "")),
            model=_words(said.get("model", ""), 64),
            platform=_words(said.get("deveiceType") or said.get("deviceType") or "", 16),
            uuid=_words(said.get("uuid", ""), 128),
            address=caller.address[:45],
        )


UNTOLD = Origin()


def _words(header: str, length: int) -> str:
    """The 1.1 app sends raw UTF-8, which a header is not read as."""
    text = header.encode("latin-1", "replace").decode(errors="replace")
    return "".join(character for character in text if character.isprintable())[:length]


def open_session(user: User, origin: Origin = UNTOLD) -> str:
    """A new sign-in: returns its token, 256 random bits, told once and not kept. Earlier sign-ins end."""
    if settings.SINGLE_DEVICE_SIGN_IN:
        end_sessions(user)
    token = secrets.token_hex(32)
    Session.objects.create(
        user=user,
        digest=digest_of(token),
        expires_at=timezone.now() + settings.TOKEN_LIFETIME,
        client_version=origin.version,
        model=origin.model,
        platform=origin.platform,
        uuid=origin.uuid,
        address=origin.address,
    )
    return token


def end_sessions(user: User, *, only: Session | None = None) -> None:
    """Ends every sign-in of a person, or only one: calls get 720 at once, sockets close within 2 s (I9)."""
    ending = user.sessions.all() if only is None else user.sessions.filter(pk=only.pk)
    with telling():
        # Held, so that no device is registered under a sign-in that is being deleted.
        _end(list(ending.order_by("pk").select_for_update().values_list("pk", flat=True)))


def forget_expired_sessions() -> int:
    """Deletes the sign-ins nobody used for TOKEN_LIFETIME, with the devices they registered. Returns how many."""
    gone = 0
    while True:
        with telling():
            expired = Session.objects.filter(expires_at__lte=Now()).select_for_update(skip_locked=True)
            ids = list(expired.values_list("pk", flat=True)[:SESSIONS_AT_ONCE])
            _end(ids)
        gone += len(ids)
        if len(ids) < SESSIONS_AT_ONCE:
            return gone


def _end(session_ids: list[int]) -> None:
    if not session_ids:
        return
    Device.objects.filter(session__in=session_ids).delete()
    Session.objects.filter(pk__in=session_ids).delete()
    publish.end_sessions(session_ids)


@Compiled
def _living_sessions(digest: Given) -> QuerySet[Session]:
    return Session.objects.select_related("user").filter(_LIVING, digest=digest)


def find_session(token: str, address: str = "") -> Session | None:
    """The living session of a token, its person loaded; None for anything else. Slides the expiry, and notes
    the address it was used from, hourly at most."""
    if not token or len(token) > 255:
        return None
    session = next(iter(_living_sessions(digest_of(token))), None)
    if session is not None:
        slid = timezone.now() + settings.TOKEN_LIFETIME
        if slid - session.expires_at > settings.TOKEN_REFRESH:
            seen = {"address": address[:45]} if address else {}
            Session.objects.filter(pk=session.pk).update(expires_at=slid, active_at=Now(), **seen)
    return session


def remember_version(session: Session, version: str) -> None:
    """What generation this session's client is, for calls that do not say (D1). Written only when it changes."""
    known = _version(version)
    if known and known != session.client_version:
        Session.objects.filter(pk=session.pk).update(client_version=known)
        session.client_version = known


def _version(said: str) -> str:
    return said[:32] if Client.of(said) != Client() else ""


@dataclass(frozen=True)
class DeadToken:
    """A token that is nobody's. Asked about only where somebody is needed: most calls with one take anybody."""

    token: str

    def why(self) -> str:
        """What the person whose it was is told while they are banned, else ""."""
        ended = BannedToken.objects.filter(digest=digest_of(self.token)).first()
        return Ban.objects.words_for(ended.user_id) if ended else ""


class TokenParameterAuthentication(BaseAuthentication):
    """The `token` parameter; the `token` header where there is none (it goes stale in the 1.1 app); `Authorization:
    Token …` for tools. An invalid token is nobody: whether nobody may come in is the endpoint's to say."""

    def authenticate(self, request: Request) -> tuple[User, Session] | tuple[AnonymousUser, DeadToken] | None:
        token = self._token(request)
        session = find_session(token, request.META.get("REMOTE_ADDR", ""))
        if session is None:
            return (AnonymousUser(), DeadToken(token)) if token else None
        remember_version(session, request.headers.get("version", ""))
        return session.user, session

    @staticmethod
    def _token(request: Request) -> str:
        given: Any = parameters(request).get("token")
        if given is not None:
            return str(given)
        if header := request.headers.get("token"):
            return header
        scheme, _, credential = get_authorization_header(request).decode("latin-1").partition(" ")
        return credential.strip() if scheme.lower() == "token" else ""


class SocketSessions:
    """What the socket asks about sessions (`realtime.sessions.SessionStore`)."""

    def connect(self, token: str) -> Connection | None:
        """The next connection of the token's session (D11), or None for a bad token."""
        session = find_session(token)
        if session is None:
            return None
        mine = Session.objects.filter(pk=session.pk)
        with transaction.atomic():  # holds the row, so that two connects at once get two numbers
            mine.update(connection_no=F("connection_no") + 1, connected_at=Now(), active_at=Now())
            number = mine.values_list("connection_no", flat=True).first()
        if number is None:
            return None
        generation = Client.of(session.client_version).generation
        return Connection(session.user_id, session.pk, number, generation)

    def alive(self, session_ids: list[int]) -> set[int]:
        living = Session.objects.filter(_LIVING, pk__in=session_ids)
        return set(living.values_list("pk", flat=True))
