"""What was missed is found again: lost nudges, lost deliveries, forgotten payment pages, plans that ran out."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import F, Q

from apps.billing import (
    addresses,
    change_requests,
    entitlements,
    inbox,
    leases,
    letters,
    outbox,
    plans,
    reminders,
    shelf,
    stripe_gateway,
)
from apps.billing.errors import PaymentsAway
from apps.billing.models import (
    BillingAccount,
    CheckoutAttempt,
    EntitlementSnapshot,
    ReadMark,
    Reconciliation,
    StripeEvent,
)
from apps.core import jobs

OPEN_LONG = timedelta(minutes=5)
LOOK_AGAIN = timedelta(minutes=10)
LOOK_BACK = timedelta(hours=1)
PAYLOADS_KEPT = timedelta(days=30)
BATCH = 500
REMINDED = "billing:reminded"
EVENTS = "events"
FIRST_TIME = timedelta(days=1)


def catch_up(*, clock: Callable[[], datetime]) -> dict[str, int]:
    """Do all of it; what was found, by kind. Stripe being away is no reason to leave out the rest."""
    found = {
        "attempts": _look_at_attempts(now=clock()),
        "waiting": inbox.match_waiting(now=clock()),
        "deliveries": _read_lost_events(now=clock()),
        "shelf": _read_shelf(now=clock()),
        "wanted": _nudge_wanted(),
        "reconciliations": _nudge_reconciliation(now=clock()),
        "run_out": _decide_again(now=clock()),
        "reminders": _remind(now=clock()),
        "changes": change_requests.send_forgotten(clock=clock),
        "addresses": addresses.want_told(now=clock()),
        "sent": outbox.send_due(clock=clock),
    }
    old = StripeEvent.objects.filter(received_at__lt=clock() - PAYLOADS_KEPT, payload__isnull=False)
    return {**found, "payloads_dropped": old.update(payload=None)}


def _look_at_attempts(*, now: datetime) -> int:
    """Payment pages that are open for long: were they paid, and nobody told us?"""
    attempts = CheckoutAttempt.objects.filter(state=CheckoutAttempt.State.OPEN)
    attempts.filter(session_id="", expires_at__lte=now).update(state=CheckoutAttempt.State.EXPIRED)
    is_due = Q(account__last_synced_at=None) | Q(account__last_synced_at__lt=now - LOOK_AGAIN)
    waiting = attempts.filter(is_due, created_at__lt=now - OPEN_LONG).exclude(session_id="")
    accounts = list(waiting.values_list("account_id", flat=True)[:BATCH])
    with transaction.atomic(durable=True):
        for account_id in accounts:
            if not leases.is_wanted(account_id):
                leases.want_sync(account_id)
    return len(accounts)


def _read_lost_events(*, now: datetime) -> int:
    """Every ten minutes: what Stripe says it sent since the last event that it told us of in this way.

    The mark is in Stripe's clock and moves only when a list was read to its end and kept; an event from the future, as
    test clocks make them, does not move it beyond our own time, which signatures hold to within five minutes of theirs.
    """
    if not settings.STRIPE_SECRET_KEY or not plans.catalogue().sells:
        return 0
    mark, _is_new = ReadMark.objects.get_or_create(name=EVENTS)
    is_free = Q(taken_at=None) | Q(taken_at__lte=now - LOOK_AGAIN)
    if not ReadMark.objects.filter(is_free, pk=EVENTS).update(taken_at=now):
        return 0
    since = min(mark.seen_until or now - FIRST_TIME, now) - LOOK_BACK
    try:
        events = list(stripe_gateway.background().list_events(since=since))
    except PaymentsAway:
        return 0
    kept = sum(inbox.keep(event, now=now) for event in reversed(events))
    newest = min(max((event.created for event in events), default=now), now)
    ReadMark.objects.filter(pk=EVENTS).update(seen_until=newest)
    return kept


def _read_shelf(*, now: datetime) -> int:
    try:
        return shelf.read_waiting(now=now)
    except PaymentsAway:
        return 0


def _decide_again(*, now: datetime) -> int:
    """Snapshots whose time is over: what is read from the facts until now becomes the next row."""
    accounts = list(EntitlementSnapshot.objects.all().run_out(at=now).values_list("account_id", flat=True)[:BATCH])
    for account_id in accounts:
        with transaction.atomic(durable=True):
            account = BillingAccount.objects.select_for_update(no_key=True).get(pk=account_id)
            before = account.snapshots.select_related("plan_version").order_by("-version").first()
            snapshot = entitlements.refresh(account, now=now)
            if snapshot is not None:
                letters.want_for_access(account, before, snapshot, now=now)
    return len(accounts)


def _remind(*, now: datetime) -> int:
    """Every ten minutes: letters about what is about to happen."""
    if not cache.add(REMINDED, "taken", timeout=LOOK_AGAIN.total_seconds()):
        return 0
    return reminders.remind(now=now)


def _nudge_reconciliation(*, now: datetime) -> int:
    """A comparison that stopped half-way goes on; one that somebody works on says so all the time."""
    is_free = Q(turn_until=None) | Q(turn_until__lt=now)
    left = Reconciliation.objects.filter(is_free, finished_at=None).count()
    if left:
        jobs.enqueue("billing.reconcile")
    return left


def _nudge_wanted() -> int:
    """Accounts whose counter says that somebody should look, and whose nudge may be lost."""
    wanted = BillingAccount.objects.all().in_need_of_sync().order_by(F("last_synced_at").asc(nulls_first=True))
    keys = list(wanted.values_list("pk", flat=True)[:BATCH])
    for account_id in keys:
        jobs.enqueue("billing.sync_customer", str(account_id))
    return len(keys)
