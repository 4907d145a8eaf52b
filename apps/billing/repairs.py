"""What staff do about a difference: have it repaired, or close it with a reason. Both are written down."""

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts import audit
from apps.accounts.models import User
from apps.billing import drift, meter_drift, shelf
from apps.billing.errors import ReasonMissing
from apps.billing.models import DriftItem, StripeOutbox
from apps.core import jobs

UNSENT = ("outbox_dead", "unsent_outbox")
RESYNC = _("Repairing reads the account anew from Stripe. It stays open only if Stripe still says something else.")
# What a kind means, and what to do where a repair does not help.
ADVICE: Mapping[str, Promise] = {
    "missing_locally": RESYNC,
    "missing_in_stripe": RESYNC,
    "status": RESYNC,
    "quantity": RESYNC,
    "period": RESYNC,
    "invoice": RESYNC,
    "refund": RESYNC,
    "dispute": RESYNC,
    "entitlement_mismatch": _("The plan in force does not follow from the subscription. Repairing decides anew."),
    "unprocessed_events": _("Events wait for more than an hour. If repairing does not help, the workers are down."),
    "multiple_live": _(
        "The person pays for several plans. Cancel what is too much, and give the money back, at the account."
    ),
    "unknown_price": _(
        "The subscription has a Price that the catalogue does not know; the last known plan stays. Give it a Price"
        " of ours in Stripe, or put the Price under one of our products."
    ),
    "price": _("The catalogue sells this and Stripe does not. Activate the Price in Stripe, or publish the catalogue."),
    "orphan_customer": _(
        "A customer at Stripe pays and belongs to nobody here. Write the account's id into its metadata, as"
        " “account_id”, and repair; or cancel and give the money back in Stripe."
    ),
    "metadata_mismatch": _("Stripe names another account than ours. Repairing writes ours there."),
    "livemode_mismatch": _("The account was bought with another kind of key than the one that is set now."),
    "outbox_dead": _("Stripe refused this for good. Set right what its reason says, and repair to try again."),
    "unsent_outbox": _("This is tried again and again for more than an hour. Repairing tries at once."),
    "unsent_meter_events": _(
        "Usage waits for more than an hour to be told to Stripe, or Stripe refused it: it is on no bill. Set right what"
        " the rows say, under “Meter outboxes”; repairing tells it at once."
    ),
    "meter_total_mismatch": _(
        "In a month that is billed, Stripe counted something else than we told it. Compare the rows of that month with"
        " the meter in Stripe's Dashboard; give back what was billed too much, at the account."
    ),
    "meter_refused": _("Stripe refused to count this, or nobody knows whether it did. See what is not told."),
    "credit_not_granted": _(
        "A payment for credit that nobody could be given: the account's credit is in another currency, or the person"
        " has left. Give the money back, at the account or in Stripe."
    ),
    "webhook_lag": _("Deliveries come late. Look at the endpoint in Stripe's Dashboard and at the workers' queue."),
    "stuck_reservations": _("Something is set aside that no sweeper gave back: the sweeper does not run."),
}


def ask(item: DriftItem, *, by: User, now: datetime) -> None:
    """Have a difference repaired by a worker. An act: the audit entry, and what is tried again at once."""
    with transaction.atomic(durable=True):
        audit.record(by, "drift.repair", subject=_owner(item), details=_facts(item), now=now)
        if item.kind in UNSENT:
            rows = StripeOutbox.objects.filter(pk=item.subject).exclude(state=StripeOutbox.State.DONE)
            rows.update(state=StripeOutbox.State.PENDING, attempts=0, next_at=now, error="")
            DriftItem.objects.filter(pk=item.pk).update(fixed_at=now)
            jobs.enqueue("billing.send_outbox")
        elif item.kind == meter_drift.UNSENT and item.account is not None:
            meter_drift.tell_again(item.account, now=now)
            jobs.enqueue("billing.report_usage")
        else:
            jobs.enqueue("billing.repair", str(item.pk))


def perform(item_id: UUID, *, clock: Callable[[], datetime]) -> None:
    """Repair a difference that is open.

    Effect  the network, and acts of their own. Repeat: finds nothing to do.
    Raises  PaymentsAway.
    """
    item = DriftItem.objects.filter(pk=item_id, fixed_at=None).select_related("account").first()
    if item is None:
        return
    if item.account is not None:
        drift.reconcile(item.account.pk, is_dry=False, clock=clock)
    elif item.kind == shelf.OFF_SALE:
        shelf.read(now=clock())
    else:
        jobs.enqueue("billing.reconcile")


def close(item: DriftItem, *, reason: str, by: User, now: datetime) -> None:
    """Close a difference that a person has dealt with. It comes back if the next comparison finds it again. An act.

    Raises  ReasonMissing.
    """
    if not reason.strip():
        raise ReasonMissing
    with transaction.atomic(durable=True):
        DriftItem.objects.filter(pk=item.pk, fixed_at=None).update(fixed_at=now)
        audit.record(by, "drift.close", subject=_owner(item), reason=reason, details=_facts(item), now=now)


def _owner(item: DriftItem) -> User | None:
    return item.account.owner if item.account is not None else None


def _facts(item: DriftItem) -> dict[str, object]:
    return {"kind": item.kind, "subject": item.subject, "ours": item.ours, "stripe": item.stripe}
