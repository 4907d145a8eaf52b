"""The one way in which Stripe's truth becomes ours: lease, fetch, apply. Nobody else writes the mirror."""

from collections.abc import Callable
from datetime import datetime
from time import monotonic, sleep
from uuid import UUID

import structlog
from django.db import transaction

from apps.billing import (
    change_requests,
    credit_mirror,
    differences,
    duplicates,
    entitlements,
    holds,
    leases,
    letters,
    mirror,
    money_mirror,
    refunds,
    stripe_gateway,
)
from apps.billing.differences import Difference
from apps.billing.errors import PaymentsAway
from apps.billing.fetching import Found, fetch
from apps.billing.leases import Lease, LeaseLost
from apps.billing.models import BillingAccount, CheckoutAttempt, StripeEvent
from apps.core import guards

log = structlog.get_logger(__name__)
Clock = Callable[[], datetime]
ROUNDS = 3  # something may happen at Stripe while we look; then we look again, but not for ever
LOOK_AGAIN_S = 0.05
LATE = ("past_due", "unpaid")


class OverBudget(Exception):
    """A person waits: better to say “confirming” than to go on."""


def sync_customer(account_id: UUID, *, clock: Clock, budget_s: float | None = None) -> bool:
    """Fetch what Stripe knows of an account and apply it, until nothing is wanted; say whether that was reached.

    budget_s  how long a person may wait; None for a job, which takes its time.
    Effect    acts of their own. Nobody else fetches or applies meanwhile, so the last fetch is the latest truth.
    Raises    PaymentsAway: Stripe does not answer. With a budget the answer is False instead.
    """
    if not BillingAccount.objects.filter(pk=account_id).exists():
        return True
    deadline = monotonic() + budget_s if budget_s is not None else None
    for _round in range(ROUNDS):
        lease = _take_turn(account_id, clock, deadline)
        if lease is None:
            return deadline is not None and not leases.is_wanted(account_id)
        try:
            _look(lease, clock, deadline)
        except (LeaseLost, OverBudget):
            return False
        except PaymentsAway:
            if budget_s is None:
                raise
            return False
        finally:
            lease.give_back()
        if not leases.is_wanted(account_id):
            return True
    return False


def _take_turn(account_id: UUID, clock: Clock, deadline: float | None) -> Lease | None:
    """The lease; None when somebody else has it. With a deadline, wait that long for it, or for the other to finish.

    The job that a webhook nudged often comes a moment before the person who returns from paying: what it fetches is
    what the person wants to know.
    """
    lease = leases.claim(account_id, now=clock())
    while lease is None and deadline is not None and monotonic() < deadline and leases.is_wanted(account_id):
        sleep(LOOK_AGAIN_S)
        lease = leases.claim(account_id, now=clock())
    return lease


def want(account: BillingAccount, *, is_full: bool = False) -> None:
    """Say durably that Stripe should be looked at, and nudge the job. An act.

    is_full  at every invoice, not only at those to which something may have happened.
    """
    with transaction.atomic(durable=True):
        if is_full:
            BillingAccount.objects.filter(pk=account.pk).update(read_in_full_at=None)
        leases.want_sync(account.pk)


def _look(lease: Lease, clock: Clock, deadline: float | None) -> None:
    def go_on() -> None:
        if deadline is not None and monotonic() > deadline:
            raise OverBudget
        lease.renew(now=clock())

    gateway = stripe_gateway.background() if deadline is None else stripe_gateway.brisk()
    account = BillingAccount.objects.get(pk=lease.account_id)
    found = fetch(account, gateway, go_on)
    apply(lease, account.stripe_customer_id, found, now=clock())


