"""Days whose sources changed are computed again, whole: late usage and restatement take the same path."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Max

from apps.reporting import days
from apps.reporting.metrics.base import DIMENSIONS, LATE_COMMIT, Fact, Family
from apps.reporting.metrics.families import FAMILIES
from apps.reporting.models import FillState, MetricDay, MetricTotal

# A page brings the open day up to date by itself when that is cheap; a busy day is left to the schedule.
FRESH_FOR = timedelta(seconds=5)
CHEAP_ROWS = 20_000


@dataclass(frozen=True)
class Difference:
    """Where stored facts are not what their sources say. `stored` or `computed` is None where the fact is missing."""

    family: str
    day: date
    key: tuple[str, ...]
    stored: int | None
    computed: int | None


def mark_dirty(family: Family, wanted: Iterable[date] = (), *, now: datetime) -> list[date]:
    """Note which days of a family must be computed again, and give all that wait, the newest first.

    A day is due when its sources changed since it was filled, when it was never filled, or when it was last filled
    before it ended. The open day is due once the family's patience is over, and so is what is `wanted`: a killed
    rebuild goes on by schedule.
    Effect  an act of its own. Repeat: marks nothing twice.
    """
    today = days.day_of(now)
    with transaction.atomic(durable=True):
        states = {state.day: state for state in FillState.objects.filter(family=family.name)}
        due = _due(family, states, now) | set(wanted)
        due = {day for day in due if day not in states or states[day].dirty_since is None}
        FillState.objects.bulk_create(
            [FillState(family=family.name, day=day, dirty_since=now) for day in sorted(due)],  # one order: no deadlock
            update_conflicts=True,
            unique_fields=["family", "day"],
            update_fields=["dirty_since"],
        )
        waiting = FillState.objects.filter(family=family.name, dirty_since__isnull=False, day__lte=today)
        return list(waiting.order_by("-day").values_list("day", flat=True))


def fill_day(family: Family, day: date, *, now: datetime) -> int:
    """Compute a day's facts and put them in the place of the old ones; say how many there are.

    Effect  one act: the day is deleted and inserted while its state is locked, so readers see all old or all new.
    Repeat  the same sources give the same facts.
    """
    FillState.objects.get_or_create(family=family.name, day=day)
    with transaction.atomic(durable=True):
        state = FillState.objects.select_for_update(no_key=True).get(family=family.name, day=day)
        facts = family.renew(day)
        for table in (MetricDay, MetricTotal):
            table.objects.filter(day=day, metric__in=[metric.slug for metric in family.metrics]).delete()
        MetricDay.objects.bulk_create([_stored(day, fact) for fact in facts], batch_size=1000)
        MetricTotal.objects.bulk_create(_totals(family, day, facts), batch_size=1000)
        state.filled_at, state.dirty_since, state.source_rows = now, None, family.source_rows(day)
        state.save(update_fields=["filled_at", "dirty_since", "source_rows"])
    return len(facts)


def fill_dirty_days(*, now: datetime, at_most: int) -> int:
    """Fill what is due, the newest days first, at most so many days of each family; say how many were filled."""
    filled = 0
    for family in FAMILIES.values():
        for day in mark_dirty(family, now=now)[:at_most]:
            fill_day(family, day, now=now)
            filled += 1
    return filled


def refresh_today(*, now: datetime) -> None:
    """Bring the open day up to date for a reader, where that is cheap; else the schedule does it within a minute.

    Pages read facts alone, so there is one way to every figure. Filling a small day takes milliseconds, and what staff
    see after an upgrade is true at once.
    """
    today = days.day_of(now)
    states = {state.family: state for state in FillState.objects.filter(day=today)}
    for family in FAMILIES.values():
        state = states.get(family.name)
        if not _is_fresh_enough(state, family, now):
            mark_dirty(family, now=now)
            fill_day(family, today, now=now)


def days_to_fill(family: Family, first: date | None, last: date | None, *, now: datetime) -> list[date]:
    """The days of a rebuild: the family's own range, where no other is asked for; none in the future.

    The newest come first: people look at them, and what is kept by the month is then worked out once a month.
    """
    today = days.day_of(now)
    return list(days.each(first or family.first_day() or today, min(last or today, today)))[::-1]


def find_difference(family: Family, day: date) -> Difference | None:
    """Compare a day's stored facts with its sources; None when they agree. Writes nothing."""
    computed = {fact.key: fact.value for fact in family.compute(day)}
    rows = MetricDay.objects.filter(day=day, metric__in=[metric.slug for metric in family.metrics])
    stored = {(row.metric, *(getattr(row, name) for name in DIMENSIONS)): row.value for row in rows}
    for key in sorted(computed.keys() | stored.keys()):
        if computed.get(key) != stored.get(key):
            return Difference(family.name, day, key, stored.get(key), computed.get(key))
    return None


def _due(family: Family, states: dict[date, FillState], now: datetime) -> set[date]:
    today = days.day_of(now)
    due = {today}
    first = family.first_day()
    if first is not None:
        before = days.each(first, today - days.ONE_DAY)
        due |= {day for day in before if not _is_closed(states.get(day), day)}
    filled_at = max((state.filled_at for state in states.values() if state.filled_at), default=None)
    if filled_at is not None:
        for change in family.changes(filled_at - LATE_COMMIT):
            due |= set(_touched(change.first, change.last or today, change.at, states, today))
    return due - {today} if _is_recent(states.get(today), family.patience, now) else due


def _is_fresh_enough(state: FillState | None, family: Family, now: datetime) -> bool:
    if state is None or state.filled_at is None:
        return False
    return _is_recent(state, max(FRESH_FOR, family.patience), now) or state.source_rows > CHEAP_ROWS


def _is_recent(state: FillState | None, patience: timedelta, now: datetime) -> bool:
    return state is not None and state.filled_at is not None and state.filled_at > now - patience


def _is_closed(state: FillState | None, day: date) -> bool:
    return state is not None and state.filled_at is not None and state.filled_at >= days.end_of(day)


def _touched(first: date, last: date, at: datetime, states: dict[date, FillState], today: date) -> Iterable[date]:
    for day in days.each(first, min(last, today)):
        state = states.get(day)
        if state is None or state.filled_at is None or at > state.filled_at - LATE_COMMIT:
            yield day


def _stored(day: date, fact: Fact) -> MetricDay:
    return MetricDay(
        day=day, metric=fact.metric, value=fact.value, **{name: getattr(fact, name) for name in DIMENSIONS}
    )


def _totals(family: Family, day: date, facts: Iterable[Fact]) -> Iterator[MetricTotal]:
    """Over all dimensions, and for each member of each; the currency stands in every row, so it needs none."""
    known = {metric.slug: [name for name in metric.dimensions if name != "currency"] for metric in family.metrics}
    sums: dict[tuple[str, str, str, str], int] = defaultdict(int)
    for fact in facts:
        sums[fact.metric, "", "", fact.currency] += fact.value
        for name in known[fact.metric]:
            sums[fact.metric, name, getattr(fact, name), fact.currency] += fact.value
    for (metric, dimension, member, currency), value in sums.items():
        yield MetricTotal(day=day, metric=metric, dimension=dimension, member=member, currency=currency, value=value)


def last_filled_at() -> datetime | None:
    """The moment whose truth the pages show: the oldest of the families' last fills."""
    latest = FillState.objects.values("family").annotate(at=Max("filled_at")).values_list("at", flat=True)
    return min((at for at in latest if at), default=None)
