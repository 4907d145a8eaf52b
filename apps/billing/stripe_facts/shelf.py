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


@dataclass(frozen=True)
class Product:
    """What prices are prices of."""

    id: str
    name: str
    plan_key: str  # empty: not one of ours
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
    )


def read_product(raw: Raw) -> Product:
    """Read a product."""
    return Product(raw["id"], raw["name"], (raw.get("metadata") or {}).get("plan_key", ""), raw["active"])
