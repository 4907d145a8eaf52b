"""Invoices that do not exist: what a change would cost now, and what the next renewal will. Amounts in minor units."""

from dataclasses import dataclass
from datetime import UTC, datetime

from apps.billing.stripe_facts.raw import Raw, id_of


@dataclass(frozen=True)
class PreviewLine:
    """One line: below 0 it gives back what was paid for time that will not be used."""

    price: str
    amount_minor: int
    is_proration: bool
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Preview:
    """What an invoice would say. `due_minor` is charged to the card: the total less credit that is kept at Stripe."""

    currency: str
    lines: tuple[PreviewLine, ...]
    discount_minor: int
    tax_minor: int
    total_minor: int
    due_minor: int


def read_preview(raw: Raw) -> Preview:
    """Read what `create_preview` answered."""
    return Preview(
        currency=raw["currency"].lower(),
        lines=tuple(_read_line(line) for line in raw["lines"]["data"]),
        discount_minor=sum(one["amount"] for one in raw.get("total_discount_amounts") or []),
        tax_minor=sum(one["amount"] for one in raw.get("total_taxes") or []),
        total_minor=raw["total"],
        due_minor=raw["amount_due"],
    )


def _read_line(raw: Raw) -> PreviewLine:
    details = (raw.get("parent") or {}).get("subscription_item_details") or {}
    price = ((raw.get("pricing") or {}).get("price_details") or {}).get("price")
    return PreviewLine(
        price=id_of(price),
        amount_minor=raw["amount"],
        is_proration=bool(details.get("proration")),
        starts_at=datetime.fromtimestamp(raw["period"]["start"], UTC),
        ends_at=datetime.fromtimestamp(raw["period"]["end"], UTC),
    )
