"""Purchases in the App Store, verified by Apple's own library: what phones and Apple's server show is signed.

The library verifies nothing at all in the environments XCODE and LOCAL_TESTING; no configuration leads there.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from django.conf import settings

from heihei_site.providers.gateways.base import Forged, Notice, TradeState

if TYPE_CHECKING:
    from appstoreserverlibrary.models.JWSTransactionDecodedPayload import JWSTransactionDecodedPayload
    from appstoreserverlibrary.signed_data_verifier import SignedDataVerifier

ENVIRONMENTS = ("Production", "Sandbox")
MOST_CHARACTERS = 32 * 1024  # of one signed object; Apple's have five thousand


@dataclass(frozen=True)
class Purchase:
    """One transaction of the App Store: so many of a product. `account_token` is what the app said whose it is."""

    number: str
    product_id: str
    quantity: int
    state: TradeState  # PAID or REFUNDED
    account_token: str
    paid_at: datetime | None
    signed_at: datetime | None


@dataclass(frozen=True)
class StoreNews:
    """What Apple's server tells: `deed` is its word for it, `purchase` what it is about, where it is about one.
    `signed_at` is by Apple's clock, and of something that it tells again that of the first time."""

    number: str
    deed: str
    purchase: Purchase | None
    signed_at: datetime | None


@dataclass(frozen=True)
class StoreAccount:
    bundle_id: str
    app_id: int
    environment: str
    roots: tuple[bytes, ...]  # certificates, DER


class AppStore(Protocol):
    development_only: ClassVar[bool]

    def read_purchase(self, signed: str) -> Purchase:
        """A transaction as StoreKit gives it to the app; Forged where it is none of ours."""
        ...

    def read_news(self, notice: Notice) -> StoreNews:
        """A server notification (version 2); Forged where it is none for us."""
        ...


class AppleStore:
    development_only: ClassVar[bool] = False
    needs: ClassVar = ("APPLE_BUNDLE_ID", "APPLE_APP_ID", "APPLE_ROOT_CERTIFICATES")

    @cached_property
    def account(self) -> StoreAccount:
        return StoreAccount(
            bundle_id=settings.APPLE_BUNDLE_ID,
            app_id=settings.APPLE_APP_ID,
            environment=settings.APPLE_ENVIRONMENT,
            roots=tuple(Path(path).read_bytes() for path in settings.APPLE_ROOT_CERTIFICATES),
        )

    @cached_property
    def verifier(self) -> "SignedDataVerifier":
        from appstoreserverlibrary.models.Environment import Environment  # here and not above: few processes need it
        from appstoreserverlibrary.signed_data_verifier import SignedDataVerifier

        if self.account.environment not in ENVIRONMENTS:
            raise ValueError(f"APPLE_ENVIRONMENT is one of {', '.join(ENVIRONMENTS)}")
        return SignedDataVerifier(
            root_certificates=list(self.account.roots),
            enable_online_checks=False,  # a phone waits; the chain is checked all the same
            environment=Environment(self.account.environment),
            bundle_id=self.account.bundle_id,
            app_apple_id=self.account.app_id,
        )

    def read_purchase(self, signed: str) -> Purchase:
        if len(signed) > MOST_CHARACTERS:
            raise Forged("too long")
        verifier = self.verifier  # a wrong setting is our fault, and nobody's forgery
        try:
            return purchase_of(verifier.verify_and_decode_signed_transaction(signed))
        except Forged:
            raise
        except Exception as error:  # what the library's parsing of foreign text may raise is open
            raise Forged(_reason(error)) from error

    def read_news(self, notice: Notice) -> StoreNews:
        verifier = self.verifier
        try:
            signed = json.loads(notice.body)["signedPayload"]
            if not isinstance(signed, str) or len(signed) > 2 * MOST_CHARACTERS:
                raise Forged("too long")
            said = verifier.verify_and_decode_notification(signed)
        except Forged:
            raise
        except Exception as error:
            raise Forged(_reason(error)) from error
        signed_purchase = said.data.signedTransactionInfo if said.data else None
        return StoreNews(
            number=said.notificationUUID or "",
            deed=said.rawNotificationType or "",
            purchase=self.read_purchase(signed_purchase) if signed_purchase else None,
            signed_at=_moment(said.signedDate),
        )


def purchase_of(said: "JWSTransactionDecodedPayload") -> Purchase:
    if not said.transactionId or not said.productId:
        raise Forged("no transaction")
    if said.rawType != "Consumable" or said.rawInAppOwnershipType not in (None, "PURCHASED"):
        raise Forged("not what we sell")
    quantity = said.quantity or 1
    if not 1 <= quantity <= 10:  # which is as many as the store sells at once
        raise Forged("no quantity")
    return Purchase(
        number=said.transactionId,
        product_id=said.productId,
        quantity=quantity,
        state=TradeState.REFUNDED if said.revocationDate else TradeState.PAID,
        account_token=(said.appAccountToken or "").lower(),
        paid_at=_moment(said.purchaseDate),
        signed_at=_moment(said.signedDate),
    )


def _moment(milliseconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None


def _reason(error: Exception) -> str:
    status = getattr(error, "status", None)
    return str(status.name).lower() if status is not None else "malformed"
