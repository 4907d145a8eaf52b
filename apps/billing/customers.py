"""Each account is one customer at Stripe, made when it first buys. One that is deleted there has a successor."""

from datetime import datetime

from django.db import transaction

from apps.billing import entitlements
from apps.billing.models import BillingAccount, FormerCustomer
from apps.billing.stripe_gateway import Gateway
from apps.core import guards


def ensure(account: BillingAccount, gateway: Gateway, *, key: str, now: datetime) -> str:
    """The account's customer at Stripe, made where there is none.

    key     of the attempt to buy: two clicks at once belong to one attempt, so Stripe makes one customer.
    Effect  the network, then an act.
    Raises  PaymentsAway, PaymentRefused.
    """
    account.refresh_from_db(fields=["stripe_customer_id", "customer_gone_at", "livemode"])
    livemode = entitlements.is_live()
    if account.stripe_customer_id and account.customer_gone_at is None and account.livemode == livemode:
        return account.stripe_customer_id
    before, was_live = account.stripe_customer_id, account.livemode
    made = _find_made(account, gateway) or gateway.create_customer(
        account.owner.email, str(account.pk), key=f"cus-create:{account.pk}:{key}"
    )
    with transaction.atomic(durable=True):
        mine = BillingAccount.objects.filter(pk=account.pk, stripe_customer_id=before)
        values = {"stripe_customer_id": made, "livemode": livemode, "customer_gone_at": None, "currency": ""}
        values["stripe_email"] = account.owner.email
        if mine.update(**values) and before:
            remember(account, before, livemode=was_live, now=now)
    account.refresh_from_db(fields=["stripe_customer_id", "customer_gone_at", "currency"])
    assert account.stripe_customer_id is not None  # noqa: S101 it was just written, here or by the other click
    return account.stripe_customer_id


def remember(account: BillingAccount, customer: str, *, livemode: bool, now: datetime) -> None:
    """Keep a customer that another one replaces: its late events and its money stay the account's. A step."""
    guards.inside_transaction()
    facts = {"account": account, "livemode": livemode, "replaced_at": now}
    FormerCustomer.objects.update_or_create(stripe_customer_id=customer, defaults=facts)


def adopt(account: BillingAccount, customer: str, *, now: datetime) -> None:
    """Give an account a customer that names it at Stripe: the answer that told us of it was lost. An act."""
    with transaction.atomic(durable=True):
        mine = BillingAccount.objects.select_for_update(no_key=True).get(pk=account.pk)
        if mine.stripe_customer_id is None or mine.customer_gone_at is not None:
            before, values = mine.stripe_customer_id, {"stripe_customer_id": customer, "customer_gone_at": None}
            values["stripe_email"] = mine.owner.email  # it was made with it
            BillingAccount.objects.filter(pk=mine.pk).update(**values)
            if before:
                remember(mine, before, livemode=mine.livemode, now=now)
        else:
            remember(mine, customer, livemode=mine.livemode, now=now)


def _find_made(account: BillingAccount, gateway: Gateway) -> str | None:
    """A customer that an earlier attempt made and whose answer never came: its key may be forgotten by now."""
    if account.checkout_attempts.count() <= 1:
        return None
    known = set(account.former_customers.values_list("pk", flat=True)) | {account.stripe_customer_id}
    made = gateway.list_customers(email=account.owner.email)
    return next((one.id for one in made if one.account == str(account.pk) and one.id not in known), None)
