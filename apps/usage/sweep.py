"""What time ends: reservations that a dead worker left open are given back, credit whose time is over is taken out."""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from apps.usage import credits, ledger, reservations
from apps.usage.models import CreditGrant, UsageReservation

BATCH = 500


def expire_reservations(*, now: datetime) -> int:
    """Give back every open reservation whose time is over; say how many.

    Effect  one act per batch; rows that a worker is settling at this moment are left to it.
    Repeat  an expired reservation is not open any more: nothing is given back twice.
    """
    total = 0
    while expired := _expire_batch(now):
        total += expired
    return total


def expire_credit(*, now: datetime) -> int:
    """Take out what is left of every grant whose time is over; say of how many accounts.

    Effect  one act per account; what running answers have set aside goes with a later sweep.
    """
    due = CreditGrant.objects.filter(account__credit__balance_micro__gt=F("account__credit__reserved_micro"))
    accounts = list(due.due(at=now).values_list("account_id", flat=True).order_by("account_id").distinct()[:BATCH])
    for account_id in accounts:
        with transaction.atomic(durable=True):
            credits.expire(account_id, now=now)
    return len(accounts)


def _expire_batch(now: datetime) -> int:
    with transaction.atomic(durable=True):
        held = reservations.lock_due(at=now, most=BATCH)
        ledger.give_back(held, UsageReservation.State.EXPIRED)
        return len(held)
