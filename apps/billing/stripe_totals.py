"""What Stripe's own objects add up to, read whole, so that our figures can be held against them. Writes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from apps.billing import mirror
from apps.billing.stripe_gateway import Gateway

SUCCEEDED = "succeeded"


@dataclass(frozen=True)
class Amount:
    """So much of one customer. `payment_intent` names a refund's payment, which knows its customer."""

    customer: str
    currency: str
    amount: int
    payment_intent: str = ""


def read_mrr(gateway: Gateway) -> Iterator[Amount]:
    """The MRR of each subscription to one of our plans, in micro-units a month. One page of a list at a time.

    Raises  PaymentsAway.
    """
    for found in gateway.list_subscriptions():
        if found.mrr_micro and any(mirror.find_plan(item.price) for item in found.items):
            yield Amount(found.customer, found.currency, found.mrr_micro)


def read_charged(gateway: Gateway, start: datetime, end: datetime) -> Iterator[Amount]:
    """Payments that succeeded, by when they were made; minor units.

    Raises  PaymentsAway.
    """
    for charge in gateway.list_charges(start, end):
        if charge.status == SUCCEEDED:
            yield Amount(charge.customer, charge.currency, charge.amount_minor, charge.payment_intent)


def read_refunded(gateway: Gateway, start: datetime, end: datetime) -> Iterator[Amount]:
    """Refunds that went through, by when they were made; minor units.

    Raises  PaymentsAway.
    """
    for refund in gateway.list_all_refunds(since=start):
        if refund.status == SUCCEEDED and refund.created < end:
            yield Amount("", refund.currency, refund.amount_minor, refund.payment_intent)
