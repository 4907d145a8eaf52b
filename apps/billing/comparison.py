"""What we have against what Stripe has, fact by fact. Reads our tables, writes nothing, asks nobody."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from apps.billing import entitlements, mirror, plans
from apps.billing.differences import LOW, Difference
from apps.billing.entitlements import Subscribed
from apps.billing.models import (
    LIVE_STATUSES,
    BillingAccount,
    DisputeMirror,
    InvoiceMirror,
    PaymentMirror,
    RefundMirror,
    SubscriptionMirror,
)
from apps.billing.stripe_facts import Customer, Dispute, Invoice, Refund, Subscription

ENDED = ("canceled", "incomplete_expired")
PERIOD_SLACK = timedelta(hours=1)
# What a look at one account finds anew each time, so that what it does not find is gone.
OF_ACCOUNT = (
    "missing_locally", "missing_in_stripe", "status", "price", "quantity", "period", "entitlement_mismatch",
    "metadata_mismatch", "livemode_mismatch", "invoice", "refund", "dispute", "unsent_meter_events",
    "meter_total_mismatch",
)  # fmt: skip


def of_subscriptions(account: BillingAccount, theirs: Iterable[Subscription]) -> Iterator[Difference]:
    """All subscriptions of an account, ended ones too."""
    ours = {row.pk: row for row in account.subscriptions.filter(gone_at=None).prefetch_related("items")}
    for subscription in theirs:
        row = ours.pop(subscription.id, None)
        if row is None:
            yield Difference("missing_locally", subscription.id, stripe=subscription.status)
        else:
            yield from _of_subscription(row, subscription)
        if subscription.account not in ("", str(account.pk)):
            yield Difference("metadata_mismatch", subscription.id, ours=str(account.pk), stripe=subscription.account)
    for key, row in ours.items():
        if row.status not in ENDED:
            yield Difference("missing_in_stripe", key, ours=row.status)


def of_access(account: BillingAccount, theirs: Iterable[Subscription], *, now: datetime) -> Iterator[Difference]:
    """Whether the snapshot in force is what Stripe's subscriptions give."""
    subscriptions, grants = filter(None, map(subscribed, theirs)), entitlements.granted(account)
    rules = entitlements.rules_of(plans.catalogue())
    right = entitlements.decide(subscriptions, grants, entitlements.standing_of(account), rules, now=now)
    has = entitlements.plan_for(account, now=now).key
    if has != right.plan:
        yield Difference("entitlement_mismatch", str(account.pk), ours=has, stripe=right.plan)


def of_snapshot(account: BillingAccount, *, now: datetime) -> Iterator[Difference]:
    """Whether the snapshot in force is what our own mirror gives: no question to Stripe."""
    right, has = entitlements.decide_for(account, now=now).plan, entitlements.plan_for(account, now=now).key
    if has != right:
        yield Difference("entitlement_mismatch", str(account.pk), ours=has, stripe=right)


def of_customer(account: BillingAccount, customer: Customer) -> Iterator[Difference]:
    """Whether a customer says whose it is, and is of the money that we take."""
    if not customer.is_deleted and customer.account != str(account.pk):
        yield Difference("metadata_mismatch", customer.id, ours=str(account.pk), stripe=customer.account, severity=LOW)
    if account.livemode != entitlements.is_live() and account.subscriptions.live().exists():
        words = {True: "live", False: "test"}
        yield Difference(
            "livemode_mismatch", customer.id, ours=words[entitlements.is_live()], stripe=words[account.livemode]
        )


def is_as_listed(account: BillingAccount, customer: Customer, listed: Iterable[Subscription]) -> bool:
    """Whether an account agrees with a list of customers, in which only live subscriptions stand."""
    ours = account.subscriptions.filter(gone_at=None, status__in=(*LIVE_STATUSES, "incomplete"))
    rows = {row.pk: row for row in ours.prefetch_related("items")}
    for subscription in listed:
        row = rows.pop(subscription.id, None)
        if row is None or any(_of_subscription(row, subscription)):
            return False
    of_others = account.former_customers.filter(gone_at=None).exists()
    return (of_others or not rows) and not any(of_customer(account, customer))


