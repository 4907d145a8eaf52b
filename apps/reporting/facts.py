"""Daily facts of a scope, summed: what every figure and every table of the pages is read from."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from django.db.models import Case, DateField, F, Q, QuerySet, Sum, Value, When

from apps.reporting.days import ONE_DAY, Period
from apps.reporting.metrics.base import DerivedMetric, Metric, Parts, Slice
from apps.reporting.metrics.families import METRICS
from apps.reporting.models import MetricDay, MetricTotal
from apps.reporting.scope import Scope

Daily = Mapping[date, int]
Sums = dict[tuple[str, str], dict[date, int]]  # metric and currency → day → value


class Facts:
    """Sums by metric, currency and day."""

    def __init__(self, sums: Mapping[tuple[str, str], Daily]) -> None:
        self._sums = sums
        self._split = {slug for slug, currency in sums if currency}
        self._whole: dict[str, dict[date, int]] = {}
        for (slug, _currency), by_day in sums.items():
            whole = self._whole.setdefault(slug, {})
            for day, value in by_day.items():
                whole[day] = whole.get(day, 0) + value

    def currencies(self, slugs: Collection[str] | None = None) -> set[str]:
        """The currencies in which something occurred."""
        return {
            currency
            for (slug, currency), by_day in self._sums.items()
            if currency and any(by_day.values()) and (slugs is None or slug in slugs)
        }

    def by_day(self, slug: str, currency: str = "") -> Daily:
        """A stored metric's values; of one that knows no currencies all of it, whichever is asked for."""
        if currency and (slug in self._split or METRICS[slug].has_currency):
            return self._sums.get((slug, currency), {})
        return self._whole.get(slug, {})

    def value(self, metric: Metric, currency: str, period: Period) -> int | None:
        """A figure over a period: a balance at its end, a flow summed, a derived figure worked out; None is n/a."""
        parts = _PartsOf(self, currency, period)
        if isinstance(metric, DerivedMetric):
            return metric.combine(parts)
        return parts.end(metric.slug) if metric.is_balance else parts.sum(metric.slug)


class _PartsOf(Parts):
    """The parts of a derived figure, in one currency and period."""

    def __init__(self, facts: Facts, currency: str, period: Period) -> None:
        self._facts, self._currency, self._period = facts, currency, period

    def end(self, slug: str) -> int:
        return self._daily(slug).get(self._period.last, 0)

    def start(self, slug: str) -> int:
        return self._daily(slug).get(self._period.first - ONE_DAY, 0)

    def sum(self, slug: str) -> int:
        daily, period = self._daily(slug), self._period
        if period.first == period.last:  # as each point of a chart asks for
            return daily.get(period.first, 0)
        return sum(value for day, value in daily.items() if period.first <= day <= period.last)

    def _daily(self, slug: str) -> Daily:
        return self._facts.by_day(slug, self._currency)


def read_facts(scope: Scope, slugs: Collection[str]) -> Facts:
    """Sum the facts of metrics over all but day and currency. One query.

    Every day of the period is there; of the one before it what it is compared with: flows, all on its last day, and
    balances on the days where it begins and ends.
    """
    wanted, period, before = stored_slugs(slugs), scope.period, scope.before
    rows = facts_of(scope.only).filter(metric__in=wanted)
    if _overlap(scope):
        return _summed(_in_scope(rows, scope).annotate(on=F("day")))
    flows, balances = _flows_and_balances(wanted)
    compared = flows & Q(day__range=(before.first, before.last))
    shown = Q(day__range=(period.first, period.last)) | (balances & Q(day__in=_ends(scope)))
    on = Case(When(compared, then=Value(before.last)), default=F("day"), output_field=DateField())
    return _summed(rows.filter(compared | shown).annotate(on=on))


def read_part(part: Slice, metric: Metric) -> Facts:
    """The facts that make up a metric in one slice. One query."""
    days = (part.period.first - ONE_DAY, part.period.last)
    found = facts_of(part.only).filter(metric__in=stored_slugs([metric.slug]), day__range=days)
    return _summed(found.annotate(on=F("day")))


