"""Products and prices."""

from dataclasses import dataclass

from apps.billing.stripe_facts.raw import Raw, id_of


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
    unit_amount_decimal: str = ""  # minor units as text, also where they are a fraction
    meter: str = ""  # what is counted of a metered price


@dataclass(frozen=True)
class Product:
    """What prices are prices of."""

    id: str
    name: str
    plan_key: str  # empty: not one of ours
    is_active: bool
    sells: str = ""  # what it is, where it is ours and no plan


@dataclass(frozen=True)
class Meter:
    """What Stripe counts of us, by the name of its events."""

    id: str
    event_name: str
    is_active: bool


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
        unit_amount_decimal=str(raw.get("unit_amount_decimal") or ""),
        meter=recurring.get("meter") or "",
    )


def read_product(raw: Raw) -> Product:
    """Read a product."""
    metadata = raw.get("metadata") or {}
    return Product(raw["id"], raw["name"], metadata.get("plan_key", ""), raw["active"], metadata.get("sells", ""))


def read_meter(raw: Raw) -> Meter:
    """Read a meter."""
    return Meter(raw["id"], raw["event_name"], raw["status"] == "active")
