"""What a dead worker left set aside is given back when its time is over; settling later still books the usage."""

from datetime import datetime

from django.db import transaction

from apps.usage import ledger
from apps.usage.models import UsageReservation

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


def _expire_batch(now: datetime) -> int:
    with transaction.atomic(durable=True):
        due = UsageReservation.objects.expired(at=now).select_related("bucket").order_by("expires_at")
        held = list(due.select_for_update(skip_locked=True, no_key=True, of=("self",))[:BATCH])
        ledger.give_back(held, UsageReservation.State.EXPIRED)
        return len(held)
