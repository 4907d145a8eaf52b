"""Whether what a letter says is still so when it leaves. A letter about a state that is over is withdrawn."""

from collections.abc import Callable, Mapping

from apps.billing import emails, entitlements
from apps.billing.access import NOT_PAID
from apps.billing.models import LIVE_STATUSES, BillingAccount, StripeOutbox, SubscriptionMirror

RUNNING = ("active", "trialing")
MONEY = frozenset({emails.RECEIPT, emails.REFUND_MADE, emails.RECHARGED})  # who leaves is still told of these
Question = Callable[[SubscriptionMirror, Mapping[str, str]], bool]


def is_so(row: StripeOutbox, account: BillingAccount) -> bool:
    """Look again, at our mirror as it is now."""
    letter, facts = row.payload["letter"], row.payload
    if account.erased_at is not None or not (account.owner.is_active or letter in MONEY):
        return False
    if letter == emails.PLAN_HELD:
        return bool(account.hold_reason)
    if letter == emails.PLAN_LOST and _has_plan(account):
        return False
    if letter in (emails.PAYMENT_FAILED, emails.ACTION_REQUIRED, emails.GRACE_ENDING) and not _is_owed(account, facts):
        return False
    question = QUESTIONS.get(letter)
    subscription = account.subscriptions.filter(pk=facts.get("subscription", "")).select_related("plan").first()
    return question is None or subscription is None or question(subscription, facts)


def _has_plan(account: BillingAccount) -> bool:
    latest = account.snapshots.order_by("-version").first()
    return latest is not None and latest.source not in NOT_PAID


def _is_owed(account: BillingAccount, facts: Mapping[str, str]) -> bool:
    key = facts.get("invoice")
    return key is None or account.invoices.filter(pk=key, status="open").exists()


def _runs(row: SubscriptionMirror, facts: Mapping[str, str]) -> bool:
    return row.status in RUNNING and row.gone_at is None and (row.plan is None or row.plan.name == facts.get("plan"))


def _ends(row: SubscriptionMirror, facts: Mapping[str, str]) -> bool:
    end = entitlements.end_of(row)
    return row.status in LIVE_STATUSES and end is not None and end.isoformat() == facts.get("until")


def _goes_on(row: SubscriptionMirror, _facts: Mapping[str, str]) -> bool:
    return row.status in LIVE_STATUSES and entitlements.end_of(row) is None and row.gone_at is None


def _is_over(row: SubscriptionMirror, _facts: Mapping[str, str]) -> bool:
    return row.status not in LIVE_STATUSES or row.gone_at is not None


def _is_planned(row: SubscriptionMirror, facts: Mapping[str, str]) -> bool:
    return row.planned_at is not None and _goes_on(row, facts)


def _is_on_trial(row: SubscriptionMirror, facts: Mapping[str, str]) -> bool:
    return row.status == "trialing" and _goes_on(row, facts)


def _renews(row: SubscriptionMirror, facts: Mapping[str, str]) -> bool:
    return row.status == "active" and _goes_on(row, facts)


def _moves(row: SubscriptionMirror, facts: Mapping[str, str]) -> bool:
    """A move that Stripe had reasons against was withdrawn, and with it what it would have cost."""
    return StripeOutbox.objects.filter(key=facts.get("move", "")).exists() and _goes_on(row, facts)


def _pays_with_it(row: SubscriptionMirror, facts: Mapping[str, str]) -> bool:
    return row.card_last4 == facts.get("last4") and _goes_on(row, facts)


QUESTIONS: Mapping[str, Question] = {
    emails.PLAN_STARTED: _runs,
    emails.PLAN_CHANGED: _runs,
    emails.PAYMENT_RECOVERED: _runs,
    emails.PLAN_ENDING: _ends,
    emails.PLAN_RESUMED: _goes_on,
    emails.PLAN_ENDED: _is_over,
    emails.CHANGE_PLANNED: _is_planned,
    emails.TRIAL_ENDING: _is_on_trial,
    emails.RENEWAL_REMINDER: _renews,
    emails.CARD_EXPIRING: _pays_with_it,
    emails.PRICE_MOVE: _moves,
}
