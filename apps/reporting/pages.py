"""A page of the reports in words and numbers, ready to print."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.reporting import charts, figures, splits, wording
from apps.reporting.charts import Chart
from apps.reporting.facts import read_facts
from apps.reporting.figures import Figure, Figures
from apps.reporting.metrics.base import WHOLE
from apps.reporting.metrics.families import METRICS
from apps.reporting.metrics.rows import Cell, Column, Kind
from apps.reporting.opened import DAY, column_of, name_in
from apps.reporting.scope import Scope
from apps.reporting.sheets.base import Line, Sheet, Split, Table, Words
from apps.reporting.sheets.register import get_panel

MOST_DAYS = 92  # a table of more days says less than one of months; its file has every day
MONTH = Column("month", _("Month"))


@dataclass(frozen=True)
class Card:
    """One figure on the page. `today` is empty where the value is the last day's already."""

    figure: Figure
    value: str
    today: str
    change: str
    direction: str  # good, bad, or same
    chart: Chart
    opens: str

    @property
    def id(self) -> str:
        return f"{self.figure.metric.slug}-{self.figure.currency or 'all'}"

    @property
    def chart_id(self) -> str:
        return f"chart-{self.id}"


@dataclass(frozen=True)
class Printed:
    """One cell of a table, as it is shown. `heat`: 0 to 1, how much of its colour; None: it has none."""

    text: str
    kind: str
    url: str = ""
    heat: float | None = None
    is_faint: bool = False
    title: str = ""


@dataclass(frozen=True)
class Block:
    """One table of the page, with its file."""

    slug: str
    title: Words
    meaning: Words
    columns: tuple[Column, ...]
    lines: list[list[Printed]]
    chart: Chart | None
    note: Words

    @property
    def chart_id(self) -> str:
        return f"chart-{self.slug}"


@dataclass(frozen=True)
class Page:
    """The page. `left_out`: figures that do not know a dimension which the page is narrowed by."""

    sheet: Sheet
    scope: Scope
    lead: str
    cards: list[Card]
    blocks: list[Block]
    over_time: Table
    over_time_lines: list[list[Printed]]
    left_out: list[Words]

    @property
    def is_by_month(self) -> bool:
        return self.over_time.columns[0] == MONTH

    @property
    def over_time_title(self) -> Words:
        return _("Month by month") if self.is_by_month else _("Day by day")


def read_page(sheet: Sheet, scope: Scope) -> Page:
    """Read everything the page shows from daily facts: one query for its figures, one for each split."""
    known = [slug for slug in sheet.cards if is_known(slug, scope)]
    daily = [slug for slug in sheet.by_day or sheet.cards if is_known(slug, scope)]
    found = figures.read_figures(
        scope, {*sheet.cards, *daily, *(slug for panel in sheet.panels for slug in panel.needs)}
    )
    table = (by_month if scope.period.length > MOST_DAYS else by_day)(found, daily)
    blocks = [_block(one.name, one.title, "", splits.read(one, scope)) for one in _splits(sheet, scope)]
    blocks += [_block(panel.slug, panel.title, panel.meaning, panel.read(scope, found.facts)) for panel in sheet.panels]
    return Page(
        sheet=sheet,
        scope=scope,
        lead=sheet.lead(found),
        cards=[_card(figure) for slug in known for figure in found.in_all_currencies(slug)],
        blocks=blocks,
        over_time=table,
        over_time_lines=[_printed(table, line) for line in table.lines],
        left_out=[METRICS[slug].title for slug in sheet.cards if slug not in known],
    )


def read_table(sheet: Sheet, scope: Scope, slug: str) -> Table:
    """One table of the page, for its file.

    Raises  Missing: the page has no such table.
    """
    if slug == "by-day":
        daily = [one for one in sheet.by_day or sheet.cards if is_known(one, scope)]
        return by_day(figures.read_figures(scope, daily), daily)
    for one in _splits(sheet, scope):
        if slug == one.name:
            return splits.read(one, scope)
    panel = get_panel(sheet, slug)
    return panel.read(scope, read_facts(scope, panel.needs))


def is_known(slug: str, scope: Scope) -> bool:
    """Whether a figure can be narrowed as the page is."""
    return all(METRICS[slug].is_split_by(name) for name in scope.only)


