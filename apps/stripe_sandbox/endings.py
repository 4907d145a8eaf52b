"""How a subscription ends: at once, at the period's end, or because it was never paid."""

from apps.stripe_sandbox import (
    collection,
    events,
    invoicing,
    items,
    metered,
    proration,
    schedules,
    store,
    usage,
)
from apps.stripe_sandbox.documents import Document


def cancel(
    subscription: Document, reason: str | None, *, invoice_now: bool = False, prorate: bool = False, now: int
) -> Document:
    """End a subscription at once.

    reason  Stripe's `cancellation_details.reason`.
    """
    if prorate:
        subscription = {
            **subscription,
            "_pending_lines": [*subscription["_pending_lines"], *unused(subscription, now)],
        }
    if invoice_now:
        subscription = _invoice(subscription, now=now)
    after = {
        **subscription,
        "canceled_at": subscription["canceled_at"] or now,
        "cancellation_details": {**subscription["cancellation_details"], "reason": reason},
        "ended_at": now,
        "pending_update": None,
        "status": "canceled",
    }
    _stop_invoices(subscription)
    store.save(after)
    events.emit("customer.subscription.deleted", after)
    schedule = schedules.find_for(after)
    if schedule and schedule["status"] == "active":
        schedules.cancel(schedule, now=now)
    return after


def _invoice(subscription: Document, *, now: int) -> Document:
    """Bill and collect what is still to be paid, usage too; give the subscription without it."""
    lines = [*subscription["_pending_lines"], *usage.lines_so_far(subscription, now)]
    if not lines:
        return subscription
    customer = store.read("customer", subscription["customer"])
    invoice = invoicing.build(customer, subscription, lines, "manual", now=now)
    opened = invoicing.finalize(invoicing.keep(invoice, finalizes_at=None), now=now)
    collection.collect(opened, now=now)
    return {**subscription, "latest_invoice": invoice["id"], "_pending_lines": []}


def schedule_end(subscription: Document, *, at_period_end: bool, now: int) -> Document:
    """Give the subscription with its end asked for, or with that taken back; it stays active until then."""
    if not at_period_end:
        calm = {**subscription["cancellation_details"], "reason": None}
        return {
            **subscription,
            "cancel_at": None,
            "cancel_at_period_end": False,
            "canceled_at": None,
            "cancellation_details": calm,
        }
    asked = {**subscription["cancellation_details"], "reason": "cancellation_requested"}
    return {
        **subscription,
        "cancel_at": items.period_of(subscription)[1],
        "cancel_at_period_end": True,
        "canceled_at": now,
        "cancellation_details": asked,
    }


def expire_incomplete(subscription: Document, *, now: int) -> Document:
    """Give up a subscription whose first payment never came; its invoice is voided."""
    invoice = store.find("invoice", subscription["latest_invoice"])
    if invoice and invoice["status"] == "open":
        invoicing.close(invoice, "void", now=now)
    after = {**subscription, "status": "incomplete_expired", "ended_at": now}
    return events.update("customer.subscription.updated", subscription, after)


def end_dunning(subscription: Document, outcome: str, *, now: int) -> Document:
    """Do what is set for the end of all retries: cancel, unpaid, or nothing (past_due). The invoice stays open."""
    if outcome == "cancel":
        return cancel(subscription, "payment_failed", now=now)
    if outcome == "unpaid":
        return events.update("customer.subscription.updated", subscription, {**subscription, "status": "unpaid"})
    return subscription


def unused(subscription: Document, now: int) -> list[Document]:
    """Write the credit for what is left of the period."""
    start, end = items.period_of(subscription)
    left = proration.fraction_left(start, end, now)
    data = metered.licensed(subscription["items"]["data"])
    return [
        invoicing.proration_line(item, items.whole(subscription, item), left, (now, end), is_credit=True)
        for item in data
    ]


def _stop_invoices(subscription: Document) -> None:
    rows = store.select("invoice", customer=subscription["customer"], body__status__in=("draft", "open"))
    for invoice in store.documents(rows):
        details = (invoice["parent"] or {}).get("subscription_details") or {}
        if details.get("subscription") == subscription["id"]:
            store.save(
                {**invoice, "auto_advance": False, "automatically_finalizes_at": None, "next_payment_attempt": None}
            )
