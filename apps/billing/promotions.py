"""Promotion codes that come with a link: whether one works for this person and purchase, as Stripe has it now."""

from datetime import datetime

from apps.billing.errors import CodeRefused
from apps.billing.models import BillingAccount
from apps.billing.stripe_gateway import Gateway

LONGEST = 200


def find(account: BillingAccount, code: str, currency: str, gateway: Gateway, *, now: datetime) -> str:
    """Stripe's id of a code.

    Raises  CodeRefused: nobody knows it, it is over, or it is not for this person, currency or kind of purchase.
            PaymentsAway.
    """
    found = gateway.find_promotion(code) if len(code) <= LONGEST else None
    if found is None or not found.is_valid or (found.ends_at is not None and found.ends_at <= now):
        raise CodeRefused
    if found.customer and found.customer != account.stripe_customer_id:
        raise CodeRefused
    if found.currency and found.currency != currency:
        raise CodeRefused
    if found.is_for_newcomers and account.invoices.filter(status="paid", amount_paid_minor__gt=0).exists():
        raise CodeRefused
    return found.id
