"""Which time it is for whom: a customer may live on a test clock, everyone else lives in real time."""

from apps.stripe_sandbox import clock, store
from apps.stripe_sandbox.documents import Document


def time_of_customer(customer: Document | None) -> int:
    """Give this moment on the customer's test clock, or real time."""
    return time_on(customer.get("test_clock") if customer else None)


def time_on(clock_id: str | None) -> int:
    """Give this moment on a test clock, or real time without one."""
    if not clock_id:
        return clock.now()
    return int(store.read("test_helpers.test_clock", clock_id)["frozen_time"])
