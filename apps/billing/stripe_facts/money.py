"""Invoices, and the payments, refunds and disputes behind them. Amounts in minor units."""

from dataclasses import dataclass
from datetime import UTC, datetime

from apps.billing.stripe_facts.customers import Card
from apps.billing.stripe_facts.raw import Raw, created_at, id_of, moment

REQUEST = "refund_request"  # in the metadata of what staff asked for: our row
AUTHENTICATE = "authentication_required"


@dataclass(frozen=True)
class Charge:
    """The last try to collect one payment. Amounts in minor units of `currency`."""

    id: str
    payment_intent: str
    created: datetime
    status: str  # succeeded, pending, failed
    amount_minor: int
    refunded_minor: int
    currency: str
    is_disputed: bool
    card: Card
    customer: str = ""

    @property
    def has_failed(self) -> bool:
        """Whether nothing was paid by it."""
        return self.status == "failed"

    @property
    def is_refunded(self) -> bool:
        """Whether money went back, in part or in full."""
        return self.refunded_minor > 0


@dataclass(frozen=True)
class Fee:
    """What Stripe keeps of one charge, in minor units of `currency`, and when the rest can be paid out."""

    amount_minor: int
    currency: str
    available_on: datetime


@dataclass(frozen=True)
class Invoice:
    """One invoice. Amounts in minor units of `currency`."""

    id: str
    customer: str
    subscription: str  # empty: belongs to none
    number: str
    status: str
    billing_reason: str
    currency: str
    total_minor: int
    amount_due_minor: int
    amount_paid_minor: int
    attempt_count: int
    created: datetime
    finalized_at: datetime | None
    paid_at: datetime | None
    period_start: datetime | None  # of the service that its lines bill
    period_end: datetime | None
    charges: tuple[Charge, ...]
    given_up_at: datetime | None = None  # marked uncollectible or voided, whichever came first
    needs_action: bool = False  # the bank wants the card's owner to confirm
    has_credit_notes: bool = False
    tax_minor: int = 0  # within the total


@dataclass(frozen=True)
class Refund:
    """Money that went back, in minor units."""

    id: str
    amount_minor: int
    currency: str
    status: str
    created: datetime
    payment_intent: str = ""
    reason: str = ""
    request: str = ""  # of ours that it fulfils


@dataclass(frozen=True)
class Dispute:
    """A payment that the card's owner contests, in minor units."""

    id: str
    amount_minor: int
    currency: str
    status: str
    created: datetime
    payment_intent: str = ""
    reason: str = ""
    evidence_due_by: datetime | None = None


@dataclass(frozen=True)
class CreditNote:
    """What an invoice is less, on paper, in minor units."""

    id: str
    invoice: str
    number: str
    amount_minor: int
    currency: str
    status: str
    reason: str
    created: datetime
    request: str = ""  # of ours that it fulfils


def read_invoice(raw: Raw) -> Invoice:
    """Read an invoice with expanded payments. Its service period is that of its lines, not the invoice's own."""
    details = (raw.get("parent") or {}).get("subscription_details") or {}
    transitions = raw.get("status_transitions") or {}
    given_up = (transitions.get("marked_uncollectible_at"), transitions.get("voided_at"))
    periods = [line["period"] for line in raw["lines"]["data"] if line.get("period")]
    return Invoice(
        id=raw["id"],
        customer=id_of(raw.get("customer")),
        subscription=id_of(details.get("subscription")),
        number=raw.get("number") or "",
        status=raw.get("status") or "",
        billing_reason=raw.get("billing_reason") or "",
        currency=raw["currency"].lower(),
        total_minor=raw["total"],
        amount_due_minor=raw["amount_due"],
        amount_paid_minor=raw["amount_paid"],
        attempt_count=raw["attempt_count"],
        created=datetime.fromtimestamp(raw["created"], UTC),
        finalized_at=moment(transitions.get("finalized_at")),
        paid_at=moment(transitions.get("paid_at")),
        period_start=moment(min((period["start"] for period in periods), default=None)),
        period_end=moment(max((period["end"] for period in periods), default=None)),
        charges=tuple(_read_charges(raw)),
        given_up_at=moment(min(filter(None, given_up), default=None)),
        needs_action=raw.get("status") == "open" and any(map(_asks_owner, _intents(raw))),
        has_credit_notes=any(raw.get(f"{when}_payment_credit_notes_amount") for when in ("pre", "post")),
        tax_minor=_tax_of(raw),
    )


