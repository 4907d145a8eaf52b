"""What a chart draws: numbers in major units beside the days, as JSON for the page's script."""

from collections.abc import Iterable
from datetime import date

from apps.core.money import MICRO
from apps.reporting.figures import Figure
from apps.reporting.metrics.base import WHOLE, Unit

Chart = dict[str, object]
RATES = (Unit.RATIO, Unit.TIMES, Unit.MILLISECONDS)  # never added up


def chart_of(figure: Figure) -> Chart:
    """A line for a balance or a ratio, bars for a flow."""
    is_line = figure.metric.is_balance or figure.metric.unit in RATES
    series = [(str(figure.metric.title), figure.series())]
    return chart(
        figure.metric.title, figure.period.days(), series, kind="line" if is_line else "bar", unit=unit_of(figure)
    )


def chart(
    title: object, at: Iterable[date], series: Iterable[tuple[str, list[int | None]]], *, kind: str, unit: str
) -> Chart:
    """Several series over days.

    kind  line, bar, or stack: bars on top of each other, what is negative below the axis
    unit  a currency, count, ratio or milliseconds; values are integers as facts are
    """
    return {
        "title": str(title),
        "unit": {"ratio": "percent", "times": "count"}.get(unit, unit),
        "kind": kind,
        "days": [day.isoformat() for day in at],
        "series": [{"name": name, "values": [_major(value, unit) for value in values]} for name, values in series],
    }


def unit_of(figure: Figure) -> str:
    """The unit of a figure's chart."""
    if figure.metric.unit.is_money:
        return figure.currency
    return str(figure.metric.unit) if figure.metric.unit in RATES else "count"


def _major(value: int | None, unit: str) -> float | None:
    if value is None or unit in ("count", "milliseconds"):
        return value
    return value / (WHOLE if unit in ("ratio", "times") else MICRO)
