"""Subscriptions and their items, and what is planned or waits for a payment."""

from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction

from apps.billing import mrr
from apps.billing.stripe_facts.customers import Card, read_card
from apps.billing.stripe_facts.raw import Raw, id_of, moment
from apps.billing.stripe_facts.shelf import Price, read_price


@dataclass(frozen=True)
class Item:
    """One line of a subscription."""

    id: str
    price: Price
    quantity: int | None
    period_start: datetime | None
    period_end: datetime | None


@dataclass(frozen=True)
class Awaited:
    """Another price that a subscription will have, or would have were it paid; `at`: from then on, or until then."""

    price: str
    at: datetime


@dataclass(frozen=True)
class Coupon:
    """A discount as a person may be told of it: a share or an amount, until when. None: for good, or once."""

    name: str
    duration: str
    percent_off: str
    amount_off_minor: int
    ends_at: datetime | None


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
    pending: Awaited | None  # an upgrade that waits for its payment
    schedule: str  # empty: nothing is planned
    planned: Awaited | None  # what the schedule changes next
    coupons: tuple[Coupon, ...]
    has_tax: bool
    latest_invoice: str
    card: Card
    started_at: datetime
    account: str = ""  # what its metadata says whose it is

    @property
    def has_pending_update(self) -> bool:
        """Whether a change waits for its payment."""
        return self.pending is not None

    def awaits(self, price: str) -> bool:
        """Whether a change to this price waits for its payment."""
        return self.pending is not None and self.pending.price == price

    @property
    def has_schedule(self) -> bool:
        """Whether a schedule decides what comes next."""
        return bool(self.schedule)

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
        pending=_read_pending(raw),
        schedule=id_of(raw.get("schedule")),
        planned=_read_planned(raw.get("schedule")),
        coupons=tuple(_read_coupon(discount) for discount in discounts),
        has_tax=bool((raw.get("automatic_tax") or {}).get("enabled")),
        latest_invoice=id_of(raw.get("latest_invoice")),
        card=read_card(raw.get("default_payment_method")),
        started_at=datetime.fromtimestamp(raw["start_date"], UTC),
        account=(raw.get("metadata") or {}).get("account_id", ""),
    )


def _read_item(raw: Raw) -> Item:
    return Item(
        id=raw["id"],
        price=read_price(raw["price"]),
        quantity=raw.get("quantity"),
        period_start=moment(raw.get("current_period_start")),
        period_end=moment(raw.get("current_period_end")),
    )


def _read_pending(raw: Raw) -> Awaited | None:
    pending = raw.get("pending_update")
    if pending is None:
        return None
    items = pending.get("subscription_items") or []
    return Awaited(id_of(items[0]["price"]) if items else "", datetime.fromtimestamp(pending["expires_at"], UTC))


def _read_planned(schedule: object) -> Awaited | None:
    """The first phase after the one that runs; nothing where the schedule is not expanded, or ends with this phase."""
    if not isinstance(schedule, dict) or schedule["status"] != "active" or not schedule.get("current_phase"):
        return None
    now_ends = schedule["current_phase"]["end_date"]
    later = [phase for phase in schedule["phases"] if phase["start_date"] >= now_ends and phase["items"]]
    if not later:
        return None
    following = min(later, key=lambda phase: int(phase["start_date"]))
    return Awaited(id_of(following["items"][0]["price"]), datetime.fromtimestamp(following["start_date"], UTC))


def _read_coupon(raw: Raw) -> Coupon:
    coupon = (raw.get("source") or {}).get("coupon")
    known = coupon if isinstance(coupon, dict) else {}
    return Coupon(
        name=known.get("name") or "",
        duration=known.get("duration") or "once",
        percent_off=str(known.get("percent_off") or ""),
        amount_off_minor=known.get("amount_off") or 0,
        ends_at=moment(raw.get("end")),
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
