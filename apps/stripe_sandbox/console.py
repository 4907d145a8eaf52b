"""What the console does to a customer's time, and how it sums a customer up."""

from apps.stripe_sandbox import advancing, clocks, items, moments, periods, store
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import invalid
from apps.stripe_sandbox.resources import test_clocks

DAY_S = 86400
FINALIZES_S = 3600
STEPS = ("day", "month", "renewal")


def describe_customer(customer: Document) -> Document:
    """Sum up a customer: what they have, and which time it is for them."""
    subscriptions = store.documents(store.select("subscription", customer=customer["id"]))
    return {
        "customer": customer,
        "now": clocks.time_of_customer(customer),
        "subscriptions": [
            {"body": each, "ends": items.period_of(each)[1], "price": each["items"]["data"][0]["price"]}
            for each in subscriptions
        ],
    }


def move_time(customer: Document, by: str) -> Document:
    """Move a customer's time by "day" or "month", or to the "renewal" and its payment.

    Effect  a customer without a test clock gets one that begins now.
    """
    require_known(by)
    clock_id = customer["test_clock"]
    if not clock_id:
        now = clocks.time_of_customer(customer)
        clock_id = test_clocks.create({"frozen_time": now, "name": "console", "customer": customer["id"]})["id"]
    return move_clock(store.read(clocks.KIND, clock_id), by)


def move_clock(clock: Document, by: str) -> Document:
    """Move a test clock by "day" or "month", or to the next "renewal" on it and its payment."""
    require_known(by)
    now = clock["frozen_time"]
    targets = {"day": now + DAY_S, "month": periods.step(now, "month", 1), "renewal": next_renewal(clock)}
    until = targets[by]
    if until is None:
        raise invalid("There is no subscription that renews.", "by")
    return advancing.advance(clock, until)


def require_known(by: str) -> None:
    """Refuse a step that is neither day, month nor renewal."""
    if by not in STEPS:
        raise invalid("Move by day, month or renewal.", "by")


def next_renewal(clock: Document) -> int | None:
    """Give the moment just after the next renewal on a clock was finalised and charged."""
    rows = store.documents(store.select("subscription", clock=clock["id"]))
    ends = [items.period_of(each)[1] for each in rows if each["status"] in moments.LIVE]
    return min(ends) + FINALIZES_S + 1 if ends else None
