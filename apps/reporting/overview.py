"""What the first page of the reports shows, in words and numbers ready to print."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext_lazy as _

from apps.billing import plans
from apps.reporting import charts, figures, wording
from apps.reporting.days import Period
from apps.reporting.figures import Figure, Figures

TITLE = _("Reports")
BALANCES = ("mrr", "subscriptions", "paying_customers", "free_accounts")
FLOWS = ("margin", "recognised_revenue", "model_cost", "usage_revenue", "messages", "answers", "input_tokens",
         "output_tokens")  # fmt: skip
TABLE = ("mrr", "paying_customers", "free_accounts", "margin", "recognised_revenue", "model_cost", "messages",
         "input_tokens", "output_tokens")  # fmt: skip


@dataclass(frozen=True)
class Card:
    """One figure on the page. `today` is empty for a balance, whose value is today's."""

    figure: Figure
    value: str
    today: str
    change: str
    direction: str  # up, down, same
    chart: dict[str, object]

    @property
    def id(self) -> str:
        return f"{self.figure.metric.slug}-{self.figure.currency or 'all'}"

    @property
    def chart_id(self) -> str:
        return f"chart-{self.id}"


@dataclass(frozen=True)
class Line:
    """One day of the table: each figure with its value in words."""

    day: date
    values: list[tuple[Figure, str]]


@dataclass(frozen=True)
class Overview:
    """The page."""

    opening: str
    period: Period
    balances: list[Card]
    flows: list[Card]
    plans: list[tuple[str, str, int]]  # key, name, how many subscriptions
    table_titles: list[Figure]
    table: list[Line]


def read_overview(period: Period, *, reporting_currency: str) -> Overview:
    """Read everything the page shows from daily facts: two queries."""
    found = figures.read_figures(period, reporting_currency=reporting_currency)
    columns = [_in_table(found, slug) for slug in TABLE]
    return Overview(
        opening=wording.opening(found),
        period=period,
        balances=list(_cards(found, BALANCES)),
        flows=list(_cards(found, FLOWS)),
        plans=_plans(period.last),
        table_titles=columns,
        table=[Line(day, [_value(figure, day) for figure in columns]) for day in reversed(period.days())],
    )


def _plans(day: date) -> list[tuple[str, str, int]]:
    offered = plans.catalogue().plans
    found = figures.subscriptions_by_plan(day)
    return [(key, offered[key].name if key in offered else key, count) for key, count in found]


def _cards(found: Figures, slugs: Iterable[str]) -> Iterable[Card]:
    for slug in slugs:
        in_money = found.get(slug).metric.unit.is_money
        yield from map(_card, found.in_all_currencies(slug) if in_money else [found.get(slug)])


def _card(figure: Figure) -> Card:
    return Card(
        figure=figure,
        value=wording.amount(figure.value, figure),
        today="" if figure.metric.is_balance else wording.amount(figure.today, figure),
        change=wording.change(figure),
        direction="up" if figure.change > 0 else "down" if figure.change < 0 else "same",
        chart=charts.chart_of(figure),
    )


def _in_table(found: Figures, slug: str) -> Figure:
    figure = found.get(slug)
    return found.get(slug, found.reporting_currency) if figure.metric.unit.is_money else figure


def _value(figure: Figure, day: date) -> tuple[Figure, str]:
    return figure, wording.bare(figure.on(day), figure)
