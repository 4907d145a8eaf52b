"""What a chart draws: numbers in major units beside the days, as JSON for the page's script."""

from apps.core.money import MICRO
from apps.reporting.figures import Figure


def chart_of(figure: Figure) -> dict[str, object]:
    """A line for a balance, bars for a flow."""
    is_money = figure.metric.unit.is_money
    values: list[float] = [value / MICRO if is_money else value for value in figure.series()]
    return {
        "title": str(figure.metric.title),
        "unit": figure.currency if is_money else "count",
        "kind": "line" if figure.metric.is_balance else "bar",
        "days": [day.isoformat() for day in figure.period.days()],
        "series": [{"name": str(figure.metric.title), "values": values}],
    }
