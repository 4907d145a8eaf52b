"""What a page or a program may be told of an account's plan now: access by snapshot, payment and plans by mirror."""

from datetime import datetime

from apps.billing import entitlements
from apps.billing.access import NO_SUBSCRIPTION
from apps.billing.models import BillingAccount, Price, SubscriptionMirror
from apps.billing.terms import Limit

PLANNED, UNPAID = "planned", "unpaid"


def state_for(account: BillingAccount, *, now: datetime) -> dict[str, object]:
    """All of it as plain values. Reads only, and asks nobody but our database."""
    has = entitlements.in_force(account, now=now)
    paid = entitlements.find_subscription(account)
    ends_at = entitlements.end_of(paid) or entitlements.loss_of(account, has)
    goes_on = paid is not None and not ends_at
    return {
        "plan": {"key": has.terms.key, "name": has.terms.name},
        "source": str(has.source),
        "status": paid.status if paid else NO_SUBSCRIPTION,
        "trial_ends_at": paid.trial_end if paid and paid.status == "trialing" else None,
        "renews_at": paid.current_period_end if paid and goes_on else None,
        "renewal": _renewal(paid) if paid and goes_on else None,
        "ends_at": ends_at,
        "change": change_of(paid) if paid else None,
        "card": _card(paid) if paid else None,
        "is_confirming": account.sync_wanted_seq > account.sync_done_seq,
        "limits": [_limit_facts(limit) for limit in has.terms.limits],
    }


def change_of(subscription: SubscriptionMirror) -> dict[str, object] | None:
    """What a subscription will be, or would be were it paid; `at`: from then on, or until when it can be paid."""
    if subscription.pending_until is not None:
        kind, price, at = UNPAID, subscription.pending_price, subscription.pending_until
    elif subscription.planned_at is not None:
        kind, price, at = PLANNED, subscription.planned_price, subscription.planned_at
    else:
        return None
    return {"kind": kind, "plan": _plan(price), "interval": price.interval if price else "", "at": at}


def card_ends_first(subscription: SubscriptionMirror) -> bool:
    """Whether the card is over before the next renewal: it is good through the last day of its month."""
    month, year, renews_at = subscription.card_exp_month, subscription.card_exp_year, subscription.current_period_end
    if not month or not year or renews_at is None or entitlements.end_of(subscription) is not None:
        return False
    return (year, month) < (renews_at.year, renews_at.month)


def _plan(price: Price | None) -> dict[str, str] | None:
    plan = price.plan if price else None
    return {"key": plan.key, "name": plan.name} if plan else None


def _renewal(subscription: SubscriptionMirror) -> dict[str, object] | None:
    if subscription.renewal_minor is None:
        return None
    return {
        "amount_minor": subscription.renewal_minor,
        "tax_minor": subscription.renewal_tax_minor,
        "currency": subscription.currency,
    }


def _card(subscription: SubscriptionMirror) -> dict[str, object] | None:
    if not subscription.card_last4:
        return None
    return {
        "brand": subscription.card_brand,
        "last4": subscription.card_last4,
        "exp_month": subscription.card_exp_month,
        "exp_year": subscription.card_exp_year,
    }


def _limit_facts(limit: Limit) -> dict[str, object]:
    window_s = int(limit.window.total_seconds()) if limit.window else None
    return {"meter": str(limit.meter), "models": limit.models, "amount": limit.amount, "window_s": window_s}
