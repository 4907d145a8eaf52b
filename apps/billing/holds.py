"""What stops all that an account has, whatever is paid: a payment that is disputed, or staff's word."""

from datetime import datetime

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts import audit
from apps.accounts.models import User
from apps.billing import differences, entitlements, outbox
from apps.billing.differences import Difference
from apps.billing.errors import NotHoldable
from apps.billing.models import BillingAccount, DisputeMirror
from apps.core import guards

log = structlog.get_logger(__name__)
DISPUTE, STAFF = "dispute", "staff"
UNDECIDED = ("needs_response", "under_review", "warning_needs_response", "warning_under_review")
LOST = "lost"
TO_ANSWER = "dispute"  # the kind of a difference: somebody must look at Stripe, by a day that Stripe names
ENDED = ("canceled", "incomplete_expired")


def reason_of(account: BillingAccount) -> str:
    """Why the account has only the default plan; empty: nothing holds it.

    A dispute holds from its beginning until it is won, withdrawn or prevented; one that is lost, until staff lift it.
    """
    if any(_holds(account, dispute) for dispute in account.disputes.all()):
        return DISPUTE
    return STAFF if account.staff_hold_at else ""


def follow_disputes(account: BillingAccount, *, now: datetime) -> None:
    """Tell staff of what waits for an answer, and end what was bought where a dispute is lost. A step of a sync."""
    guards.inside_transaction()
    disputes = list(account.disputes.all())
    for dispute in disputes:
        if dispute.status in UNDECIDED:
            due = f"{dispute.status}, answer by {dispute.evidence_due_by:%Y-%m-%d}" if dispute.evidence_due_by else ""
            differences.note(Difference(TO_ANSWER, dispute.pk, stripe=due or dispute.status), account, now=now)
        else:
            differences.close(TO_ANSWER, account, dispute.pk, now=now)
    if any(dispute.status == LOST and _holds(account, dispute) for dispute in disputes):
        for subscription in account.subscriptions.filter(gone_at=None, ended_at=None).exclude(status__in=ENDED):
            outbox.cancel_subscription(subscription, now=now)


def has_lost(account: BillingAccount) -> bool:
    """Whether a payment was taken back by a bank for good: no trial is given after that."""
    found: bool = account.disputes.filter(status=LOST).exists()
    return found


def place(account: BillingAccount, *, reason: str, by: User | None, now: datetime) -> None:
    """Stop what an account has, in staff's name.

    Effect  an act: the hold, the access that follows, an audit entry. What is subscribed goes on being billed.
    Raises  NotHoldable: no reason is said. Repeat: the hold that is there stays.
    """
    _change(account, "account.hold", reason, by, {"staff_hold_at": now}, now=now)


def lift(account: BillingAccount, *, reason: str, by: User | None, now: datetime) -> None:
    """Give an account back what it has: staff's hold, and that of every dispute until now.

    Effect  an act, as `place`. Raises: NotHoldable.
    """
    _change(account, "account.lift", reason, by, {"staff_hold_at": None, "disputes_settled_at": now}, now=now)


def _change(
    account: BillingAccount,
    action: str,
    reason: str,
    by: User | None,
    values: dict[str, datetime | None],
    *,
    now: datetime,
) -> None:
    if not reason.strip():
        raise NotHoldable(_("Please say why; the reason is kept in the audit log."), field="reason")
    with transaction.atomic(durable=True):
        held = BillingAccount.objects.select_for_update(no_key=True).get(pk=account.pk)
        for name, value in values.items():
            setattr(held, name, value)
        held.hold_reason = reason_of(held)
        held.save(update_fields=[*values, "hold_reason"])
        entitlements.refresh(held, now=now)
        audit.record(by, action, subject=held.owner, reason=reason, details={"hold": held.hold_reason}, now=now)
    log.info(action, account=str(account.pk))


def _holds(account: BillingAccount, dispute: DisputeMirror) -> bool:
    settled = account.disputes_settled_at
    return dispute.status in (*UNDECIDED, LOST) and (settled is None or dispute.created > settled)
