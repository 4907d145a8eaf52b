"""Events from Stripe are hints: verified, stored once, and turned into the wish to look."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction

from apps.billing import entitlements, leases, stripe_gateway
from apps.billing.errors import ForgedEvent
from apps.billing.models import BillingAccount, InvoiceMirror, StripeEvent, SubscriptionMirror
from apps.billing.stripe_facts import Event

log = structlog.get_logger(__name__)
State = StripeEvent.State
LARGEST_BYTES = 1024 * 1024
PATIENCE = timedelta(days=1)  # how long an event waits for the account that it is about
BATCH = 500
LET_ANYBODY_IN = frozenset({"url", "hosted_invoice_url", "invoice_pdf", "receipt_url", "client_secret"})


def store(raw_body: bytes, signature: str, *, now: datetime) -> None:
    """Verify one delivery and keep it. The same event again changes nothing.

    Effect  an act: the event's row, and the account's counter raised; a job is nudged after the commit.
    Raises  ForgedEvent: not signed by one of our secrets, five minutes off either way, too large, or not an event.
    """
    if len(raw_body) > LARGEST_BYTES:
        raise ForgedEvent
    keep(stripe_gateway.read_event(raw_body, signature, settings.STRIPE_WEBHOOK_SECRETS, now=now), now=now)


def keep(event: Event, *, now: datetime) -> bool:
    """Keep an event that is known to be Stripe's; say whether it was new. An act."""
    if event.livemode != entitlements.is_live():
        log.error("stripe.wrong_mode", event_id=event.id, livemode=event.livemode)
        return False
    if event.api_version not in ("", stripe_gateway.API_VERSION):
        log.warning("stripe.other_version", event_id=event.id, api_version=event.api_version)
    with transaction.atomic(durable=True):
        account = _account_of(event)  # locked: of two deliveries at the same moment, one sees the other's row
        if StripeEvent.objects.filter(pk=event.id).exists():
            return False
        StripeEvent.objects.bulk_create([_row(event, account, now=now)], ignore_conflicts=True)
        if account is not None:
            leases.want_sync(account.pk)
    return True


def match_waiting(*, now: datetime) -> int:
    """Look again for the accounts of events that came before them; the number that was found. An act.

    Those that waited a day belong to nobody here.
    """
    found = 0
    with transaction.atomic(durable=True):
        waiting = StripeEvent.objects.filter(state=State.STORED).exclude(customer="")
        for event in waiting.order_by("received_at")[:BATCH]:
            account = BillingAccount.objects.filter(stripe_customer_id=event.customer, livemode=event.livemode).first()
            if account is not None and not leases.is_wanted(account.pk):
                leases.want_sync(account.pk)
                found += 1
        waiting.filter(received_at__lt=now - PATIENCE).update(state=State.IGNORED)
    return found


def _account_of(event: Event) -> BillingAccount | None:
    """The account an event is about, by its customer or by an object that is mirrored; locked."""
    if event.customer:
        accounts = BillingAccount.objects.filter(stripe_customer_id=event.customer, livemode=event.livemode)
    else:
        owners = [
            *SubscriptionMirror.objects.filter(pk=event.object_id).values_list("account_id", flat=True),
            *InvoiceMirror.objects.filter(pk=event.object_id).values_list("account_id", flat=True),
        ]
        accounts = BillingAccount.objects.filter(pk__in=owners)
    found: BillingAccount | None = accounts.select_for_update(no_key=True).first()
    return found


def _row(event: Event, account: BillingAccount | None, *, now: datetime) -> StripeEvent:
    customer = event.customer or (account.stripe_customer_id if account else "") or ""
    has_left = account is not None and account.erased_at is not None
    return StripeEvent(
        id=event.id,
        type=event.type,
        object_id=event.object_id,
        customer=customer,
        livemode=event.livemode,
        api_version=event.api_version,
        created=event.created,
        received_at=now,
        payload=None if has_left else _harmless(event.payload),
        state=State.STORED if customer else State.IGNORED,
    )


def _harmless(value: object) -> object:
    """A payload without the addresses and secrets that would let whoever reads it into somebody's pages."""
    if isinstance(value, Mapping):
        return {key: None if key in LET_ANYBODY_IN else _harmless(inner) for key, inner in value.items()}
    return [_harmless(inner) for inner in value] if isinstance(value, list) else value