def apply(lease: Lease, customer: str | None, found: Found, *, now: datetime) -> None:
    """Write all of it, or nothing: mirror, standing, access, letters. An act.

    customer  whom `found` is about.
    Raises    LeaseLost: somebody else fetches now, or the account has another customer by now.
    """
    with transaction.atomic(durable=True):
        account = BillingAccount.objects.select_for_update(no_key=True).get(pk=lease.account_id)
        if account.sync_lease_until != lease.until or account.stripe_customer_id != customer:
            raise LeaseLost
        before = letters.see(account)
        mirror.write_subscriptions(account, found.subscriptions, found.card, now=now)
        mirror.write_renewals(account, found.renewals)
        money_mirror.write_invoices(account, found.invoices, found.missing_invoices, now=now)
        money_mirror.write_loose_payments(account, found.credit.charges, now=now)
        money_mirror.write_money_back(account, found.refunds, found.disputes, now=now)
        money_mirror.write_credit_notes(account, found.credit_notes, now=now)
        _write_standing(account, found, now=now)
        _write_access(account, now=now)
        duplicates.settle(account, found.subscriptions, now=now)
        letters.want_for_changes(account, before, now=now)
        _close_attempts(account, found)
        change_requests.settle(account, began=lease.began, now=now)
        credit_mirror.write(account, found.credit, found.disputes, now=now)
        handled = account.events.filter(state=StripeEvent.State.STORED, received_at__lte=lease.began)
        handled.update(state=StripeEvent.State.HANDLED, handled_at=now)
        BillingAccount.objects.filter(pk=account.pk).update(
            sync_done_seq=lease.want, last_synced_at=now, sync_lease_until=None
        )


def _write_standing(account: BillingAccount, found: Found, *, now: datetime) -> None:
    """What of the account itself follows from the mirror: currency, unpaid bills, holds, a used trial."""
    guards.inside_transaction()
    has_trial = any(subscription.trial_end for subscription in found.subscriptions) or holds.has_lost(account)
    is_gone = found.customer.is_deleted and account.stripe_customer_id is not None
    values = {
        "currency": found.customer.currency or account.currency,
        "delinquent_since": _delinquent_since(account, now=now),
        "hold_reason": holds.reason_of(account),
        "trial_consumed_at": account.trial_consumed_at or (now if has_trial else None),
        "customer_gone_at": (account.customer_gone_at or now) if is_gone else None,
        "read_in_full_at": account.read_in_full_at or (now if found.is_full else None),
    }
    account.former_customers.filter(pk__in=found.gone).update(gone_at=now)
    changed = {name: value for name, value in values.items() if getattr(account, name) != value}
    for name, value in changed.items():
        setattr(account, name, value)
    if changed:
        account.save(update_fields=list(changed))
    holds.follow_disputes(account, now=now)
    refunds.follow(account, now=now)


def _delinquent_since(account: BillingAccount, *, now: datetime) -> datetime | None:
    """First failed attempt of the open invoices of subscriptions that are late; None when all is paid."""
    late = list(account.subscriptions.live().filter(status__in=LATE).values_list("pk", flat=True))
    if not late:
        return None
    invoices = account.invoices.filter(status="open", stripe_subscription_id__in=late)
    failed = [invoice.first_failed_at for invoice in invoices if invoice.first_failed_at]
    return min(failed, default=account.delinquent_since or now)


def _write_access(account: BillingAccount, *, now: datetime) -> None:
    """Decide anew; a decision that differs is a new snapshot, and the letter it calls for."""
    live = list(account.subscriptions.live())
    if len(live) > 1:
        keys = ", ".join(sorted(subscription.pk for subscription in live))
        differences.note(Difference("multiple_live", str(account.pk), stripe=keys), account, now=now)
    else:
        differences.close("multiple_live", account, str(account.pk), now=now)
    before = account.snapshots.select_related("plan_version").order_by("-version").first()
    snapshot = entitlements.refresh(account, now=now)
    if snapshot is not None:
        letters.want_for_access(account, before, snapshot, now=now)


def _close_attempts(account: BillingAccount, found: Found) -> None:
    states = {"complete": CheckoutAttempt.State.COMPLETE, "expired": CheckoutAttempt.State.EXPIRED}
    for session, status in found.sessions.items():
        if status in states:
            attempts = account.checkout_attempts.filter(session_id=session, state=CheckoutAttempt.State.OPEN)
            attempts.update(state=states[status])
