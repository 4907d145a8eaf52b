"""Whether the figures can be trusted at this moment: what differs, what waits, what is left out."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, Max, Q, Value

from apps.billing.models import DriftItem, StripeEvent
from apps.reporting import days, population
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
    waits = Q(dirty_since__isnull=False, day__lt=days.day_of(now))
    families = FillState.objects.values("family").annotate(
        at=Max("filled_at"), dirty=ArrayAgg("day", filter=waits, default=Value([]))
    )
    states = list(families)
    return Health(
        open_drift=drift["open"],
        high_drift=drift["high"],
        unprocessed_events=StripeEvent.objects.filter(state=StripeEvent.State.STORED).count(),
        dirty_days=len({day for state in states for day in state["dirty"]}),
        left_out_accounts=population.count_left_out(),
        as_of=min((state["at"] for state in states if state["at"]), default=None),
    )
