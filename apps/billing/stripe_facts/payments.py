"""Payments for credit, and the cards that may be charged again. Amounts in minor units."""

from dataclasses import dataclass
from datetime import datetime

from apps.billing.stripe_facts.money import Charge, read_charge
from apps.billing.stripe_facts.raw import Raw, created_at, id_of

SELLS, CREDIT = "sells", "api_credit"  # the mark that our payments for credit carry
PURCHASE, ACCOUNT = "purchase_id", "account_id"


@dataclass(frozen=True)
class Payment:
    """One payment intent."""

    id: str
    is_for_credit: bool
    purchase: str  # id of our row; empty where it names none
    status: str
    amount_minor: int  # what was received
    currency: str
    charge: Charge | None  # the last try; None before the first
    failure_code: str  # why the card was refused; empty where it was not
    created: datetime


@dataclass(frozen=True)
class CardOnFile:
    """A card that may be charged when nobody is there."""

    id: str
    brand: str
    last4: str


def read_payment(raw: Raw) -> Payment:
    """Read a payment intent with its expanded last charge."""
    metadata, charge = raw.get("metadata") or {}, raw.get("latest_charge")
    return Payment(
        id=raw["id"],
        is_for_credit=metadata.get(SELLS) == CREDIT,
        purchase=metadata.get(PURCHASE, ""),
        status=raw["status"],
        amount_minor=raw.get("amount_received") or 0,
        currency=raw["currency"].lower(),
        charge=read_charge(charge, raw["id"]) if isinstance(charge, dict) else None,
        failure_code=(raw.get("last_payment_error") or {}).get("code") or "",
        created=created_at(raw),
    )


def read_card_on_file(raw: Raw) -> CardOnFile:
    """Read a payment method that is a card."""
    card = raw.get("card") or {}
    return CardOnFile(id_of(raw), card.get("brand") or "", card.get("last4") or "")
