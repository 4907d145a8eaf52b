"""Changing a running subscription: other prices or quantities, what that costs today, and when it takes force."""

from dataclasses import dataclass

from apps.stripe_sandbox import (
    collection,
    discounts,
    events,
    invoicing,
    items,
    metered,
    periods,
    proration,
    standing,
    store,
    usage,
)
from apps.stripe_sandbox.cards import Verdict
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.items import Wanted

PENDING_S = 23 * 3600


@dataclass(frozen=True)
class Change:
    """What a change would mean: the items afterwards, the lines it causes, and whether a new period begins."""

    after: Document
    lines: list[Document]
    resets_period: bool

    @property
    def total(self) -> int:
        return sum(int(line["amount"]) for line in self.lines)


@dataclass(frozen=True)
class Terms:
    """How a change is charged: Stripe's `proration_behavior` and `payment_behavior`; `moment` is the proration date."""

    moment: int
    proration_behavior: str = "create_prorations"
    payment_behavior: str = "allow_incomplete"
    resets_anchor: bool = False
    is_off_session: bool = False


def weigh(subscription: Document, wanted: list[Wanted], terms: Terms, *, now: int) -> Change:
    """Say what a change would mean, without doing it."""
    old = subscription["items"]["data"]
    kept = {item["id"] for item in old}
    new = items.changed(subscription, wanted, now=now)
    start, end = items.period_of(subscription)
    other_rhythm = items.rhythm(new[0]["price"]) != items.rhythm(old[0]["price"])
    resets = (other_rhythm or terms.resets_anchor) and subscription["status"] != "trialing"
    if terms.proration_behavior != "none" and subscription["status"] in ("active", "past_due"):
        lines, debited = _prorate(subscription, [] if resets else new, terms.moment, now)
    else:
        lines, debited = [], {each["id"]: items.whole(subscription, each) if each["id"] in kept else 0 for each in new}
    after = items.replaced(subscription, items.in_period(new, (start, end)))
    after["_debited"] = debited
    if resets:
        interval, count = items.rhythm(new[0]["price"])
        period = (terms.moment, periods.step(terms.moment, interval, count))
        after = items.replaced(subscription, items.in_period(new, period))
        after |= {"billing_cycle_anchor": terms.moment, "_last_start": terms.moment}
        lines += usage.lines(subscription, start, terms.moment)
        lines += [invoicing.regular_line(item, *period) for item in metered.licensed(after["items"]["data"])]
    return Change(after, lines, resets)


def _prorate(
    subscription: Document, new: list[Document], moment: int, now: int
) -> tuple[list[Document], dict[str, int]]:
    """Write what goes back for old items and what is due for new ones, and say what is debited from then on."""
    old, (start, end) = subscription["items"]["data"], items.period_of(subscription)
    left = proration.fraction_left(start, end, moment)
    kept = [item for item in old if item in new]
    debited = discounts.net(new, subscription, now=now)
    debited |= {item["id"]: items.whole(subscription, item) for item in kept}
    gone = [
        invoicing.proration_line(each, items.whole(subscription, each), left, (moment, end), is_credit=True)
        for each in metered.licensed(old)
        if each not in kept
    ]
    come = [
        invoicing.proration_line(each, debited[each["id"]], left, (moment, end), is_credit=False)
        for each in metered.licensed(new)
        if each not in kept
    ]
    return gone + come, debited


def change_items(before: Document, asked: Document, wanted: list[Wanted], terms: Terms, *, now: int) -> Document:
    """Change a subscription's items and charge as the terms say; give the subscription as it is afterwards.

    A change that was still pending is dropped first.

    before  the subscription as it is kept; `asked` is the same with the call's other fields.
    Raises  StripeError 402: `error_if_incomplete` and the charge failed; then nothing is kept.
    """
    if before["pending_update"]:
        before = expire_pending(before, now=now)
        asked = {**asked, "pending_update": None, "_pending_invoice": None}
    change = weigh(asked, wanted, terms, now=now)
    lines = [*asked["_pending_lines"], *change.lines]
    if not change.lines or not (change.resets_period or terms.proration_behavior == "always_invoice"):
        return events.update("customer.subscription.updated", before, {**change.after, "_pending_lines": lines})
    customer = store.read("customer", before["customer"])
    invoice = invoicing.build(customer, change.after, lines, "subscription_update", now=now)
    after = {**items.with_debits(change.after, invoice), "latest_invoice": invoice["id"], "_pending_lines": []}
    if terms.payment_behavior == "pending_if_incomplete":
        return _charge_first(before, after, invoice, terms, now=now)
    after = discounts.spend(after, invoice, now=now)
    events.update("customer.subscription.updated", before, after)
    if terms.payment_behavior == "default_incomplete":
        return _await_payment(invoice, before["id"], now=now)
    collected = _charge(invoice, terms, now=now)
    if collected.verdict is not Verdict.SUCCEEDED and terms.payment_behavior == "error_if_incomplete":
        raise collected.as_error(keeps_rows=False)
    return store.read("subscription", before["id"])


def _await_payment(invoice: Document, subscription: str, *, now: int) -> Document:
    """Open the invoice of a change and wait for its owner to pay it: until then the subscription is past due."""
    opened = invoicing.finalize(invoicing.keep(invoice, finalizes_at=None), now=now)
    if opened["amount_due"]:
        standing.after_failure(opened)
    else:
        collection.finish(opened, amount=0, now=now)
    return store.read("subscription", subscription)


def _charge(invoice: Document, terms: Terms, *, now: int) -> collection.Collected:
    opened = invoicing.finalize(invoicing.keep(invoice, finalizes_at=None), now=now)
    return collection.collect(opened, on_session=not terms.is_off_session, now=now)


def _charge_first(before: Document, after: Document, invoice: Document, terms: Terms, *, now: int) -> Document:
    """Let the change take force only when it is paid, else keep it pending for 23 hours."""
    marked = store.save({**before, "_pending_invoice": invoice["id"]})
    if _charge({**invoice, "_is_pending": True}, terms, now=now).verdict is Verdict.SUCCEEDED:
        after = discounts.spend(after, invoice, now=now)
        return events.update("customer.subscription.updated", marked, {**after, "_pending_invoice": None})
    moves = after["billing_cycle_anchor"] != before["billing_cycle_anchor"]
    pending = {
        "billing_cycle_anchor": after["billing_cycle_anchor"] if moves else None,
        "expires_at": now + PENDING_S,
        "subscription_items": after["items"]["data"],
        "trial_end": None,
        "trial_from_plan": None,
    }
    marked["_pending_debited"] = after["_debited"]
    waiting = {**marked, "latest_invoice": invoice["id"], "pending_update": pending}
    return events.update("customer.subscription.updated", marked, waiting)


def expire_pending(subscription: Document, *, now: int) -> Document:
    """Drop a pending change that was not paid in time; its invoice is voided."""
    invoice = store.read("invoice", subscription["_pending_invoice"])
    if invoice["status"] == "open":
        invoicing.close(invoice, "void", now=now)
    return standing.drop_pending(subscription)
