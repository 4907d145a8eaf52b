"""A quote as a page shows it: lines with plans' names, and amounts as people write them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from apps.billing import offers
from apps.billing.models import Price
from apps.billing.quotes import Quote

UNUSED, REMAINING, PERIOD = "unused", "remaining", "period"


@dataclass(frozen=True)
class Line:
    """One line. `kind`: time that will not be used and is given back, the rest of this period, or a whole one."""

    kind: str
    plan: str
    starts_at: datetime
    ends_at: datetime
    amount: str


@dataclass(frozen=True)
class Statement:
    """All that is shown; an amount that is nothing is empty, but for what is due."""

    lines: tuple[Line, ...]
    discount: str
    tax: str
    credit: str  # kept at Stripe, and used first
    due: str
    is_due: bool
    renews_at: datetime
    renewal: str


def state(quote: Quote) -> Statement:
    """Put a quote into words. One query, for the names of plans."""
    used_minor = quote.total_minor - quote.due_minor
    return Statement(
        lines=tuple(_lines(quote)),
        discount=offers.money(-quote.discount_minor, quote.currency) if quote.discount_minor else "",
        tax=offers.money(quote.tax_minor, quote.currency) if quote.tax_minor else "",
        credit=offers.money(-used_minor, quote.currency) if used_minor else "",
        due=offers.money(quote.due_minor, quote.currency),
        is_due=quote.due_minor > 0,
        renews_at=quote.renews_at,
        renewal=offers.money(quote.renewal_minor, quote.currency),
    )


def _lines(quote: Quote) -> Iterator[Line]:
    prices = Price.objects.select_related("plan").in_bulk([line.price for line in quote.lines])
    for line in quote.lines:
        price = prices.get(line.price)
        name = price.plan.name if price and price.plan else ""
        kind = PERIOD if not line.is_proration else UNUSED if line.amount_minor < 0 else REMAINING
        yield Line(kind, name, line.starts_at, line.ends_at, offers.money(line.amount_minor, quote.currency))
