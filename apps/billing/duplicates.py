"""A plan that was bought twice by mistake: the newest stays, the other ends and its money goes back.

Twice means: two subscriptions that our own Checkout sold to one account within two days, both running. What staff or
somebody in Stripe's Dashboard made is never ended by itself; it is only shown (`multiple_live`). The catalogue may ask
for that in every case, by `bought_twice = "tell"`.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog

from apps.accounts import audit
from apps.billing import outbox, refunds
from apps.billing.models import BillingAccount, StripeOutbox, SubscriptionMirror
from apps.billing.plans import catalogue
from apps.billing.stripe_facts import Subscription
from apps.core import guards

log = structlog.get_logger(__name__)
TOGETHER = timedelta(hours=48)  # a page at Stripe is open for a day; whoever buys again after two means it
RUNNING = ("active", "trialing")


def settle(account: BillingAccount, found: Iterable[Subscription], *, now: datetime) -> None:
    """Want the end of what was bought twice, and its money back. A step of a sync; repeating it changes nothing."""
    guards.inside_transaction()
    if catalogue().policy["bought_twice"] != "refund":
        return
    live = {row.pk: row for row in account.subscriptions.live()}
    sold = [one for one in found if one.id in live and one.account == str(account.pk) and one.status in RUNNING]
    # Of two in the same second the first: Stripe lists the newest first.
    newest = max(sold, key=lambda one: one.started_at, default=None)
    for one in sold:
        if newest is not None and one.id != newest.id and newest.started_at - one.started_at <= TOGETHER:
            _end(live[one.id], newest.id, now=now)


def _end(subscription: SubscriptionMirror, kept: str, *, now: datetime) -> None:
    if StripeOutbox.objects.filter(key=outbox.cancel_key(subscription.pk)).exists():
        return
    account = subscription.account
    outbox.cancel_subscription(subscription, now=now)
    paid = account.invoices.filter(stripe_subscription_id=subscription.pk, status="paid").order_by("created")
    requests = [refunds.give_back_bought_twice(invoice, now=now) for invoice in paid]
    facts = {
        "ended": subscription.pk,
        "kept": kept,
        "given_back_minor": sum(request.amount_minor for request in requests if request),
        "currency": subscription.currency,
    }
    audit.record(None, "subscription.bought_twice", subject=account.owner, details=facts, now=now)
    log.error("billing.bought_twice", account=str(account.pk), **facts)
