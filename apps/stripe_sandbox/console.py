"""What the console does to time, and how it sums things up."""

from apps.stripe_sandbox import advancing, clocks, items, moments, periods, store
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import invalid
from apps.stripe_sandbox.models import Delivery
from apps.stripe_sandbox.resources import test_clocks

DAY_S = 86400
FINALIZES_S = 3600
SHOWN = 50
STEPS = ("day", "month", "renewal")


def describe_customer(customer: Document) -> Document:
    """Sum up a customer: what they have, and which time it is for them."""
    subscriptions = store.documents(store.select("subscription", customer=customer["id"]))
    return {
        "customer": customer,
        "now": clocks.time_of_customer(customer),
        "renews": any(each["status"] in moments.LIVE for each in subscriptions),
        "subscriptions": [
            {
                "body": each,
                "ends": items.period_of(each)[1],
                "price": each["items"]["data"][0]["price"],
                "quantity": each["items"]["data"][0].get("quantity", 1),
            }
            for each in subscriptions
        ],
    }


def describe_clock(clock: Document) -> Document:
    """Sum up a test clock: who lives on it, and when something renews next."""
    renewal = next_renewal(clock)
    return {
        "clock": clock,
        "customers": store.documents(store.select("customer", clock=clock["id"])),
        "renews_at": renewal - FINALIZES_S - 1 if renewal else None,
    }


def list_belongings(customer: Document) -> Document:
    """List what a customer has, the newest first."""
    charges = store.documents(store.select("charge", customer=customer["id"])[:SHOWN])
    disputes = {each["charge"]: each for each in store.documents(store.select("dispute", customer=customer["id"]))}
    return {
        "invoices": store.documents(store.select("invoice", customer=customer["id"])[:SHOWN]),
        "charges": [{"body": each, "dispute": disputes.get(each["id"])} for each in charges],
        "cards": store.documents(store.select("payment_method", customer=customer["id"])),
        "events": store.documents(store.select("event", customer=customer["id"])[:8]),
    }


def list_prices(*, active_only: bool = True) -> list[Document]:
    """List prices with the names of their products."""
    rows = store.documents(store.select("price", body__active=True if active_only else None)[:SHOWN])
    return [{"body": each, "name": (store.find("product", each["product"]) or {}).get("name")} for each in rows]


def count_all() -> Document:
    """Count what somebody would look at first."""
    letters = Delivery.objects.all()
    return {
        "customers": store.select("customer").count(),
        "subscriptions": store.select("subscription", body__status__in=moments.LIVE).count(),
        "events": store.select("event").count(),
        "waiting": letters.filter(state=Delivery.State.PENDING).count(),
        "given_up": letters.filter(state=Delivery.State.FAILED).count(),
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
