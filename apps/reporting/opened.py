"""What opens behind a figure: the rows it is made of, or, of a derived one, its parts day by day."""

from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from apps.reporting.days import Period
from apps.reporting.facts import Facts, read_part
from apps.reporting.metrics.base import DIMENSIONS, DerivedMetric, Metric, Slice, StoredMetric, Unit
from apps.reporting.metrics.families import METRICS
from apps.reporting.metrics.rows import Cell, Column, FixedRows, KeysetRows, Kind, Part, Rows
from apps.reporting.models import MetricDay

KINDS = {Unit.RATIO: Kind.RATIO, Unit.TIMES: Kind.TIMES, Unit.MILLISECONDS: Kind.MILLISECONDS, Unit.MONEY: Kind.MONEY,
         Unit.MONEY_A_MONTH: Kind.MONEY}  # fmt: skip
DAY, CURRENCY = Column("day", _("Day"), Kind.DAY), Column("currency", _("Currency"))
FACT_COLUMNS = (
    DAY,
    Column("metric", _("Figure")),
    *(Column(name, name) for name in DIMENSIONS),
    Column("count", _("Count"), Kind.COUNT),
    Column("amount", _("Amount"), Kind.MONEY),
)


def rows_behind(metric: Metric, part: Slice) -> Rows:
    """The rows behind a figure in one slice."""
    if isinstance(metric, StoredMetric):
        return metric.rows(part)
    if isinstance(metric, DerivedMetric):
        return _parts_by_day(metric, part)
    raise TypeError(type(metric))


def column_of(metric: Metric, currency: str = "") -> Column:
    """The column of a table that shows a metric, in one currency where it says so."""
    return Column(name_in(metric.slug, currency), metric.title, kind_of(metric), opens=metric.slug, currency=currency)


def name_in(slug: str, currency: str) -> str:
    """How a metric's column is called: its slug, and its currency, since there may be a column for each."""
    return f"{slug}_{currency}" if currency else slug


def kind_of(metric: Metric) -> Kind:
    """How a metric's values are written."""
    return KINDS.get(metric.unit, Kind.COUNT)


def fact_rows(period: Period) -> Rows:
    """The daily facts themselves: what the pages are made of."""
    facts = MetricDay.objects.filter(day__gte=period.first, day__lte=period.last)
    return KeysetRows(FACT_COLUMNS, Part(facts, "day", _fact_cells))


def _parts_by_day(metric: DerivedMetric, part: Slice) -> Rows:
    """One row for each day, and in each currency, on which a part was not nothing."""
    shown = [METRICS[parts.slug] for parts in metric.parts]
    columns = (DAY, *((CURRENCY,) if metric.has_currency else ()), *map(column_of, shown), column_of(metric))
    plain = (*columns[:-1], Column(metric.slug, metric.title, kind_of(metric)))
    return FixedRows(plain, list(_cells_by_day(metric, shown, part)))


def _cells_by_day(metric: DerivedMetric, shown: list[Metric], part: Slice) -> Iterator[tuple[Cell, ...]]:
    found = read_part(part, metric)
    currencies = sorted(found.currencies()) if metric.has_currency else [""]
    for day in part.period.days():
        for currency in currencies:
            cells = _values(found, shown, currency, Period(day, day))
            if any(cells):
                named = (day, currency) if metric.has_currency else (day,)
                yield (*named, *cells, found.value(metric, currency, Period(day, day)))


def _values(found: Facts, shown: list[Metric], currency: str, period: Period) -> list[int | None]:
    return [found.value(one, currency, period) for one in shown]


def _fact_cells(row: MetricDay) -> tuple[Cell, ...]:
    is_money = METRICS[row.metric].unit.is_money
    counted, paid = (None, row.value) if is_money else (row.value, None)
    return (row.day, row.metric, *(getattr(row, name) for name in DIMENSIONS), counted, paid)
