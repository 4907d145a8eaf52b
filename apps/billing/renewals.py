"""What the next renewal will cost: asked of Stripe when something about it changed, and kept for the pages."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from apps.billing.errors import MissingAtStripe, PaymentRefused
from apps.billing.models import BillingAccount
from apps.billing.stripe_facts import Customer, Subscription
from apps.billing.stripe_gateway import Gateway

RENEWING = ("trialing", "active", "past_due")


@dataclass(frozen=True)
class Renewal:
    """The next renewal in minor units. `digest` names what it follows from; `amount_minor` None: Stripe cannot say."""

    digest: str
    amount_minor: int | None = None
    tax_minor: int = 0


NONE = Renewal("")


def fetch(
    account: BillingAccount,
    customer: Customer,
    subscriptions: Iterable[Subscription],
    gateway: Gateway,
    go_on: Callable[[], None],
) -> Mapping[str, Renewal]:
    """Subscription → its next renewal, of those about which something changed since we last asked.

    go_on   called before each question, see `fetching.fetch`.
    Raises  PaymentsAway.
    """
    known = dict(account.subscriptions.values_list("stripe_subscription_id", "renewal_digest"))
    found = {}
    for subscription in subscriptions:
        digest = _digest(subscription, customer)
        if known.get(subscription.id, "") != digest:
            go_on()
            found[subscription.id] = _ask(subscription, digest, gateway) if digest else NONE
    return found


def _ask(subscription: Subscription, digest: str, gateway: Gateway) -> Renewal:
    try:
        preview = gateway.preview_renewal(subscription.id, subscription.schedule)
    except (MissingAtStripe, PaymentRefused):  # nothing will be invoiced, or not before an address is known
        return Renewal(digest)
    return Renewal(digest, preview.due_minor, preview.tax_minor)


def _digest(subscription: Subscription, customer: Customer) -> str:
    """A name for all that the amount follows from; empty where nothing renews."""
    ends = subscription.cancel_at_period_end or subscription.cancel_at is not None
    if subscription.status not in RENEWING or ends:
        return ""
    facts = [
        [[item.price.id, item.quantity] for item in subscription.items],
        subscription.period_end,
        subscription.coupons,
        [subscription.schedule, subscription.planned, subscription.has_tax],
        customer.balance_minor,
    ]
    return hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()
