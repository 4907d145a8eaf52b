"""Figures of a page: each with its change against the period that it is compared with."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

from apps.reporting.days import Period
from apps.reporting.facts import Facts, read_facts, read_part, stored_slugs
from apps.reporting.metrics.base import Metric, Slice, Unit
from apps.reporting.metrics.families import METRICS
from apps.reporting.scope import Scope


@dataclass(frozen=True)
class Figure:
    """One metric in one currency (empty for counts), over a period and the one it is compared with."""

    metric: Metric
    currency: str
    period: Period
    before: Period
    facts: Facts = field(repr=False)
    only: Mapping[str, str] = field(default_factory=dict)  # what the facts were narrowed by

    @property
    def today(self) -> int | None:
        """The last day's value."""
        return self.on(self.period.last)

    @property
    def value(self) -> int | None:
        """A balance at the end of the period, the sum of a flow, or what is derived from them; None is n/a."""
        return self.facts.value(self.metric, self.currency, self.period)

    @property
    def previous(self) -> int | None:
        """The same for the period that it is compared with."""
        return self.facts.value(self.metric, self.currency, self.before)

    @property
    def change(self) -> int | None:
        now, then = self.value, self.previous
        return None if now is None or then is None else now - then

    @property
    def change_percent(self) -> float | None:
        """How much more than before, in per cent; None (n/a) where there was nothing before, and for ratios."""
        then, change = self.previous, self.change
        if self.metric.unit in (Unit.RATIO, Unit.TIMES) or change is None or then is None or then <= 0:
            return None
        return 100 * change / then

    def on(self, day: date) -> int | None:
        return self.facts.value(self.metric, self.currency, Period(day, day))

    def series(self) -> list[int | None]:
        return [self.on(day) for day in self.period.days()]


class Figures:
    """All figures of a page, read at once."""

    def __init__(self, scope: Scope, facts: Facts) -> None:
        self.scope = scope
        self.facts = facts

    @property
    def reporting_currency(self) -> str:
        return self.scope.only.get("currency") or self.scope.reporting_currency

    def get(self, slug: str, currency: str = "") -> Figure:
        """One figure; one that never occurred is nothing on every day."""
        scope = self.scope
        return Figure(METRICS[slug], currency, scope.period, scope.before, self.facts, scope.only)

    def leading(self, slug: str) -> Figure:
        """The figure, in the reporting currency where it is one of money."""
        return self.get(slug, self.reporting_currency if METRICS[slug].has_currency else "")

    def in_all_currencies(self, slug: str) -> list[Figure]:
        """The figure in the reporting currency, and in each other where it is not always nothing."""
        if not METRICS[slug].has_currency:
            return [self.get(slug)]
        others = self.facts.currencies(stored_slugs([slug])) - {self.reporting_currency}
        return [self.get(slug, currency) for currency in (self.reporting_currency, *sorted(others))]


def read_figures(scope: Scope, slugs: Collection[str]) -> Figures:
    """Read figures from the facts of both periods. One query."""
    return Figures(scope, read_facts(scope, slugs))


def totals_of(metric: Metric, part: Slice) -> dict[str, int | None]:
    """The figure's value in each currency (empty for counts), for the page that opens its rows."""
    found = read_part(part, metric)
    currencies = sorted(found.currencies()) if metric.has_currency else [""]
    return {currency: found.value(metric, currency, part.period) for currency in currencies}
