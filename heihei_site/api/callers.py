"""Who is asking: the request as views and services want it."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from rest_framework.request import Request

from heihei_site.api import addresses
from heihei_site.api.clients import Client
from heihei_site.api.errors import TokenInvalid
from heihei_site.api.parsers import parameters

if TYPE_CHECKING:
    from users.models import Session, User


@dataclass(frozen=True)
class Caller:
    request: Request

    @property
    def anyone(self) -> "User | None":
        """The person, or None where the endpoint is open and no valid token came."""
        user = self.request.user
        return user if user.is_authenticated else None

    @property
    def person(self) -> "User":
        if (person := self.anyone) is None:
            raise self.nobody()
        return person

    def nobody(self) -> TokenInvalid:
        """The refusal of a call that takes a person. Where the authentication knows of a token that is dead, it has
        left something to ask why."""
        dead: Any = self.request.auth
        return TokenInvalid(dead.why() if dead is not None else "")

    @property
    def session(self) -> "Session":
        return cast("Session", self.request.auth)

    @cached_property
    def client(self) -> Client:
        """D1: the header, else the parameter (of sys/update: the version that is asked about, which is its own), else
        what this session last sent, else the newest."""
        session = self.session if self.anyone else None
        given = parameters(self.request)
        return Client.of(
            self.request.headers.get("version"),
            str(given.get("version", "")),
            str(given.get("versionCode", "")),
            session.client_version if session is not None else None,
        )

    @property
    def address(self) -> str:
        """The client's IP address: the TCP peer's, unless that is a trusted proxy."""
        return str(self.request.META.get("REMOTE_ADDR", ""))

    @cached_property
    def base_url(self) -> str:
        """The address under which this caller reaches us, without a trailing slash (D41)."""
        return addresses.base_url(self.request)
