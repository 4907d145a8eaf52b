"""Whether the figures can be trusted at this moment: what differs, what waits, what is left out."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from apps.billing.models import DriftItem, StripeEvent
from apps.reporting import days, fill, population
from apps.reporting.models import FillState


@dataclass(frozen=True)
class Health:
    """The strip under the figures. `as_of` None: nothing was filled yet."""

    open_drift: int
    high_drift: int
    unprocessed_events: int
    dirty_days: int
    left_out_accounts: int
    as_of: datetime | None


def read_health(*, now: datetime) -> Health:
    """Count what a person should know before believing a figure. The open day is never counted as dirty."""
    drift = DriftItem.objects.filter(fixed_at=None).aggregate(
        open=Count("pk"), high=Count("pk", filter=Q(severity="high"))
    )
    dirty = FillState.objects.filter(dirty_since__isnull=False, day__lt=days.day_of(now))
    return Health(
        open_drift=drift["open"],
        high_drift=drift["high"],
        unprocessed_events=StripeEvent.objects.filter(state=StripeEvent.State.STORED).count(),
        dirty_days=dirty.values("day").distinct().count(),
        left_out_accounts=population.left_out_accounts().count(),
        as_of=fill.last_filled_at(),
    )
