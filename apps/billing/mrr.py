"""Monthly recurring revenue of one subscription: what it bills for licensed items, as if every period were a month."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from apps.core.money import MICRO_PER_MINOR

COUNTED = frozenset({"active", "past_due"})
MONTHS = {"month": Fraction(1), "year": Fraction(12), "week": Fraction(12, 52), "day": Fraction(12, 365)}
WHOLE = 100  # per cent


@dataclass(frozen=True)
class Line:
    """One item of a subscription. `amount_minor` is one unit for one period, in minor units, net of inclusive tax."""

    amount_minor: int
    interval: str
    interval_count: int = 1
    quantity: int = 1
    usage_type: str = "licensed"


@dataclass(frozen=True)
class Discount:
    """One coupon on a subscription: either a share or an amount per period, in minor units. Only `forever` counts."""

    duration: str
    percent_off: Fraction = Fraction(0)
    amount_off_minor: int = 0


def of_subscription(
    status: str, lines: Iterable[Line], discounts: Iterable[Discount] = (), *, is_collection_paused: bool = False
) -> int:
    """Give the MRR in micro-units of the subscription's currency, rounded once, half to even.

    status  Stripe's word; only `active` and `past_due` count. Paused collection counts as nothing.
    Source  metrics.md: metered and one-off items, tax, trials, once and repeating coupons stay out.
    Raises  KeyError: an interval Stripe does not have.
    """
    if status not in COUNTED or is_collection_paused:
        return 0
    licensed = [line for line in lines if line.usage_type == "licensed" and line.interval]
    amounts = [Fraction(line.amount_minor * line.quantity) for line in licensed]
    for discount in discounts:
        if discount.duration == "forever":
            amounts = _discounted(amounts, discount)
    months = (MONTHS[line.interval] * line.interval_count for line in licensed)
    return round(sum((amount / n for amount, n in zip(amounts, months, strict=True)), Fraction(0)) * MICRO_PER_MINOR)


def _discounted(amounts: list[Fraction], discount: Discount) -> list[Fraction]:
    """Take a share of every line, then an amount split over the lines by their size; no line falls below nothing."""
    left = [amount * (1 - Fraction(discount.percent_off) / WHOLE) for amount in amounts]
    total = sum(left, Fraction(0))
    off = min(Fraction(discount.amount_off_minor), total)
    return [amount - off * amount / total for amount in left] if total > 0 else left
