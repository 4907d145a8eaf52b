"""What is billed by usage: nothing beforehand, and at the end of a period what a meter counted in it."""

from decimal import ROUND_HALF_UP, Decimal

from apps.stripe_sandbox import meters, store
from apps.stripe_sandbox.documents import Document


def is_metered(price: Document) -> bool:
    """Say whether a price is billed by usage."""
    return bool(price["recurring"] and price["recurring"]["usage_type"] == "metered")


def fixed_amount(price: Document, quantity: int | None = None) -> int:
    """Say what a price costs beforehand: nothing when it is metered; `quantity` is 1 when nobody said."""
    return 0 if is_metered(price) else int(price["unit_amount"]) * (1 if quantity is None else quantity)


def licensed(data: list[Document]) -> list[Document]:
    """Give the items that are paid beforehand."""
    return [item for item in data if not is_metered(item["price"])]


def has_usage(subscription: Document) -> bool:
    """Say whether a subscription has anything that is billed by usage."""
    return len(licensed(subscription["items"]["data"])) < len(subscription["items"]["data"])


def usage_of(price: Document, customer: str, start: int, end: int) -> Decimal:
    """Add up what a customer used of a metered price; less than nothing counts as nothing."""
    meter = store.read("billing.meter", price["recurring"]["meter"])
    return max(Decimal(0), meters.aggregate(meter, customer, start, end))


def cost_of(price: Document, usage: Decimal) -> int:
    """Give what usage costs, in minor units, rounded half up on the whole line."""
    return int((usage * Decimal(price["unit_amount_decimal"])).quantize(Decimal(1), ROUND_HALF_UP))