def by_day(found: Figures, slugs: Iterable[str]) -> Table:
    """The page's figures day by day, the latest first."""
    shown = [found.leading(slug) for slug in slugs]
    columns = tuple(column_of(figure.metric, figure.currency) for figure in shown)
    days = reversed(found.scope.period.days())
    addresses = {name_in(figure.metric.slug, figure.currency): _address_by_day(figure) for figure in shown}
    lines = [
        Line(
            (day, *(figure.on(day) for figure in shown)),
            {name: address.format(day=day) for name, address in addresses.items()},
        )
        for day in days
    ]
    return Table((DAY, *columns), lines)


def by_month(found: Figures, slugs: Iterable[str]) -> Table:
    """The page's figures month by month, the latest first; the first and the last may be parts of one."""
    shown = [found.leading(slug) for slug in slugs]
    period = found.scope.period
    lines = []
    for month in reversed(period.months()):
        parts = [replace(figure, period=month) for figure in shown]
        opens = {name_in(figure.metric.slug, figure.currency): rows_address(figure) for figure in parts}
        lines.append(Line((f"{month.first:%Y-%m}", *(figure.value for figure in parts)), opens))
    return Table((MONTH, *(column_of(figure.metric, figure.currency) for figure in shown)), lines)


def rows_address(figure: Figure) -> str:
    """Where the rows behind a figure are, of its whole period."""
    period = figure.period
    if figure.metric.is_balance:
        return _address_by_day(figure).format(day=period.last)
    asked = {"from": str(period.first), "to": str(period.last), **_part_of(figure)}
    return f"{reverse('reporting:rows', args=[figure.metric.slug])}?{urlencode(asked)}"


def _address_by_day(figure: Figure) -> str:
    """Where the rows behind a figure are, with a place for the day: a year's table asks for thousands of them."""
    tail = urlencode(_part_of(figure))  # quoted: no braces in it
    return f"{reverse('reporting:rows', args=[figure.metric.slug])}?day={{day}}{'&' if tail else ''}{tail}"


def _part_of(figure: Figure) -> dict[str, str]:
    return ({"currency": figure.currency} if figure.currency else {}) | dict(figure.only)


def _splits(sheet: Sheet, scope: Scope) -> list[Split]:
    return [one for one in sheet.splits if all(is_known(slug, scope) for slug in one.metrics)]


def _card(figure: Figure) -> Card:
    shows_today = not figure.metric.is_balance and figure.metric.unit not in charts.RATES
    return Card(
        figure=figure,
        value=wording.amount(figure.value, figure),
        today=wording.amount(figure.today, figure) if shows_today else "",
        change=wording.change(figure),
        direction=_direction(figure),
        chart=charts.chart_of(figure),
        opens=rows_address(figure),
    )


def _direction(figure: Figure) -> str:
    if not figure.change or not figure.metric.more_is:
        return "same"
    return "good" if (figure.change > 0) == (figure.metric.more_is == "good") else "bad"


def _block(slug: str, title: Words, meaning: Words, table: Table) -> Block:
    lines = [_printed(table, line) for line in table.lines]
    return Block(slug, title, meaning, table.columns, lines, table.chart, table.note)


def _printed(table: Table, line: Line) -> list[Printed]:
    named = dict(zip((column.name for column in table.columns), line.cells, strict=True))
    currency = str(named.get("currency") or "")
    most = max((value for name, value in named.items() if name in table.heat and isinstance(value, int)), default=0)
    return [
        Printed(
            text=_text(column, named[column.name], currency),
            kind=column.kind,
            url=line.opens.get(column.name, ""),
            heat=_heat(named[column.name], column.kind, most) if column.name in table.heat else None,
            is_faint=column.name in line.faint,
            title=line.titles.get(column.name, ""),
        )
        for column in table.columns
    ]


def _text(column: Column, value: Cell, currency: str) -> str:
    text = wording.rounded(value, column.kind, "" if column.currency else currency)
    is_more = column.is_change and isinstance(value, int) and value > 0
    return f"+{text}" if is_more else text


def _heat(value: Cell, kind: Kind, most: int) -> float | None:
    if not isinstance(value, int):
        return None
    whole = WHOLE if kind is Kind.RATIO else most
    return min(max(value / whole, 0), 1) if whole > 0 else 0