def of_invoices(rows: Mapping[str, InvoiceMirror], theirs: Iterable[Invoice]) -> Iterator[tuple[Invoice, Difference]]:
    """Invoices that are not here, or say something else here, with their payments."""
    theirs = list(theirs)
    keys = [charge.payment_intent for invoice in theirs for charge in invoice.charges]
    payments = PaymentMirror.objects.in_bulk(keys)
    for invoice in theirs:
        row = rows.get(invoice.id)
        ours = _of_invoice(row, [payments.get(charge.payment_intent) for charge in invoice.charges]) if row else ""
        other = _words(
            invoice.status, invoice.amount_paid_minor, invoice.total_minor, invoice.tax_minor, invoice.currency,
            sum(charge.refunded_minor for charge in invoice.charges), any(c.is_disputed for c in invoice.charges),
        )  # fmt: skip
        if ours != other:
            yield invoice, Difference("invoice", invoice.id, ours=ours, stripe=other)


def of_money_back(
    rows: Mapping[str, RefundMirror | DisputeMirror], theirs: Iterable[Refund | Dispute]
) -> Iterator[tuple[Refund | Dispute, Difference]]:
    """Refunds, or disputes, that are not here, or stand differently here."""
    for fact in theirs:
        kind = "dispute" if isinstance(fact, Dispute) else "refund"
        row = rows.get(fact.id)
        ours = f"{row.status} {row.amount_minor}" if row else ""
        other = f"{fact.status} {fact.amount_minor}"
        if ours != other:
            yield fact, Difference(kind, fact.id, ours=ours, stripe=other)


def subscribed(subscription: Subscription) -> Subscribed | None:
    """A subscription as the decision about access reads it; None when it is not to one of our plans."""
    found = [plan for plan in (mirror.find_plan(item.price) for item in subscription.items) if plan is not None]
    if not found:
        return None
    plan = max(found, key=lambda plan: plan.rank)
    return Subscribed(
        plan.key, plan.rank, subscription.status, subscription.period_end, subscription.is_collection_paused
    )


def _of_subscription(row: SubscriptionMirror, theirs: Subscription) -> Iterator[Difference]:
    if row.status != theirs.status:
        yield Difference("status", theirs.id, ours=row.status, stripe=theirs.status)
    ours = {item.price_id: item.quantity for item in row.items.all()}
    wanted = {item.price.id: item.quantity for item in theirs.items}
    if set(ours) != set(wanted):
        yield Difference("price", theirs.id, ours=", ".join(sorted(ours)), stripe=", ".join(sorted(wanted)))
    elif ours != wanted:
        told = [", ".join(f"{price} × {number}" for price, number in sorted(one.items())) for one in (ours, wanted)]
        yield Difference("quantity", theirs.id, ours=told[0], stripe=told[1])
    mine, other = row.current_period_end, theirs.period_end
    if (mine is None) != (other is None) or (mine and other and abs(mine - other) > PERIOD_SLACK):
        yield Difference("period", theirs.id, ours=str(mine), stripe=str(other))


def _of_invoice(row: InvoiceMirror, payments: Iterable[PaymentMirror | None]) -> str:
    known = [payment for payment in payments if payment is not None]
    refunded, is_disputed = sum(one.refunded_minor for one in known), any(one.is_disputed for one in known)
    return _words(
        row.status, row.amount_paid_minor, row.total_minor, row.tax_minor, row.currency, refunded, is_disputed
    )  # fmt: skip


def _words(*facts: object) -> str:
    status, paid, total, tax, currency, refunded, is_disputed = facts
    taxed = f", {tax} of it tax" if tax else ""
    back = f", {refunded} refunded" if refunded else ""
    return f"{status}, {paid} of {total} {currency} paid{taxed}{back}{', disputed' if is_disputed else ''}"
