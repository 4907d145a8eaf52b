"""What Stripe says, as our own values. Nothing above the gateway sees a type of the SDK. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from apps.billing import mrr

Raw = Mapping[str, Any]  # Any: JSON as Stripe sends it


@dataclass(frozen=True)
class Card:
    """What may be shown of a card; empty where nothing is known."""

    brand: str = ""
    last4: str = ""


@dataclass(frozen=True)
class Customer:
    """Who pays, as Stripe knows them."""

    id: str
    is_deleted: bool
    currency: str  # empty before the first payment
    payment_method: str  # charged where a subscription names none; may be empty


@dataclass(frozen=True)
class Price:
    """One amount for one interval. Amounts in minor units of `currency`."""

    id: str
    livemode: bool
    is_active: bool
    lookup_key: str
    product: str
    currency: str
    unit_amount_minor: int | None
    interval: str  # empty for one-off prices
    interval_count: int
    usage_type: str


@dataclass(frozen=True)
class Product:
    """What prices are prices of."""

    id: str
    name: str
    plan_key: str  # empty: not one of ours
    is_active: bool


@dataclass(frozen=True)
class Item:
    """One line of a subscription."""

    id: str
    price: Price
    quantity: int | None
    period_start: datetime | None
    period_end: datetime | None


@dataclass(frozen=True)
class Subscription:
    """One subscription; `status` is Stripe's word."""

    id: str
    customer: str
    status: str
    currency: str
    items: tuple[Item, ...]
    discounts: tuple[mrr.Discount, ...]
    cancel_at_period_end: bool
    cancel_at: datetime | None
    canceled_at: datetime | None
    ended_at: datetime | None
    cancellation_reason: str
    trial_end: datetime | None
    is_collection_paused: bool
    has_pending_update: bool
    has_schedule: bool
    card: Card
    started_at: datetime

    @property
    def is_steady(self) -> bool:
        """Whether it goes on as it is: it does not end, and no change of it is planned or waits for a payment."""
        ends = self.cancel_at_period_end or self.cancel_at is not None or self.ended_at is not None
        return not (ends or self.has_pending_update or self.has_schedule)

    @property
    def mrr_micro(self) -> int:
        """What it brings each month, in micro-units of its currency."""
        lines = [
            mrr.Line(
                amount_minor=item.price.unit_amount_minor or 0,
                interval=item.price.interval,
                interval_count=item.price.interval_count,
                quantity=1 if item.quantity is None else item.quantity,
                usage_type=item.price.usage_type,
            )
            for item in self.items
        ]
        return mrr.of_subscription(self.status, lines, self.discounts, is_collection_paused=self.is_collection_paused)

    @property
    def period_end(self) -> datetime | None:
        """When it renews: the earliest end over licensed items."""
        ends = [item.period_end for item in self.items if item.price.usage_type == "licensed" and item.period_end]
        return min(ends, default=None)


@dataclass(frozen=True)
class Charge:
    """The last try to collect one payment."""

    payment_intent: str
    created: datetime
    has_failed: bool
    is_refunded: bool  # in part or in full
    is_disputed: bool


@dataclass(frozen=True)
class Invoice:
    """One invoice. Amounts in minor units of `currency`."""

    id: str
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


@dataclass(frozen=True)
class Refund:
    """Money that went back, in minor units."""

    id: str
    amount_minor: int
    currency: str
    status: str
    created: datetime


@dataclass(frozen=True)
class Dispute:
    """A payment that the card's owner contests, in minor units."""

    id: str
    amount_minor: int
    currency: str
    status: str
    created: datetime


@dataclass(frozen=True)
class Session:
    """One visit to the hosted checkout."""

    id: str
    status: str  # open, complete, expired
    url: str  # a bearer credential; empty once it is not open


@dataclass(frozen=True)
class Event:
    """Something happened: a hint, never data."""

    id: str
    type: str
    object_id: str
    customer: str  # empty where the event names none
    livemode: bool
    api_version: str
    created: datetime
    payload: Raw


def moment(seconds: object) -> datetime | None:
    """Stripe's integer seconds as an instant."""
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) else None


def read_customer(raw: Raw) -> Customer:
    """Read a customer; of a deleted one only the id is there."""
    return Customer(
        id=raw["id"],
        is_deleted=bool(raw.get("deleted")),
        currency=(raw.get("currency") or "").lower(),
        payment_method=id_of((raw.get("invoice_settings") or {}).get("default_payment_method")),
    )


def read_card(method: object) -> Card:
    """Brand and last four digits of an expanded payment method; nothing of one that is not a card, or no object."""
    card = method.get("card") if isinstance(method, dict) else None
    return Card(card["brand"], card["last4"]) if card else Card()


def read_price(raw: Raw) -> Price:
    """Read a price."""
    recurring = raw.get("recurring") or {}
    return Price(
        id=raw["id"],
        livemode=raw["livemode"],
        is_active=raw["active"],
        lookup_key=raw.get("lookup_key") or "",
        product=id_of(raw["product"]),
        currency=raw["currency"].lower(),
        unit_amount_minor=raw.get("unit_amount"),
        interval=recurring.get("interval", ""),
        interval_count=recurring.get("interval_count", 1),
        usage_type=recurring.get("usage_type", "licensed"),
    )


