"""One account, compared with Stripe exactly, and repaired."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from apps.billing import comparison, differences, meter_drift, outbox, sync
from apps.billing.differences import Difference
from apps.billing.errors import MissingAtStripe
from apps.billing.meter_drift import CountedMonth
from apps.billing.models import BillingAccount, DriftItem
from apps.billing.stripe_facts import Customer, Invoice, Subscription
from apps.billing.stripe_gateway import Gateway

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Truth:
    """What Stripe has of one account that is compared: of all its customers that are not deleted."""

    customers: tuple[Customer, ...]
    subscriptions: tuple[Subscription, ...]
    invoices: tuple[Invoice, ...]
    counted: tuple[CountedMonth, ...]  # of usage


def inspect(account: BillingAccount, gateway: Gateway, *, is_dry: bool, clock: Clock) -> list[Difference]:
    """Compare an account; unless dry, keep what differs, read all of it anew, and close what is right then.

    Effect  the network and acts of their own.
    Raises  PaymentsAway.
    """
    found = compare(account, read(account, gateway, now=clock()), now=clock())
    if is_dry:
        return found
    for difference in found:
        differences.see(difference, account, now=clock())
    repair(account, found, clock=clock)
    account.refresh_from_db()
    left = compare(account, read(account, gateway, now=clock()), now=clock()) if found else []
    close_others(account, left, now=clock())
    return found


def read(account: BillingAccount, gateway: Gateway, *, now: datetime) -> Truth:
    """Ask Stripe for what is compared.

    Raises  PaymentsAway.
    """
    former = account.former_customers.filter(gone_at=None, livemode=account.livemode).values_list("pk", flat=True)
    keys = [key for key in (account.stripe_customer_id, *former) if key]
    customers = tuple(filter(None, (_customer(key, gateway) for key in keys)))
    living = [customer.id for customer in customers if not customer.is_deleted]
    return Truth(
        customers,
        tuple(one for key in living for one in gateway.list_subscriptions(key)),
        tuple(one for key in living for one in gateway.list_invoices(key)),
        meter_drift.read(account, gateway, now=now),
    )


def compare(account: BillingAccount, truth: Truth, *, now: datetime) -> list[Difference]:
    """Everything in which the mirror and the access of an account differ from Stripe. Reads our tables only."""
    rows = account.invoices.in_bulk([invoice.id for invoice in truth.invoices])
    return [
        *comparison.of_subscriptions(account, truth.subscriptions),
        *comparison.of_access(account, truth.subscriptions, now=now),
        *(one for customer in truth.customers for one in comparison.of_customer(account, customer)),
        *(one for _invoice, one in comparison.of_invoices(rows, truth.invoices)),
        *meter_drift.compare(account, truth.counted, now=now),
    ]


def repair(account: BillingAccount, found: Iterable[Difference], *, clock: Clock) -> None:
    """Read all of an account anew; metadata that names another account is set right by the outbox. Acts."""
    with transaction.atomic(durable=True):
        for difference in found:
            if difference.kind == "metadata_mismatch":
                outbox.repair_metadata(account, difference.subject, now=clock())
    sync.want(account, is_full=True)
    sync.sync_customer(account.pk, clock=clock)
    outbox.send_due(clock=clock, kind=outbox.METADATA)


def close_others(account: BillingAccount, left: Iterable[Difference], *, now: datetime) -> None:
    """Close what an exact comparison did not find any more."""
    still = {(one.kind, one.subject) for one in left}
    for item in DriftItem.objects.filter(account=account, kind__in=comparison.OF_ACCOUNT, fixed_at=None):
        if (item.kind, item.subject) not in still:
            differences.close(item.kind, account, item.subject, now=now)


def _customer(key: str, gateway: Gateway) -> Customer | None:
    try:
        return gateway.fetch_customer(key)
    except MissingAtStripe:
        return None
