"""Time passing: due work is done strictly in order, one moment at a time, on a test clock or in real time."""

from collections.abc import Callable

from apps.stripe_sandbox import (
    collection,
    discounts,
    dunning,
    endings,
    environment,
    events,
    invoicing,
    items,
    metered,
    moments,
    pauses,
    payment_methods,
    periods,
    phases,
    plan_changes,
    standing,
    store,
    usage,
)
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import StripeError

HOUR_S = 3600


def next_moment(clock_id: str) -> moments.Moment | None:
    """Find the next work on a test clock, or in real time for an empty id."""
    return moments.first(store.first_due(clock_id))


def run_until(clock_id: str, until: int, *, arrive: Callable[[int], None] = lambda at: None) -> int:
    """Do all work up to a moment and say how much it was.

    arrive  is told each moment before its work is done: a test clock moves its hands with it.
    """
    done = 0
    while (moment := next_moment(clock_id)) and moment.at <= until:
        arrive(moment.at)
        WORK[moment.kind](moment.document, moment.at)
        done += 1
    return done


def end_trial(subscription: Document, *, now: int) -> Document:
    """End a trial at once: its first paid period begins now and is charged now."""
    _cycle(subscription, now)
    after = store.read("subscription", subscription["id"])
    invoice = store.find("invoice", after["latest_invoice"])
    if after["status"] == "active" and invoice and invoice["status"] == "draft":
        _finalize(invoice, now)
    return store.read("subscription", subscription["id"])


def _cycle(subscription: Document, now: int) -> None:
    """Begin the next period, with a draft invoice that is finalised an hour later."""
    if subscription["cancel_at_period_end"]:
        _end(subscription, now)
        return
    customer = store.read("customer", subscription["customer"])
    was_trial = subscription["status"] == "trialing"
    if was_trial and payment_methods.choose(customer, subscription) is None and _stop_trial(subscription, now):
        return
    rhythm = items.rhythm(subscription["items"]["data"][0]["price"])
    anchor = subscription["billing_cycle_anchor"]
    data = subscription.get("_next_items") or subscription["items"]["data"]
    if rhythm != items.rhythm(data[0]["price"]):
        rhythm, anchor = items.rhythm(data[0]["price"]), now
    end = periods.boundary_after(anchor, now, *rhythm)
    after = items.replaced(subscription, items.in_period(data, (now, end)))
    after |= {"billing_cycle_anchor": anchor, "_next_items": None}
    after["_last_start"] = items.period_of(subscription)[0]
    lines = [invoicing.regular_line(item, now, end) for item in metered.licensed(after["items"]["data"])]
    lines = [*after["_pending_lines"], *usage.lines(subscription, after["_last_start"], now), *lines]
    invoice = invoicing.build(customer, after, lines, "subscription_cycle", now=now)
    after = discounts.spend(items.with_debits(after, invoice), invoice, now=now)
    after |= {"latest_invoice": invoice["id"], "_pending_lines": []}
    after["status"] = "active" if was_trial else subscription["status"]
    events.update("customer.subscription.updated", subscription, after)
    is_held = subscription["status"] == "unpaid"
    invoicing.keep({**invoice, "auto_advance": not is_held}, finalizes_at=None if is_held else now + HOUR_S)


def _end(subscription: Document, now: int) -> None:
    """End a subscription as it was asked to; what was used in its last period is billed."""
    has_usage = metered.has_usage(subscription)
    endings.cancel(subscription, "cancellation_requested", invoice_now=has_usage, now=now)


def _stop_trial(subscription: Document, now: int) -> bool:
    """Do what is set for a trial that ends without a card; false: go on and make an invoice."""
    behavior = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    if behavior == "cancel":
        endings.cancel(subscription, None, now=now)
    elif behavior == "pause":
        pauses.pause(subscription, pauses.NO_CARD, now=now)
    return bool(behavior in ("cancel", "pause"))


def _finalize(invoice: Document, now: int) -> None:
    subscription = standing.subscription_of(invoice)
    pause = subscription["pause_collection"] if subscription else None
    if pause and pause["behavior"] == "keep_as_draft":
        store.save({**invoice, "auto_advance": False, "automatically_finalizes_at": None})
        return
    try:
        opened = invoicing.finalize(usage.refresh(invoice), now=now)
    except StripeError:
        invoicing.fail_finalization(invoice)
        return
    if pause:
        invoicing.close(opened, "void" if pause["behavior"] == "void" else "uncollectible", now=now)
    else:
        collection.collect(opened, now=now)


def _retry(invoice: Document, now: int) -> None:
    """Try an open invoice again; a hopeless card is only counted, until another one is there."""
    customer, subscription = store.read("customer", invoice["customer"]), standing.subscription_of(invoice)
    method = payment_methods.choose(customer, subscription)
    if invoice.get("_hopeless_with") and method and method["id"] == invoice["_hopeless_with"]:
        count = invoice["attempt_count"] + 1
        later = dunning.next_attempt(invoice["_first_failed_at"], count)
        after = {**invoice, "attempt_count": count, "next_payment_attempt": later}
        events.update("invoice.updated", invoice, after)
    else:
        after = collection.collect(invoice, is_retry=True, now=now).invoice
    if after["status"] == "open" and after["next_payment_attempt"] is None and subscription:
        endings.end_dunning(store.read("subscription", subscription["id"]), environment.read().dunning_end, now=now)


def _resume_collection(subscription: Document, now: int) -> None:
    """End a pause of collection that was set until now; drafts that were kept stay drafts."""
    events.update("customer.subscription.updated", subscription, {**subscription, "pause_collection": None})


def _warn_of_trial(subscription: Document, now: int) -> None:
    store.save({**subscription, "_was_warned": True})
    events.emit("customer.subscription.trial_will_end", subscription)


def _expire_session(session: Document, now: int) -> None:
    events.update("checkout.session.expired", session, {**session, "status": "expired", "url": None})


WORK: dict[str, Callable[[Document, int], object]] = {
    "cycle": _cycle,
    "phase": phases.begin_next,
    "resume_collection": _resume_collection,
    "cancel": _end,
    "finalize": _finalize,
    "retry": _retry,
    "warn_of_trial": _warn_of_trial,
    "expire_incomplete": lambda subscription, now: endings.expire_incomplete(subscription, now=now),
    "expire_update": lambda subscription, now: plan_changes.expire_pending(subscription, now=now),
    "expire_session": _expire_session,
}
