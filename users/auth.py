"""Tokens and sessions (D5): the token parameter is the credential, only its SHA-256 is stored, 30 days sliding."""

import hashlib
import secrets
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.request import Request

from heihei_site.api.clients import Client
from heihei_site.api.parsers import parameters
from heihei_site.postgres.compiled import Compiled, Given
from heihei_site.realtime import publish
from heihei_site.realtime.publish import telling
from heihei_site.realtime.sessions import Connection
from users.models import Session, User


def digest_of(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def open_session(user: User) -> str:
    """A new sign-in: returns its token, 256 random bits, told once and not kept. Earlier sign-ins end."""
    if settings.SINGLE_DEVICE_SIGN_IN:
        end_sessions(user)
    token = secrets.token_hex(32)
    Session.objects.create(user=user, digest=digest_of(token), expires_at=timezone.now() + settings.TOKEN_LIFETIME)
    return token


def end_sessions(user: User, *, only: Session | None = None) -> None:
    """Ends every sign-in of a person, or only one: calls get 720 at once, sockets close within 2 s (I9)."""
    ending = user.sessions.all() if only is None else user.sessions.filter(pk=only.pk)
    with telling():
        ids = list(ending.values_list("pk", flat=True))
        Session.objects.filter(pk__in=ids).delete()
        publish.end_sessions(ids)


@Compiled
def _living_sessions(digest: Given) -> QuerySet[Session]:
    return Session.objects.select_related("user").filter(digest=digest, expires_at__gt=Now(), user__is_active=True)


def find_session(token: str) -> Session | None:
    """The living session of a token, its person loaded; None for anything else. Slides the expiry hourly at most."""
    if not token or len(token) > 255:
        return None
    session = next(iter(_living_sessions(digest_of(token))), None)
    if session is not None:
        slid = timezone.now() + settings.TOKEN_LIFETIME
        if slid - session.expires_at > settings.TOKEN_REFRESH:
            Session.objects.filter(pk=session.pk).update(expires_at=slid)
    return session


def remember_version(session: Session, version: str) -> None:
    """What generation this session's client is, for calls that do not say (D1). Written only when it changes."""
    known = version[:32]
    if version and known != session.client_version and Client.of(version) != Client():
        Session.objects.filter(pk=session.pk).update(client_version=known)
        session.client_version = known


class TokenParameterAuthentication(BaseAuthentication):
    """The `token` parameter; the `token` header where there is none (it goes stale in the 1.1 app); `Authorization:
    Token …` for tools. An invalid token is nobody: whether nobody may come in is the endpoint's to say."""

    def authenticate(self, request: Request) -> tuple[User, Session] | None:
        session = find_session(self._token(request))
        if session is None:
            return None
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
            mine.update(connection_no=F("connection_no") + 1)
            number = mine.values_list("connection_no", flat=True).first()
        if number is None:
            return None
        generation = Client.of(session.client_version).generation
        return Connection(session.user_id, session.pk, number, generation)

    def alive(self, session_ids: list[int]) -> set[int]:
        living = Session.objects.filter(pk__in=session_ids, expires_at__gt=Now(), user__is_active=True)
        return set(living.values_list("pk", flat=True))
