"""What we want of Stripe, and each mail, is first a row with its key; then it is done, again and again until it is."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import F

from apps.billing import differences, outbox_acts
from apps.billing.differences import Difference
from apps.billing.errors import MissingAtStripe, PaymentRefused, PaymentsAway
from apps.billing.models import BillingAccount, Price, StripeOutbox, SubscriptionItemMirror, SubscriptionMirror
from apps.core import guards, jobs

log = structlog.get_logger(__name__)
State = StripeOutbox.State
CANCEL, END, MOVE, MAIL = outbox_acts.CANCEL, outbox_acts.END, outbox_acts.MOVE, outbox_acts.MAIL
METADATA, REFUND, RESUME = outbox_acts.METADATA, outbox_acts.REFUND, outbox_acts.RESUME
ADDRESS = outbox_acts.ADDRESS
RECHARGE, START_OVERAGE, END_OVERAGE = outbox_acts.RECHARGE, outbox_acts.START_OVERAGE, outbox_acts.END_OVERAGE
FIRST_WAIT = timedelta(seconds=30)  # doubled with each try, and at most a day
LONGEST_WAIT = timedelta(days=1)
MOST_ATTEMPTS = 14  # about four days
BATCH = 100
TEXT = 300


def add(
    kind: str,
    key: str,
    payload: Mapping[str, str],
    account: BillingAccount | None,
    *,
    not_before: datetime | None = None,
    now: datetime,
) -> bool:
    """Want something, once per key; say whether it is new.

    not_before  when it is to be done; None: at once.
    Effect  a step; a job is nudged after the commit, and a sweeper finds what it missed.
    """
    guards.inside_transaction()
    row = StripeOutbox(kind=kind, key=key, payload=dict(payload), account=account, next_at=not_before or now)
    is_new = not StripeOutbox.objects.filter(key=key).exists()
    StripeOutbox.objects.bulk_create([row], ignore_conflicts=True)
    jobs.enqueue("billing.send_outbox")
    return is_new


def withdraw(row: StripeOutbox) -> None:
    """Want something no more that was not done yet; what is being done this moment is done. A step."""
    guards.inside_transaction()
    StripeOutbox.objects.filter(pk=row.pk, state=State.PENDING).delete()


def cancel_subscription(subscription: SubscriptionMirror, *, now: datetime) -> None:
    """Want a subscription to end at Stripe, at once. A step; repeating it changes nothing."""
    payload = {"subscription": subscription.pk}
    add(CANCEL, cancel_key(subscription.pk), payload, subscription.account, now=now)


def cancel_key(subscription: str) -> str:
    """Under which key a subscription ends at once."""
    return f"cancel:{subscription}"


def move_price(item: SubscriptionItemMirror, to: Price, *, now: datetime) -> None:
    """Want a subscription to pay another price from its next renewal on. A step; repeating it changes nothing."""
    subscription = item.subscription
    payload = {"subscription": subscription.pk, "item": item.pk, "from": item.price_id, "to": to.pk}
    add(MOVE, move_key(subscription.pk, to.pk), payload, subscription.account, now=now)


def move_key(subscription: str, price: str) -> str:
    """Under which key a subscription is moved to a price."""
    return f"move:{subscription}:{price}"


def repair_metadata(account: BillingAccount, subject: str, *, now: datetime) -> None:
    """Want a customer or a subscription to say whose it is. A step; repeating it within the hour changes nothing."""
    add(METADATA, f"metadata:{subject}:{account.pk}:{now:%Y%m%d%H}", {"object": subject}, account, now=now)


def send_due(*, clock: Callable[[], datetime], kind: str | None = None) -> int:
    """Do everything that is due, or what is of one kind, one row at a time; the number that is done.

    Repeat  a row is claimed by moving its next try away; a worker that dies leaves it to that next try.
    """
    done = 0
    due = StripeOutbox.objects.filter(state=State.PENDING, next_at__lte=clock()).order_by("next_at", "pk")
    due = due.filter(kind=kind) if kind else due
    for row in due.select_related("account__owner")[:BATCH]:
        if _claim(row, now=clock()):
            done += _do(row, now=clock())
    return done


def _claim(row: StripeOutbox, *, now: datetime) -> bool:
    wait = min(FIRST_WAIT * 2**row.attempts, LONGEST_WAIT)
    first = row.first_tried_at or now
    claimed = StripeOutbox.objects.filter(pk=row.pk, state=State.PENDING, next_at=row.next_at).update(
        attempts=F("attempts") + 1, next_at=now + wait, first_tried_at=first
    )
    return claimed == 1


def _do(row: StripeOutbox, *, now: datetime) -> bool:
    try:
        if not outbox_acts.PERFORM[row.kind](row):
            return _withdraw(row)
    except MissingAtStripe:
        pass  # what should end is not there: that is what was wanted
    except PaymentRefused as error:
        return _give_up(row, f"{error.code}: {error.sentence}", now=now)
    except (PaymentsAway, OSError) as error:
        if row.attempts + 1 >= MOST_ATTEMPTS:
            return _give_up(row, type(error).__name__, now=now)
        StripeOutbox.objects.filter(pk=row.pk).update(error=type(error).__name__)
        return False
    _finish(row)
    return True


def _finish(row: StripeOutbox) -> None:
    with transaction.atomic(durable=True):
        StripeOutbox.objects.filter(pk=row.pk).update(state=State.DONE, error="")
        _look_at_stripe(row)


def _withdraw(row: StripeOutbox) -> bool:
    """Our mirror was behind, and what it says after another look decides whether this is wanted again."""
    with transaction.atomic(durable=True):
        StripeOutbox.objects.filter(pk=row.pk).delete()
        _look_at_stripe(row)
    log.info("outbox.withdrawn", kind=row.kind, key=row.key)
    return False


def _look_at_stripe(row: StripeOutbox) -> None:
    """What we changed there must be mirrored here. A step."""
    guards.inside_transaction()
    if row.kind in outbox_acts.CHANGES_STRIPE and row.account is not None:
        BillingAccount.objects.filter(pk=row.account.pk).want_sync()
        jobs.enqueue("billing.sync_customer", str(row.account.pk))


def _give_up(row: StripeOutbox, reason: str, *, now: datetime) -> bool:
    with transaction.atomic(durable=True):
        StripeOutbox.objects.filter(pk=row.pk).update(state=State.DEAD, error=reason[:TEXT])
        differences.note(Difference("outbox_dead", str(row.pk), ours=row.kind, stripe=reason), row.account, now=now)
    log.error("outbox.dead", kind=row.kind, key=row.key, reason=reason)
    return False
