"""Trials: how one is moved or given to a running subscription, and when its end is announced."""

from apps.stripe_sandbox import endings, events, items, store
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import invalid

WARNING_S = 3 * 86400
TRIABLE = ("active", "past_due", "trialing")


def move(subscription: Document, end: int, *, is_prorated: bool, now: int) -> Document:
    """Give the subscription with a trial until then; what is left of a paid period is credited, unless told not to.

    Raises  StripeError 400: an end that is over, or a subscription that is not running.
    """
    if end < now:
        raise invalid("Invalid timestamp: must be an integer Unix timestamp in the future.", "trial_end")
    if subscription["status"] not in TRIABLE:
        raise invalid(f"A subscription that is `{subscription['status']}` cannot have a trial.", "trial_end")
    data, start = subscription["items"]["data"], items.period_of(subscription)[0]
    moved = {**subscription, "trial_end": end, "billing_cycle_anchor": end, "_was_warned": False}
    if subscription["status"] != "trialing":
        rest = endings.unused(subscription, now) if is_prorated else []
        pending = [*subscription["_pending_lines"], *rest]
        moved |= {"status": "trialing", "trial_start": now, "_debited": {}, "_pending_lines": pending}
        start = now
    return items.replaced(moved, items.in_period(data, (start, end)))


def warn_if_near(subscription: Document, *, now: int) -> None:
    """Say at once that a trial ends, when less than three days of it are left."""
    end = subscription["trial_end"]
    if subscription["status"] != "trialing" or not end or not now < end <= now + WARNING_S:
        return
    kept = store.save({**store.read("subscription", subscription["id"]), "_was_warned": True})
    events.emit("customer.subscription.trial_will_end", kept)
