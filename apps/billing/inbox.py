"""Events from Stripe are hints: verified, stored once, and turned into the wish to look."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DataError, transaction
from django.db.models import Q

from apps.billing import entitlements, gauges, leases, shelf, stripe_gateway
from apps.billing.errors import ForgedEvent
from apps.billing.models import (
    BillingAccount,
    CheckoutAttempt,
    DisputeMirror,
    FormerCustomer,
    InvoiceMirror,
    PaymentMirror,
    RefundMirror,
    StripeEvent,
    SubscriptionMirror,
)
from apps.billing.stripe_facts import Event
from apps.core import jobs

log = structlog.get_logger(__name__)
State = StripeEvent.State
LARGEST_BYTES = 1024 * 1024
PATIENCE = timedelta(days=1)  # how long an event waits for the account that it is about
BATCH = 500
MONEY = ("charge.", "refund.", "invoice_payment.")  # may come without a customer, before the payment is mirrored
LET_ANYBODY_IN = frozenset({"url", "hosted_invoice_url", "invoice_pdf", "receipt_url", "client_secret"})


def store(raw_body: bytes, signature: str, *, now: datetime) -> None:
    """Verify one delivery and keep it. The same event again changes nothing.

    Effect  an act: the event's row, and the account's counter raised; a job is nudged after the commit.
    Raises  ForgedEvent: not signed by one of our secrets, five minutes off either way, too large, or not an event.
    """
    try:
        if len(raw_body) > LARGEST_BYTES:
            raise ForgedEvent
        event, secret = stripe_gateway.read_event(raw_body, signature, settings.STRIPE_WEBHOOK_SECRETS, now=now)
        is_new = keep(event, now=now)
    except (ForgedEvent, DataError, RecursionError) as error:  # signed, and yet nothing that a row can hold
        gauges.deliveries.labels("refused").inc()
        raise ForgedEvent from error
    gauges.count_secret(secret)
    gauges.deliveries.labels("new" if is_new else "repeated").inc()


def keep(event: Event, *, now: datetime) -> bool:
    """Keep an event that is known to be Stripe's; say whether it was new. An act."""
    if event.livemode != entitlements.is_live():
        gauges.wrong_mode.inc()
        log.error("stripe.wrong_mode", event_id=event.id, livemode=event.livemode)
        return False
    if event.api_version not in ("", stripe_gateway.API_VERSION):
        gauges.other_version.inc()
        log.error("stripe.other_version", event_id=event.id, version=event.api_version, ours=stripe_gateway.API_VERSION)
    with transaction.atomic(durable=True):
        account = _account_of(event)  # locked: of two deliveries at the same moment, one sees the other's row
        if StripeEvent.objects.filter(pk=event.id).exists():
            return False
        StripeEvent.objects.bulk_create([_row(event, account, now=now)], ignore_conflicts=True)
        if account is not None:
            leases.want_sync(account.pk)
        elif event.type.startswith(shelf.TYPES):
            jobs.enqueue("billing.read_shelf")
    return True


def match_waiting(*, now: datetime) -> int:
    """Look again for the accounts of events that came before them; the number that was found. An act.

    Those that waited a day belong to nobody here.
    """
    found = 0
    with transaction.atomic(durable=True):
        of_shelf = Q(type__startswith=shelf.TYPES[0]) | Q(type__startswith=shelf.TYPES[1])
        waiting = StripeEvent.objects.filter(~of_shelf, state=State.STORED, account=None)
        for row in waiting.order_by("received_at")[:BATCH]:
            account = _owner_of(row.customer, row.mentions, livemode=row.livemode)
            if account is not None:
                StripeEvent.objects.filter(pk=row.pk).update(account=account)
                leases.want_sync(account.pk)
                found += 1
        waiting.filter(received_at__lt=now - PATIENCE).update(state=State.IGNORED)
    return found


def _account_of(event: Event) -> BillingAccount | None:
    return _owner_of(event.customer, event.mentions, livemode=event.livemode)


def _owner_of(customer: str, mentions: Collection[str], *, livemode: bool) -> BillingAccount | None:
    """The account an event is about, by its customer, now or before, or by an object that is mirrored; locked."""
    accounts = BillingAccount.objects.select_for_update(no_key=True, of=("self",))
    found: BillingAccount | None = None
    if customer:
        found = accounts.filter(stripe_customer_id=customer, livemode=livemode).first()
        former = FormerCustomer.objects.filter(pk=customer, livemode=livemode).values("account")
        return found or accounts.filter(pk__in=former).first()
    if mentions:
        owners = _owners(list(mentions))
        found = accounts.filter(pk__in=owners).first() if owners else None
    return found


def _owners(keys: list[str]) -> list[UUID]:
    """Accounts of which something with one of these ids is mirrored: one query, for any kind of object."""
    kinds = (
        SubscriptionMirror.objects.filter(pk__in=keys),
        InvoiceMirror.objects.filter(pk__in=keys),
        PaymentMirror.objects.filter(Q(pk__in=keys) | Q(stripe_charge_id__in=keys)),
        RefundMirror.objects.filter(pk__in=keys),
        DisputeMirror.objects.filter(pk__in=keys),
        CheckoutAttempt.objects.filter(session_id__in=keys),
    )
    first, *others = (rows.order_by().values_list("account_id", flat=True) for rows in kinds)
    return list(first.union(*others))


def _row(event: Event, account: BillingAccount | None, *, now: datetime) -> StripeEvent:
    has_left = account is not None and account.erased_at is not None
    may_matter = account is not None or event.customer or event.type.startswith(shelf.TYPES + MONEY)
    return StripeEvent(
        id=event.id,
        type=event.type,
        object_id=event.object_id,
        customer=event.customer or (account and account.stripe_customer_id) or "",
        livemode=event.livemode,
        api_version=event.api_version,
        created=event.created,
        received_at=now,
        payload=None if has_left else _harmless(event.payload),
        account=account,
        mentions=sorted(event.mentions),
        state=State.STORED if may_matter else State.IGNORED,
    )


def _harmless(value: object) -> object:
    """A payload without the addresses and secrets that would let whoever reads it into somebody's pages."""
    if isinstance(value, Mapping):
        return {key: None if key in LET_ANYBODY_IN else _harmless(inner) for key, inner in value.items()}
    return [_harmless(inner) for inner in value] if isinstance(value, list) else value