def read_reason(raw: Raw) -> str:
    """Why an invoice with expanded payment intents is not paid, as a code; empty where nobody tried."""
    payments = (raw.get("payments") or {}).get("data") or []
    for payment in reversed(payments):
        intent = payment["payment"].get("payment_intent")
        if isinstance(intent, dict):
            if intent["status"] == "requires_action":
                return "requires_action"
            error = intent.get("last_payment_error") or {}
            return error.get("decline_code") or error.get("code") or ""
    return ""


def read_refund(raw: Raw) -> Refund:
    """Read a refund."""
    return Refund(
        id=raw["id"],
        amount_minor=raw["amount"],
        currency=raw["currency"].lower(),
        status=raw.get("status") or "",
        created=created_at(raw),
        payment_intent=id_of(raw.get("payment_intent")),
        reason=raw.get("reason") or "",
        request=(raw.get("metadata") or {}).get(REQUEST, ""),
    )


def read_dispute(raw: Raw) -> Dispute:
    """Read a dispute."""
    return Dispute(
        id=raw["id"],
        amount_minor=raw["amount"],
        currency=raw["currency"].lower(),
        status=raw["status"],
        created=created_at(raw),
        payment_intent=id_of(raw.get("payment_intent")),
        reason=raw.get("reason") or "",
        evidence_due_by=moment((raw.get("evidence_details") or {}).get("due_by")),
    )


def read_credit_note(raw: Raw) -> CreditNote:
    """Read a credit note."""
    return CreditNote(
        id=raw["id"],
        invoice=id_of(raw["invoice"]),
        number=raw.get("number") or "",
        amount_minor=raw["total"],
        currency=raw["currency"].lower(),
        status=raw["status"],
        reason=raw.get("reason") or "",
        created=created_at(raw),
        request=(raw.get("metadata") or {}).get(REQUEST, ""),
    )


def _tax_of(raw: Raw) -> int:
    """What of the total is tax, added to prices or within them; Stripe may leave out what the total is without it."""
    total, without = raw["total"], raw.get("total_excluding_tax")
    tax: int = total - (total if without is None else without)
    return tax


def _intents(raw: Raw) -> list[Raw]:
    """The payments of an invoice that are expanded."""
    payments = (raw.get("payments") or {}).get("data") or []
    intents = (payment["payment"].get("payment_intent") for payment in payments)
    return [intent for intent in intents if isinstance(intent, dict)]


def _asks_owner(intent: Raw) -> bool:
    """Whether a payment waits for the card's owner: asked on the page, or asked for when nobody was there."""
    error = intent.get("last_payment_error") or {}
    return intent["status"] == "requires_action" or AUTHENTICATE in (error.get("code"), error.get("decline_code"))


def _read_charges(raw: Raw) -> list[Charge]:
    pairs = [(intent["id"], intent.get("latest_charge")) for intent in _intents(raw)]
    return [read_charge(charge, key) for key, charge in pairs if isinstance(charge, dict)]


def read_fee(raw: Raw) -> Fee | None:
    """Read the fee of a charge with its expanded balance transaction; None: nothing is booked yet."""
    booked = raw.get("balance_transaction")
    if not isinstance(booked, dict):
        return None
    return Fee(booked["fee"], booked["currency"].lower(), datetime.fromtimestamp(booked["available_on"], UTC))


def read_charge(raw: Raw, payment_intent: str) -> Charge:
    """Read a charge."""
    card = (raw.get("payment_method_details") or {}).get("card") or {}
    return Charge(
        id=raw["id"],
        payment_intent=payment_intent,
        created=created_at(raw),
        status=raw["status"],
        amount_minor=raw["amount"],
        refunded_minor=raw["amount_refunded"],
        currency=raw["currency"].lower(),
        is_disputed=raw["disputed"],
        card=Card(card.get("brand") or "", card.get("last4") or ""),
        customer=id_of(raw.get("customer")),
    )