def read_split(scope: Scope, slugs: Collection[str], dimension: str) -> dict[str, Facts]:
    """Facts for each value of a dimension, for the two periods and no single day of them. One query.

    Flows are summed and stand on the last day of their period; of balances there are the days where one begins or ends.
    Every one of the metrics knows the dimension.
    """
    rows, member = _split_facts(scope.only, dimension)
    flows, balances = _flows_and_balances(stored_slugs(slugs))
    found = _in_scope(rows, scope).filter(flows | (balances & Q(day__in=_ends(scope)))).annotate(on=F("day"))
    if not _overlap(scope):
        flowed = [When(flows & Q(day__range=(one.first, one.last)), then=Value(one.last))
                  for one in (scope.period, scope.before)]  # fmt: skip
        found = found.annotate(on=Case(*flowed, default=F("day"), output_field=DateField()))
    groups: dict[str, Sums] = {}
    sums = found.values_list(member, "metric", "currency", "on").annotate(total=Sum("value"))
    for value, metric, currency, day, total in sums.order_by():
        groups.setdefault(value, {}).setdefault((metric, currency), {})[day] = int(total)
    return {value: Facts(sums) for value, sums in groups.items()}


def stored_slugs(slugs: Collection[str]) -> list[str]:
    """The metrics whose facts make these up."""
    return sorted({stored for slug in slugs for stored in _parts(METRICS[slug])})


def facts_of(only: Mapping[str, str]) -> QuerySet[Any]:
    """The facts of a part of the customers; their totals where one dimension is asked for at the most: far fewer."""
    named = [name for name in only if name != "currency"]
    if len(named) > 1:
        return MetricDay.objects.filter(**only)
    dimension = named[0] if named else ""
    currency = {"currency": only["currency"]} if "currency" in only else {}
    return MetricTotal.objects.filter(dimension=dimension, member=only.get(dimension, ""), **currency)


def _split_facts(only: Mapping[str, str], dimension: str) -> tuple[QuerySet[Any], str]:
    """The facts to be split, and the column that says which part a row belongs to."""
    if dimension == "currency":
        return facts_of(only), "currency"
    if set(only) - {"currency", dimension}:
        return MetricDay.objects.filter(**only), dimension
    asked = {"member" if name == dimension else name: value for name, value in only.items()}
    return MetricTotal.objects.filter(dimension=dimension, **asked), "member"


def _overlap(scope: Scope) -> bool:
    """A year earlier may reach into a period that is longer than a year: then no day stands for one of the two."""
    return scope.before.last >= scope.period.first


def _flows_and_balances(slugs: Collection[str]) -> tuple[Q, Q]:
    balances = [slug for slug in slugs if METRICS[slug].is_balance]
    return Q(metric__in=[slug for slug in slugs if slug not in balances]), Q(metric__in=balances)


def _ends(scope: Scope) -> set[date]:
    """The days on which a balance of one of the two periods is looked at."""
    return {scope.period.last, scope.before.last, scope.period.first - ONE_DAY, scope.before.first - ONE_DAY}


def _parts(metric: Metric) -> list[str]:
    return [part.slug for part in metric.parts] if isinstance(metric, DerivedMetric) else [metric.slug]


def _summed(found: QuerySet[Any]) -> Facts:  # Any: rows of one of two tables
    """Of rows that say on which day they are to count."""
    sums: Sums = {}
    by_day = found.values_list("metric", "currency", "on").annotate(total=Sum("value")).order_by()
    for metric, currency, day, total in by_day:
        sums.setdefault((metric, currency), {})[day] = int(total)
    return Facts(sums)


def _in_scope(rows: QuerySet[Any], scope: Scope) -> QuerySet[Any]:
    in_days = Q(day__range=(scope.period.first - ONE_DAY, scope.period.last))
    in_days |= Q(day__range=(scope.before.first - ONE_DAY, scope.before.last))
    return rows.filter(in_days)
