"""Each account is one customer at Stripe, made when it first buys. One that is deleted there has a successor."""

from django.db import transaction
from django.db.models import Q

from apps.billing import entitlements
from apps.billing.models import BillingAccount
from apps.billing.stripe_gateway import Gateway


def ensure(account: BillingAccount, gateway: Gateway, *, key: str) -> str:
    """The account's customer at Stripe, made where there is none.

    key     of the attempt to buy: two clicks at once belong to one attempt, so Stripe makes one customer.
    Effect  the network, then an act.
    Raises  PaymentsAway, PaymentRefused.
    """
    account.refresh_from_db(fields=["stripe_customer_id", "customer_gone_at", "livemode"])
    livemode = entitlements.is_live()
    if account.stripe_customer_id and account.customer_gone_at is None and account.livemode == livemode:
        return account.stripe_customer_id
    before = account.stripe_customer_id
    made = gateway.create_customer(account.owner.email, str(account.pk), key=f"cus-create:{account.pk}:{key}")
    with transaction.atomic(durable=True):
        unchanged = Q(stripe_customer_id=before)
        BillingAccount.objects.filter(unchanged, pk=account.pk).update(
            stripe_customer_id=made, livemode=livemode, customer_gone_at=None, currency=""
        )
    account.refresh_from_db(fields=["stripe_customer_id", "customer_gone_at", "currency"])
    assert account.stripe_customer_id is not None  # noqa: S101 it was just written, here or by the other click
    return account.stripe_customer_id
