"""Pausing a subscription and going on: nothing is granted or invoiced between."""

from dataclasses import dataclass

from apps.stripe_sandbox import (
    collection,
    endings,
    events,
    invoicing,
    items,
    metered,
    periods,
    proration,
    standing,
    store,
)
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import invalid

REQUESTED, NO_CARD = "pause_requested", "trial_end_without_payment_method"
PAUSABLE = ("active", "past_due", "trialing")


@dataclass(frozen=True)
class Return:
    """How a subscription goes on: Stripe's `billing_cycle_anchor`, `proration_behavior` and `payment_behavior`."""

    starts_anew: bool = True
    is_prorated: bool = True
    waits_for_payment: bool = True


def pause(subscription: Document, reason: str, *, credits_rest: bool = False, now: int) -> Document:
    """Stop a subscription where it is.

    credits_rest  what is left of the period is credited to the next invoice.
    Raises        StripeError 400: it is not running.
    """
    if subscription["status"] not in PAUSABLE:
        raise invalid(f"You cannot pause a subscription that is `{subscription['status']}`.")
    details = {"subscription": {"type": reason}, "transitioned_at": now, "type": "subscription"}
    rest = endings.unused(subscription, now) if credits_rest else []
    after = {
        **subscription,
        "status": "paused",
        "status_details": {"paused": details},
        "_pending_lines": [*subscription["_pending_lines"], *rest],
    }
    events.update("customer.subscription.updated", subscription, after)
    events.emit("customer.subscription.paused", after)
    return after


def resume(subscription: Document, how: Return, *, now: int) -> Document:
    """Let a paused subscription go on, at once or when the invoice for its new period is paid.

    Raises  StripeError 400: it is not paused.
    """
    if subscription["status"] != "paused":
        raise invalid("You can only resume a subscription that is `paused`.")
    start, end = items.period_of(subscription)
    if not how.starts_anew and start <= now < end:
        return standing.resume(subscription)
    after = _in_new_period(subscription, how, now)
    data, (_, until) = metered.licensed(after["items"]["data"]), items.period_of(after)
    left = proration.fraction_left(*items.period_of(after), now)
    if how.starts_anew:
        lines = [invoicing.regular_line(item, now, until) for item in data]
    elif how.is_prorated:
        lines = [
            invoicing.proration_line(item, items.whole(after, item), left, (now, until), is_credit=False)
            for item in data
        ]
    else:
        lines = []
    return _charge(subscription, after, [*subscription["_pending_lines"], *lines], how, now)


def _in_new_period(subscription: Document, how: Return, now: int) -> Document:
    data, anchor = subscription["items"]["data"], subscription["billing_cycle_anchor"]
    rhythm = items.rhythm(data[0]["price"])
    if how.starts_anew:
        period, anchor = (now, periods.step(now, *rhythm)), now
    else:
        period = (items.period_of(subscription)[1], periods.boundary_after(anchor, now, *rhythm))
    after = items.replaced(subscription, items.in_period(data, period))
    return {**after, "billing_cycle_anchor": anchor, "_last_start": period[0]}


def _charge(before: Document, after: Document, lines: list[Document], how: Return, now: int) -> Document:
    customer = store.read("customer", before["customer"])
    invoice = invoicing.build(customer, after, lines, "subscription_update", now=now)
    after = {**items.with_debits(after, invoice), "latest_invoice": invoice["id"], "_pending_lines": []}
    after["_resumes_with"] = invoice["id"]
    events.update("customer.subscription.updated", before, after)
    if not how.waits_for_payment:
        standing.resume(after)
    opened = invoicing.finalize(invoicing.keep(invoice, finalizes_at=None), now=now)
    collection.collect(opened, on_session=True, now=now)
    return store.read("subscription", before["id"])
