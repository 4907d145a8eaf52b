"""Which time it is for whom: a customer may live on a test clock, everyone else lives in real time."""

from apps.stripe_sandbox import clock, store
from apps.stripe_sandbox.documents import Document

KIND = "test_helpers.test_clock"


def time_of_customer(customer: Document | None) -> int:
    """Give this moment on the customer's test clock, or real time."""
    return time_on(customer.get("test_clock") if customer else None)


def time_on(clock_id: str | None) -> int:
    """Give this moment on a test clock, or real time without one."""
    if not clock_id:
        return clock.now()
    return int(store.read(KIND, clock_id)["frozen_time"])


def find_waiting(email: str | None) -> Document | None:
    """Find the clock that waits for a customer with this address: who is made with it lives there from the start."""
    if not email:
        return None
    rows = store.select(KIND, body___awaits=email)
    return next(iter(store.documents(rows[:1])), None)


def clock_of(body: Document) -> str | None:
    """Give the test clock that an object lives on, by itself or by its customer."""
    if body["object"] == KIND:
        return str(body["id"])
    own = body.get("test_clock") or body.get("_clock")
    customer = None if own or body["object"] == "customer" else store.find("customer", body.get("customer"))
    return own or (customer or {}).get("test_clock")


def end_quiet() -> int:
    """Let what happens from now on be told on every clock; the number of those that were quiet."""
    found = store.documents(store.select(KIND, body___is_quiet=True))
    for body in found:
        store.save({**body, "_is_quiet": False})
    return len(found)


def is_quiet(clock_id: str | None) -> bool:
    """Say whether what happens on a clock is written down and told to nobody."""
    found = store.find(KIND, clock_id)
    return bool(found and found.get("_is_quiet"))
