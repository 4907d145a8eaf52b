"""Figures split by one dimension: one line for each of its values, the largest first."""

from dataclasses import replace
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.reporting import names
from apps.reporting.facts import Facts, read_split, stored_slugs
from apps.reporting.metrics.base import Metric
from apps.reporting.metrics.families import METRICS
from apps.reporting.metrics.rows import Cell, Column
from apps.reporting.opened import column_of, name_in
from apps.reporting.scope import Scope
from apps.reporting.sheets.base import Line, Split, Table

Shown = tuple[Metric, str]  # a metric, and its currency


def read(split: Split, scope: Scope) -> Table:
    """The table of a split: of each figure its value, and how it changed. One query."""
    groups = read_split(scope, split.metrics, split.by)
    shown = _shown(split, scope, groups)
    columns = [Column(split.by, split.column or names.DIMENSIONS[split.by])]
    for metric, currency in shown:
        columns.append(column_of(metric, currency))
    change = replace(columns[1], name=f"{columns[1].name}_change", title=_("Change"), opens="", is_change=True)
    table_columns = (*columns[:2], change, *columns[2:])
    ordered = sorted(groups.items(), key=lambda item: (-_first(item[1], shown, scope), item[0]))
    known = split.names(list(groups)) if split.names else {}
    lines = [
        _line(split, scope, value, known.get(value) or names.name_of(split.by, value), facts, shown)
        for value, facts in ordered
    ]
    return Table(table_columns, [line for line in lines if any(line.cells[1:])])


def _shown(split: Split, scope: Scope, groups: dict[str, Facts]) -> list[Shown]:
    shown: list[Shown] = []
    leading = scope.only.get("currency") or scope.reporting_currency
    for metric in (METRICS[slug] for slug in split.metrics):
        seen = {one for facts in groups.values() for one in facts.currencies(stored_slugs([metric.slug]))}
        currencies = [leading, *sorted(seen - {leading})] if metric.has_currency else [""]
        shown += [(metric, currency) for currency in currencies]
    return shown


def _line(split: Split, scope: Scope, value: str, name: str, facts: Facts, shown: list[Shown]) -> Line:
    values: list[Cell] = [facts.value(metric, currency, scope.period) for metric, currency in shown]
    now, then = values[0], facts.value(*shown[0], scope.before)
    change = now - then if isinstance(now, int) and then is not None else None
    asked = {"from": str(scope.period.first), "to": str(scope.period.last), **scope.only, split.by: value}
    opens = {
        name_in(
            metric.slug, currency
        ): f"{reverse('reporting:rows', args=[metric.slug])}?{urlencode(_with(asked, currency))}"
        for metric, currency in shown
    }
    return Line((name, values[0], change, *values[1:]), opens)


def _with(asked: dict[str, str], currency: str) -> dict[str, str]:
    return asked | ({"currency": currency} if currency else {})


def _first(facts: Facts, shown: list[Shown], scope: Scope) -> int:
    return facts.value(*shown[0], scope.period) or 0
