"""Moving a test clock: everything due until then happens, in order, at its own moment."""

import logging

from django.db import transaction

from apps.stripe_sandbox import clock as real_time
from apps.stripe_sandbox import events, faults, items, periods, renewals, store
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import invalid

logger = logging.getLogger(__name__)
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
    arrived = {**clock, "frozen_time": until, "status": "ready", "status_details": {}}
    lag = faults.take("clock_lag", clock["id"])
    if not _do_work(moving, until):
        _stop(arrived | {"frozen_time": clock["frozen_time"]}, "internal_failure")
    elif lag:
        ready_at = real_time.precise_now() + lag.params.get("seconds", 2)
        store.save({**moving, "frozen_time": until, "_ready_at": ready_at})
    else:
        _stop(arrived, "ready")
    return moving


def _do_work(moving: Document, until: int) -> bool:
    """Do what is due, all of it or nothing."""
    try:
        with transaction.atomic():
            if faults.take("clock_failure", moving["id"]):
                raise RuntimeError("a fault asked for it")
            renewals.run_until(moving["id"], until, arrive=lambda at: _set(moving, at))
    except Exception:
        logger.exception("The work of %s failed", moving["id"])
        return False
    return True


def _stop(clock: Document, status: str) -> None:
    stopped = {**clock, "status": status, "status_details": {}}
    stopped.pop("_ready_at", None)
    store.save(stopped)
    events.emit(f"test_helpers.test_clock.{status}", stopped)


def settle() -> None:
    """Let the clocks that a fault kept advancing be ready, once their time has come."""
    with transaction.atomic():
        for clock in store.documents(store.select("test_helpers.test_clock", body__status="advancing")):
            if clock.get("_ready_at", 0) <= real_time.precise_now():
                _stop(clock, "ready")


def is_lagging() -> bool:
    """Say whether clocks may be found advancing: only a fault makes them stay so."""
    return "clock_lag" in faults.known


def require_standing(*keys: str | None) -> None:
    """Refuse to change what lives on a clock that is advancing.

    keys  ids of a clock, of customers, or of what is theirs.
    Raises  StripeError 429.
    """
    for clock_id in store.clocks_of([key for key in keys if key]):
        if store.read("test_helpers.test_clock", clock_id)["status"] == "advancing":
            message = f"Test clock advancement underway - cannot perform modifications: {clock_id}"
            raise invalid(message, code="rate_limit", status=429)


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
