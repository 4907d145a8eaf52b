"""Where Stripe writes to: a customer's address follows that of the person, who may change it at any time."""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from apps.billing import outbox
from apps.billing.models import BillingAccount, StripeOutbox

BATCH = 500


def want_told(*, now: datetime) -> int:
    """Want Stripe to learn of addresses that changed; say how many accounts that are. An act.

    Repeat  one wish at a time waits for an account; an address counts as told when Stripe took it.
    """
    at_stripe = BillingAccount.objects.filter(stripe_customer_id__isnull=False, customer_gone_at=None, erased_at=None)
    stale = at_stripe.filter(owner__is_active=True).exclude(stripe_email__in=["", F("owner__email")])
    with transaction.atomic(durable=True):
        return sum(outbox.add(outbox.ADDRESS, _key(account), {}, account, now=now) for account in stale[:BATCH])


def _key(account: BillingAccount) -> str:
    """The number of the change, so that an address somebody goes back to is told again."""
    earlier = StripeOutbox.objects.filter(account=account, kind=outbox.ADDRESS)
    number = earlier.exclude(state=StripeOutbox.State.PENDING).count() + 1
    return f"address:{account.pk}:{number}"
