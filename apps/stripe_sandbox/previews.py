"""What an invoice would be: after a change, at the next renewal, or at the end. Nothing that is done here is kept."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from apps.stripe_sandbox import (
    discounts,
    endings,
    invoicing,
    items,
    metered,
    periods,
    phases,
    plan_changes,
    schedules,
    store,
    subscribing,
    usage,
)
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import invalid
from apps.stripe_sandbox.plan_changes import Terms
from apps.stripe_sandbox.subscribing import Order


@contextmanager
def rehearsal() -> Iterator[None]:
    """Let what is done inside be forgotten at the end: rows, events and letters."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def of_change(subscription: Document, customer: Document, asked: Document, *, now: int) -> Document:
    """Describe the invoice that follows for a running subscription.

    asked  `subscription_details` of the call, with `preview_mode` beside it.
    Raises StripeError 404: nothing more will be invoiced.
    """
    moment, behavior = asked.get("proration_date", now), asked.get("proration_behavior", "create_prorations")
    if asked.get("cancel_now"):
        lines = [*subscription["_pending_lines"], *_credits(subscription, behavior, now)]
        lines += usage.lines_so_far(subscription, now)
        return _build(customer, subscription, lines, "subscription_update", now=now)
    if asked.get("trial_end") == "now" and subscription["status"] == "trialing":
        return _build(customer, subscription, _first_period(subscription, now), "subscription_cycle", now=now)
    resets = asked.get("billing_cycle_anchor", {}).get("type") == "now"
    terms = Terms(moment, proration_behavior=behavior, resets_anchor=resets)
    wanted = items.read_wanted(asked.get("items", []), customer, path="subscription_details[items]")
    change = plan_changes.weigh(subscription, wanted, terms, now=now)
    if asked.get("preview_mode") == "recurring":
        return _renewal(customer, change.after, [], asked)
    if change.lines and (change.resets_period or behavior == "always_invoice"):
        lines = [*subscription["_pending_lines"], *change.lines]
        return _build(customer, subscription, lines, "subscription_update", now=now, moment=moment)
    return _renewal(customer, change.after, [*subscription["_pending_lines"], *change.lines], asked)


def _credits(subscription: Document, behavior: str, now: int) -> list[Document]:
    return [] if behavior == "none" else endings.unused(subscription, now)


def _first_period(subscription: Document, now: int) -> list[Document]:
    data = subscription["items"]["data"]
    end = periods.step(now, *items.rhythm(data[0]["price"]))
    return [invoicing.regular_line(item, now, end) for item in metered.licensed(data)]


def _renewal(customer: Document, subscription: Document, lines: list[Document], asked: Document) -> Document:
    """Describe the invoice of the period's end, as the phase of that moment has it."""
    start, end = items.period_of(subscription)
    lines = [*lines, *usage.lines(subscription, start, end)]
    stops = asked.get("cancel_at_period_end", subscription["cancel_at_period_end"])
    ends_at = asked["cancel_at"] if "cancel_at" in asked else subscription["cancel_at"]
    is_over = stops or (isinstance(ends_at, int) and ends_at <= end and "cancel_at_period_end" not in asked)
    if is_over and not lines:
        raise invalid("No upcoming invoices for this subscription.", code="invoice_upcoming_none", status=404)
    if not is_over:
        after = phases.at_renewal(subscription, now=end)
        data = after["items"]["data"]
        anchor, rhythm = subscription["billing_cycle_anchor"], items.rhythm(data[0]["price"])
        if rhythm != items.rhythm(subscription["items"]["data"][0]["price"]):
            anchor = end
        later = periods.boundary_after(anchor, end, *rhythm)
        lines = [*lines, *(invoicing.regular_line(item, end, later) for item in metered.licensed(data))]
    return _build(customer, subscription, lines, "subscription_cycle", now=end)


def of_phases(schedule: Document, given: list[Document], asked: Document, *, now: int) -> Document:
    """Describe the next invoice of a subscription whose schedule would have these phases.

    asked  `proration_behavior` and `end_behavior` of the call.
    """
    behavior = asked.get("proration_behavior", "create_prorations")
    with rehearsal():
        before = store.read("subscription", schedule["subscription"])
        changed = {**schedule, "end_behavior": asked.get("end_behavior", schedule["end_behavior"])}
        changed = phases.rewrite(changed, given, behavior, now=now)
        phases.mark_end(changed, now=now)
        after = store.read("subscription", before["id"])
        customer = store.read("customer", before["customer"])
        if after["latest_invoice"] != before["latest_invoice"]:
            return _marked(store.read("invoice", after["latest_invoice"]))
        return _renewal(customer, after, after["_pending_lines"], {})


def of_schedule(subscription: Document, given: list[Document], asked: Document, *, now: int) -> Document:
    """Do the same for a subscription that has no schedule yet, or has one."""
    with rehearsal():
        found = schedules.find_for(subscription) or schedules.open_for(subscription, now=now)
        return of_phases(found, given, asked, now=now)


def of_new(customer: Document, asked: Document, *, now: int) -> Document:
    """Describe the first invoice of a subscription that does not exist yet.

    asked  `subscription_details` of the call, with `discounts` and `automatic_tax` beside them.
    """
    wanted = items.read_wanted(asked["items"], customer, path="subscription_details[items]")
    found = discounts.describe(asked.get("discounts") or [], items.basket(wanted, customer), now=now)
    trial_end = asked.get("trial_end")
    order = Order(wanted, trial_end=trial_end if isinstance(trial_end, int) else None, discounts=found)
    subscription = taxed(subscribing.describe(customer, order, now=now), asked)
    return _marked(subscribing.first_invoice(customer, subscription, now=now))


def taxed(subscription: Document, asked: Document) -> Document:
    """Give the subscription with `automatic_tax` as the call wants it."""
    if "automatic_tax" not in asked:
        return subscription
    enabled = asked["automatic_tax"]["enabled"]
    return {**subscription, "automatic_tax": {**subscription["automatic_tax"], "enabled": enabled}}


def _build(
    customer: Document,
    subscription: Document,
    lines: list[Document],
    reason: str,
    *,
    moment: int | None = None,
    now: int,
) -> Document:
    invoice = invoicing.build(customer, subscription, lines, reason, now=now)
    if moment is not None:
        invoice["parent"]["subscription_details"]["subscription_proration_date"] = moment
    return _marked(invoice)


def _marked(invoice: Document) -> Document:
    """Give an invoice the id that says it does not exist."""
    key = f"upcoming_{invoice['id']}"
    lines = {
        **invoice["lines"],
        "data": [{**line, "invoice": key} for line in invoice["lines"]["data"]],
        "url": f"/v1/invoices/{key}/lines",
    }
    return {**invoice, "id": key, "lines": lines}
