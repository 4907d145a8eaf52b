"""Which letters a change calls for: what was mirrored before a sync, compared with what it wrote.

A key names what a letter is about, so each leaves once. What is seen for the first time and is old makes no letter: an
account whose past is read anew is not told its past.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from apps.billing import dunning, emails, entitlements, outbox
from apps.billing.access import NOT_PAID
from apps.billing.models import (
    LIVE_STATUSES,
    BillingAccount,
    DisputeMirror,
    EntitlementSnapshot,
    InvoiceMirror,
    Price,
    RefundMirror,
    SubscriptionMirror,
)
from apps.core import guards

FRESH = timedelta(days=7)
RUNNING = ("active", "trialing")
LATE = ("past_due", "unpaid")
WENT_BACK = ("succeeded", "pending")
REASONS_OF_OTHERS = ("payment_failed", "payment_disputed")  # these endings have letters of their own


@dataclass(frozen=True)
class Sight:
    """What the mirror of an account says at one moment, as far as letters are about it."""

    subscriptions: Mapping[str, SubscriptionMirror]
    invoices: Mapping[str, InvoiceMirror]
    refunds: Mapping[str, RefundMirror]
    disputes: Mapping[str, DisputeMirror]


@dataclass(frozen=True)
class Wanted:
    """One letter: its kind, what it is about, and what it says."""

    kind: str
    about: str
    facts: Mapping[str, str] = field(default_factory=dict)


def see(account: BillingAccount) -> Sight:
    """Look at the mirror of an account."""
    subscriptions = account.subscriptions.select_related("plan", "planned_price__plan").prefetch_related("items__price")
    return Sight(
        {row.pk: row for row in subscriptions},
        {row.pk: row for row in account.invoices.all()},
        {row.pk: row for row in account.refunds.all()},
        {row.pk: row for row in account.disputes.all()},
    )


def want_for_changes(account: BillingAccount, before: Sight, *, now: datetime) -> None:
    """Want the letters that the difference between two sights calls for. A step; a letter is wanted once."""
    guards.inside_transaction()
    after = see(account)
    for wanted in [
        *_about_plans(before, after, account, now=now),
        *_about_invoices(before, after, account, now=now),
        *_about_money_back(before, after, account, now=now),
    ]:
        want(account, wanted, now=now)


def want_for_access(
    account: BillingAccount, before: EntitlementSnapshot | None, after: EntitlementSnapshot, *, now: datetime
) -> None:
    """Want the letter about a plan that is lost because nobody paid for it. A step.

    Time alone may take it, without a sync: whoever writes a snapshot asks this.
    """
    was_late = before is not None and before.reason == "past_due" and before.source not in NOT_PAID
    if before is None or not was_late or after.source not in NOT_PAID or account.hold_reason:
        return
    late = account.subscriptions.filter(plan_id=before.plan_version.plan_id, gone_at=None).order_by("-started_at")
    subscription = late.first()
    if subscription is None or subscription.cancellation_reason == "cancellation_requested":
        return
    owed = unpaid_invoice(account, subscription)
    facts = {"plan": before.plan_version.terms["name"], **(owed_facts(owed) if subscription.status in LATE else {})}
    about = f"{subscription.pk}:{before.version}"
    want(account, Wanted(emails.PLAN_LOST, about, {"subscription": subscription.pk, **facts}), now=now)


def want(account: BillingAccount, wanted: Wanted, *, now: datetime) -> bool:
    """Put a letter into the outbox, once; say whether it is new. A step."""
    facts = {"letter": wanted.kind, **wanted.facts}
    return outbox.add(outbox.MAIL, f"mail:{wanted.kind}:{wanted.about}", facts, account, now=now)


def unpaid_invoice(account: BillingAccount, subscription: SubscriptionMirror) -> InvoiceMirror | None:
    """The open bill of a subscription that failed first."""
    invoices = account.invoices.filter(status="open", stripe_subscription_id=subscription.pk)
    found: InvoiceMirror | None = invoices.exclude(first_failed_at=None).order_by("first_failed_at").first()
    return found


def owed_facts(invoice: InvoiceMirror | None) -> dict[str, str]:
    """What a letter says of an open bill."""
    if invoice is None:
        return {}
    return {"invoice": invoice.pk, "amount_minor": str(invoice.amount_due_minor), "currency": invoice.currency}


def plan_facts(subscription: SubscriptionMirror) -> dict[str, str]:
    """What a letter says of a subscription: its plan, its price, the card that pays."""
    facts = {"subscription": subscription.pk, "plan": subscription.plan.name if subscription.plan else ""}
    if subscription.card_last4:
        facts |= {"brand": subscription.card_brand, "last4": subscription.card_last4}
    for item in subscription.items.all():
        price = item.price
        if price.usage_type == "licensed" and price.unit_amount_minor is not None:
            amount_minor = price.unit_amount_minor * (item.quantity or 1)
            facts |= {"price_minor": str(amount_minor), "currency": price.currency, "interval": price.interval}
    return facts


def _about_plans(before: Sight, after: Sight, account: BillingAccount, *, now: datetime) -> Iterator[Wanted]:
    for key, row in after.subscriptions.items():
        if row.plan is None:
            continue
        old = before.subscriptions.get(key)
        if row.status in RUNNING and (old is None or old.status == "incomplete"):
            if row.started_at > now - FRESH and not account.hold_reason:
                trial = {"trial_end": row.trial_end.isoformat()} if row.status == "trialing" and row.trial_end else {}
                yield Wanted(emails.PLAN_STARTED, key, {**plan_facts(row), **trial})
        elif old is not None and old.status in LIVE_STATUSES:
            yield from _about_change(old, row, now=now)


def _about_change(old: SubscriptionMirror, row: SubscriptionMirror, *, now: datetime) -> Iterator[Wanted]:
    """What a person is told of a subscription that lived before."""
    facts = plan_facts(row)
    if row.status not in LIVE_STATUSES or row.gone_at is not None:
        if old.status == "trialing" or row.cancellation_reason not in REASONS_OF_OTHERS:
            yield Wanted(emails.PLAN_ENDED, row.pk, facts)
        return
    if old.status in LATE and row.status == "active":
        yield Wanted(emails.PAYMENT_RECOVERED, f"{row.pk}:{now.isoformat()}", facts)
    was, interval = plan_facts(old), facts.get("interval")
    if (old.plan_id, was.get("interval")) != (row.plan_id, interval) and row.status in RUNNING:
        about = f"{row.pk}:{row.plan_id}:{interval}:{now.isoformat()}"
        yield Wanted(emails.PLAN_CHANGED, about, {**facts, "before": was["plan"]})
    if row.planned_price and row.planned_at and row.planned_price_id != old.planned_price_id:
        yield Wanted(emails.CHANGE_PLANNED, f"{row.pk}:{now.isoformat()}", _planned(row, row.planned_price))
    until, had = entitlements.end_of(row), entitlements.end_of(old)
    if until is not None and until != had:
        asked = row.canceled_at.isoformat() if row.canceled_at else ""
        yield Wanted(emails.PLAN_ENDING, f"{row.pk}:{until.isoformat()}:{asked}", _until(facts, until))
    elif until is None and had is not None:
        about = f"{row.pk}:{old.canceled_at.isoformat() if old.canceled_at else had.isoformat()}"
        yield Wanted(emails.PLAN_RESUMED, about, _until(facts, row.current_period_end))


def _about_invoices(before: Sight, after: Sight, account: BillingAccount, *, now: datetime) -> Iterator[Wanted]:
    for key, row in after.invoices.items():
        old = before.invoices.get(key)
        subscription = after.subscriptions.get(row.stripe_subscription_id)
        is_news = row.paid_at is not None and row.paid_at > now - FRESH
        if row.status == "paid" and row.amount_paid_minor > 0 and is_news and (old is None or old.status != "paid"):
            yield Wanted(emails.RECEIPT, key, _receipt(row, subscription))
        if subscription is not None and subscription.status in LATE and _has_failed(old, row):
            kind = emails.ACTION_REQUIRED if row.needs_action else emails.PAYMENT_FAILED
            until = dunning.grace_ends(account) if subscription.status == "past_due" else None
            yield Wanted(kind, key, _until({**_named(subscription), **owed_facts(row)}, until))


def _has_failed(old: InvoiceMirror | None, row: InvoiceMirror) -> bool:
    """Whether a bill was refused since the last look. The key keeps it to one letter of each kind."""
    is_open = row.status == "open" and row.first_failed_at is not None
    return is_open and (old is None or (old.attempt_count, old.needs_action) != (row.attempt_count, row.needs_action))


def _about_money_back(before: Sight, after: Sight, account: BillingAccount, *, now: datetime) -> Iterator[Wanted]:
    number_of = dict(account.payments.exclude(invoice=None).values_list("pk", "invoice__number"))
    for key, refund in after.refunds.items():
        if key not in before.refunds and refund.status in WENT_BACK and refund.created > now - FRESH:
            facts = {"amount_minor": str(refund.amount_minor), "currency": refund.currency}
            number = number_of.get(refund.stripe_payment_intent_id, "")
            yield Wanted(emails.REFUND_MADE, key, {**facts, "number": number})
    for key, dispute in after.disputes.items():
        if key not in before.disputes and account.hold_reason and dispute.created > now - FRESH:
            facts = {"amount_minor": str(dispute.amount_minor), "currency": dispute.currency}
            yield Wanted(emails.PLAN_HELD, key, facts)


def _named(subscription: SubscriptionMirror) -> dict[str, str]:
    return {"subscription": subscription.pk, "plan": subscription.plan.name if subscription.plan else ""}


def _planned(subscription: SubscriptionMirror, price: Price) -> dict[str, str]:
    amount = {"price_minor": str(price.unit_amount_minor), "currency": price.currency, "interval": price.interval}
    at = subscription.planned_at.isoformat() if subscription.planned_at else ""
    return {**_named(subscription), **amount, "after": price.plan.name if price.plan else "", "starts": at}


def _until(facts: Mapping[str, str], until: datetime | None) -> dict[str, str]:
    return {**facts, "until": until.isoformat() if until else ""}


def _receipt(invoice: InvoiceMirror, subscription: SubscriptionMirror | None) -> dict[str, str]:
    moments = {"paid_at": invoice.paid_at, "period_start": invoice.period_start, "period_end": invoice.period_end}
    return {
        "amount_minor": str(invoice.amount_paid_minor),
        "currency": invoice.currency,
        "number": invoice.number,
        "what": subscription.plan.name if subscription and subscription.plan else "",
        "is_credit": "" if invoice.stripe_subscription_id else "yes",
        **_card_of(invoice),
        **{name: moment.isoformat() for name, moment in moments.items() if moment},
    }


def _card_of(invoice: InvoiceMirror) -> dict[str, str]:
    payment = invoice.payments.filter(status="succeeded").order_by("-created").first()
    return {"brand": payment.card_brand, "last4": payment.card_last4} if payment else {}