def read_product(raw: Raw) -> Product:
    """Read a product."""
    return Product(raw["id"], raw["name"], (raw.get("metadata") or {}).get("plan_key", ""), raw["active"])


def read_subscription(raw: Raw) -> Subscription:
    """Read a subscription with its items; discounts count where they are expanded."""
    discounts = [discount for discount in raw.get("discounts") or [] if isinstance(discount, dict)]
    return Subscription(
        id=raw["id"],
        customer=id_of(raw["customer"]),
        status=raw["status"],
        currency=raw["currency"].lower(),
        items=tuple(_read_item(item) for item in raw["items"]["data"]),
        discounts=tuple(_read_discount(discount) for discount in discounts),
        cancel_at_period_end=raw["cancel_at_period_end"],
        cancel_at=moment(raw.get("cancel_at")),
        canceled_at=moment(raw.get("canceled_at")),
        ended_at=moment(raw.get("ended_at")),
        cancellation_reason=(raw.get("cancellation_details") or {}).get("reason") or "",
        trial_end=moment(raw.get("trial_end")),
        is_collection_paused=raw.get("pause_collection") is not None,
        has_pending_update=raw.get("pending_update") is not None,
        has_schedule=raw.get("schedule") is not None,
        card=read_card(raw.get("default_payment_method")),
        started_at=datetime.fromtimestamp(raw["start_date"], UTC),
    )


def read_invoice(raw: Raw) -> Invoice:
    """Read an invoice with expanded payments. Its service period is that of its lines, not the invoice's own."""
    details = (raw.get("parent") or {}).get("subscription_details") or {}
    transitions = raw.get("status_transitions") or {}
    periods = [line["period"] for line in raw["lines"]["data"] if line.get("period")]
    return Invoice(
        id=raw["id"],
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
    )


def read_refund(raw: Raw) -> Refund:
    """Read a refund."""
    return Refund(raw["id"], raw["amount"], raw["currency"].lower(), raw.get("status") or "", _created(raw))


def read_dispute(raw: Raw) -> Dispute:
    """Read a dispute."""
    return Dispute(raw["id"], raw["amount"], raw["currency"].lower(), raw["status"], _created(raw))


def read_session(raw: Raw) -> Session:
    """Read a checkout session."""
    return Session(raw["id"], raw.get("status") or "", raw.get("url") or "")


def read_event(raw: Raw) -> Event:
    """Read a snapshot event, or a thin one, which names its object and is known by its snapshot's id.

    Raises  KeyError, TypeError, AttributeError, ValueError: this is not an event.
    """
    if raw["object"] == "v2.core.event":
        related = raw.get("related_object") or {}
        key, kind, subject = raw.get("snapshot_event") or raw["id"], raw["type"].removeprefix("v1."), related
        created = datetime.fromisoformat(raw["created"].replace("Z", "+00:00"))
    elif raw["object"] == "event":
        key, kind, subject = raw["id"], raw["type"], raw["data"]["object"]
        created = datetime.fromtimestamp(raw["created"], UTC)
    else:
        raise ValueError("not an event")
    is_customer = "customer" in (subject.get("object"), subject.get("type"))
    customer = subject["id"] if is_customer else id_of(subject.get("customer"))
    return Event(
        id=str(key),
        type=str(kind),
        object_id=str(subject.get("id") or ""),
        customer=customer,
        livemode=bool(raw["livemode"]),
        api_version=raw.get("api_version") or "",
        created=created,
        payload=raw,
    )


def id_of(reference: object) -> str:
    """The id of something that is named, or expanded, or absent."""
    if isinstance(reference, dict):
        return str(reference["id"])
    return str(reference or "")


def _created(raw: Raw) -> datetime:
    return datetime.fromtimestamp(raw["created"], UTC)


def _read_item(raw: Raw) -> Item:
    return Item(
        id=raw["id"],
        price=read_price(raw["price"]),
        quantity=raw.get("quantity"),
        period_start=moment(raw.get("current_period_start")),
        period_end=moment(raw.get("current_period_end")),
    )


def _read_discount(raw: Raw) -> mrr.Discount:
    coupon = (raw.get("source") or {}).get("coupon")
    if not isinstance(coupon, dict):
        return mrr.Discount("once")  # a discount without its coupon cannot be counted
    return mrr.Discount(
        duration=coupon["duration"],
        percent_off=Fraction(str(coupon.get("percent_off") or 0)),
        amount_off_minor=coupon.get("amount_off") or 0,
    )


def _read_charges(raw: Raw) -> list[Charge]:
    payments = (raw.get("payments") or {}).get("data") or []
    intents = [payment["payment"].get("payment_intent") for payment in payments]
    pairs = [(intent["id"], intent.get("latest_charge")) for intent in intents if isinstance(intent, dict)]
    return [
        Charge(
            payment_intent=key,
            created=_created(charge),
            has_failed=charge["status"] == "failed",
            is_refunded=charge["amount_refunded"] > 0,
            is_disputed=charge["disputed"],
        )
        for key, charge in pairs
        if isinstance(charge, dict)
    ]
