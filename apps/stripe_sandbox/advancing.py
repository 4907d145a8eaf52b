"""Moving a test clock: everything due until then happens, in order, at its own moment."""

from apps.stripe_sandbox import events, items, periods, renewals, store
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import invalid

TWO_YEARS_S = 2 * 365 * 86400


def advance(clock: Document, until: int) -> Document:
    """Advance a clock and do all work due until then; give it as it was answered, “advancing”.

    until   seconds since 1970.
    Raises  StripeError 400: backwards, no step at all, or too far at once.
    """
    _require_reachable(clock, until)
    moving = {**clock, "status": "advancing", "status_details": {"advancing": {"target_frozen_time": until}}}
    store.save(moving)
    events.emit("test_helpers.test_clock.advancing", moving)
    renewals.run_until(clock["id"], until, arrive=lambda at: _set(moving, at))
    arrived = {**clock, "frozen_time": until, "status": "ready", "status_details": {}}
    store.save(arrived)
    events.emit("test_helpers.test_clock.ready", arrived)
    return moving


def _set(clock: Document, at: int) -> None:
    store.save({**clock, "frozen_time": max(at, clock["frozen_time"])})


def _require_reachable(clock: Document, until: int) -> None:
    now = clock["frozen_time"]
    if until <= now:
        raise invalid(
            f"The test clock cannot be advanced to {until}: it must be after its current frozen time, {now}.",
            "frozen_time",
        )
    ends = [
        periods.step(now, interval, 2 * count)
        for each in store.documents(store.select("subscription", clock=clock["id"]))
        if each["status"] not in ("canceled", "incomplete_expired")
        for interval, count in [items.rhythm(each["items"]["data"][0]["price"])]
    ]
    furthest = min(ends, default=now + TWO_YEARS_S)
    if until > furthest:
        raise invalid(
            "You can advance a test clock by at most two intervals of the shortest subscription on it "
            f"at a time: until {furthest}.",
            "frozen_time",
        )


def take_over(customer: Document, clock: Document) -> None:
    """Put a customer with all that is theirs on a clock."""
    store.save({**customer, "test_clock": clock["id"]})
    named = dict.fromkeys(("subscription", "subscription_schedule", "invoice"), "test_clock")
    for kind, name in {**named, "checkout.session": "_clock"}.items():
        for body in store.documents(store.select(kind, customer=customer["id"])):
            store.save({**body, name: clock["id"]})
