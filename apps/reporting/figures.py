"""Figures of a page: read from daily facts, each with its change against the period before."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from apps.reporting.days import Period
from apps.reporting.metrics.base import DIMENSIONS, Metric, Slice
from apps.reporting.metrics.families import METRICS
from apps.reporting.metrics.margin import Margin, margin_of
from apps.reporting.metrics.rows import Cell, Column, KeysetRows, Kind, Part, Rows
from apps.reporting.models import MetricDay

FACT_COLUMNS = (
    Column("day", _("Day"), Kind.DAY),
    Column("metric", _("Figure")),
    *(Column(name, name) for name in DIMENSIONS),
    Column("count", _("Count"), Kind.COUNT),
    Column("amount", _("Amount"), Kind.MONEY),
)
Daily = Mapping[date, int]


@dataclass(frozen=True)
class Figure:
    """One metric in one currency (empty for counts), day by day over a period and the one before it."""

    metric: Metric
    currency: str
    period: Period
    by_day: Daily = field(repr=False)

    @property
    def today(self) -> int:
        """The last day's value."""
        return self.on(self.period.last)

    @property
    def value(self) -> int:
        """A balance at the end of the period, or the sum of a flow."""
        return self._over(self.period)

    @property
    def previous(self) -> int:
        """The same for the period before."""
        return self._over(self.period.before())

    @property
    def change(self) -> int:
        return self.value - self.previous

    @property
    def change_percent(self) -> float | None:
        """How much more than before, in per cent; None (n/a) where there was nothing before."""
        return 100 * self.change / self.previous if self.previous > 0 else None

    def on(self, day: date) -> int:
        return self.by_day.get(day, 0)

    def series(self) -> list[int]:
        return [self.on(day) for day in self.period.days()]

    def _over(self, period: Period) -> int:
        return self.on(period.last) if self.metric.is_balance else sum(self.on(day) for day in period.days())


class Figures:
    """All figures of a period, read at once."""

    def __init__(self, period: Period, sums: Mapping[tuple[str, str], dict[date, int]], reporting: str) -> None:
        self.period = period
        self.reporting_currency = reporting
        self._sums = sums

    def get(self, slug: str, currency: str = "") -> Figure:
        """One figure; one that never occurred is nothing on every day."""
        return Figure(METRICS[slug], currency, self.period, self._sums.get((slug, currency), {}))

    def currencies(self) -> list[str]:
        """The reporting currency first, then every other that money was seen in."""
        seen = {currency for (_slug, currency) in self._sums if currency}
        return [self.reporting_currency, *sorted(seen - {self.reporting_currency})]

    def in_all_currencies(self, slug: str) -> list[Figure]:
        """The figure in the reporting currency, and in each other where it is not always nothing."""
        figures = [self.get(slug, currency) for currency in self.currencies()]
        return [figures[0], *(figure for figure in figures[1:] if any(figure.by_day.values()))]


def read_figures(period: Period, *, reporting_currency: str) -> Figures:
    """Read every metric's facts of a period and the one before, summed over all but day and currency. One query."""
    facts = MetricDay.objects.filter(day__gte=period.before().first, day__lte=period.last)
    found = facts.values_list("metric", "currency", "day").annotate(total=Sum("value")).order_by()
    sums: dict[tuple[str, str], dict[date, int]] = {}
    for metric, currency, day, total in found:
        key = (metric, currency if METRICS[metric].unit.is_money else "")
        by_day = sums.setdefault(key, {})
        by_day[day] = by_day.get(day, 0) + int(total)
    _add_margin(sums)
    return Figures(period, sums, reporting_currency)


def subscriptions_by_plan(day: date) -> list[tuple[str, int]]:
    """Plan keys and how many paid subscriptions each has at the end of a day, the most first."""
    facts = MetricDay.objects.filter(metric="subscriptions", day=day)
    by_plan = facts.values_list("plan").annotate(total=Sum("value")).order_by("-total", "plan")
    return [(plan, int(total)) for plan, total in by_plan]


def totals_of(metric: Metric, part: Slice) -> dict[str, int]:
    """The figure's value in each currency (empty for counts), for the page that opens its rows."""
    slugs, period = parts_of(metric), part.period
    last_only = {"day": period.last} if metric.is_balance else {"day__gte": period.first, "day__lte": period.last}
    facts = MetricDay.objects.filter(metric__in=slugs, **last_only)
    facts = facts.filter(plan=part.plan) if part.plan else facts
    facts = facts.filter(currency=part.currency) if part.currency else facts
    sums: dict[str, dict[str, int]] = {}
    for slug, currency, total in facts.values_list("metric", "currency").annotate(total=Sum("value")).order_by():
        by_slug = sums.setdefault(currency if metric.unit.is_money else "", {})
        by_slug[slug] = by_slug.get(slug, 0) + int(total)
    return {currency: _value(metric, by_slug) for currency, by_slug in sorted(sums.items())}


def fact_rows(period: Period) -> Rows:
    """The daily facts themselves: what the pages are made of."""
    facts = MetricDay.objects.filter(day__gte=period.first, day__lte=period.last)
    return KeysetRows(FACT_COLUMNS, Part(facts, "day", _fact_cells))


def parts_of(metric: Metric) -> list[str]:
    """The slugs whose facts make up a metric: itself, or what it is derived from."""
    return [part.slug for part in Margin.terms] if isinstance(metric, Margin) else [metric.slug]


def _fact_cells(row: MetricDay) -> tuple[Cell, ...]:
    is_money = METRICS[row.metric].unit.is_money
    counted, paid = (None, row.value) if is_money else (row.value, None)
    return (row.day, row.metric, *(getattr(row, name) for name in DIMENSIONS), counted, paid)


def _value(metric: Metric, by_slug: Mapping[str, int]) -> int:
    return margin_of(by_slug) if isinstance(metric, Margin) else sum(by_slug.values())


def _add_margin(sums: dict[tuple[str, str], dict[date, int]]) -> None:
    slugs = [metric.slug for metric in Margin.terms]
    for currency in {currency for slug, currency in sums if slug in slugs}:
        parts = {slug: sums.get((slug, currency), {}) for slug in slugs}
        seen = {day for by_day in parts.values() for day in by_day}
        sums[Margin.slug, currency] = {
            day: margin_of({slug: by_day.get(day, 0) for slug, by_day in parts.items()}) for day in seen
        }
