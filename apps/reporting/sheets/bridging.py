"""The MRR from start to end, step by step, as a table and as bars."""

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.reporting import bridge, charts
from apps.reporting.addresses import rows_of
from apps.reporting.bridge import SLUGS, STEPS, Bridge
from apps.reporting.charts import Chart
from apps.reporting.exchange import read_rates
from apps.reporting.facts import Facts
from apps.reporting.metrics.movements import TYPES
from apps.reporting.metrics.rows import Cell, Column, Kind
from apps.reporting.scope import Scope
from apps.reporting.sheets.base import Line, Panel, Table

NAMES: dict[str, Promise] = {
    "start": _("At the start"),
    **TYPES,
    "rates": _("Exchange rates"),
    "gap": _("Not explained: days are still computed"),
    "end": _("At the end"),
}


class BridgePanel(Panel):
    """Start, movements and end of the MRR."""

    slug = "bridge"
    title = _("How the MRR moved")
    meaning = _(
        "MRR when the days began, plus new, expansion and reactivation, less contraction and churn, is the MRR at "
        "their end, exactly. Several currencies are also shown in the first one, where staff entered exchange rates: "
        "each movement at its day’s rate, each balance at the rate of its last day; the difference is what rates did."
    )

    needs = SLUGS

    def read(self, scope: Scope, facts: Facts) -> Table:
        """One column for each currency, and one for all together where rates are known."""
        leading = scope.only.get("currency") or scope.reporting_currency
        others = facts.currencies(SLUGS) - {leading}
        currencies = [leading, *sorted(others)]
        columns = [Column("step", _("Step"))]
        columns += [Column(f"mrr_{one}", _("MRR"), Kind.MONEY, currency=one) for one in currencies]
        bridges = [bridge.bridge_of(facts, one, scope.period) for one in currencies]
        note, in_all = "", self._in_all(facts, currencies, scope) if others else None
        if in_all is not None:
            columns.append(Column("mrr_all", _("All, in"), Kind.MONEY, currency=leading))
            bridges.append(in_all)
        elif others:
            note = gettext("For all currencies together, enter their exchange rates in the admin.")
        is_gap = any(one.rest for one in bridges[: len(currencies)])
        left_out = {*(() if is_gap else ("gap",)), *(() if in_all else ("rates",))}
        lines = [_line(name, bridges, currencies, scope) for name in NAMES if name not in left_out]
        return Table(tuple(columns), lines, chart=_chart(facts, leading, scope), note=note)

    def _in_all(self, facts: Facts, currencies: list[str], scope: Scope) -> Bridge | None:
        rates = read_rates(currencies, reporting_currency=scope.reporting_currency, until=scope.period.last)
        return bridge.bridge_in_all(facts, currencies, scope.period, rates)


def _line(name: str, bridges: list[Bridge], currencies: list[str], scope: Scope) -> Line:
    cells: list[Cell] = [_value(name, one, is_sum=at >= len(currencies)) for at, one in enumerate(bridges)]
    opens = {}
    if name in STEPS:
        slug = STEPS[name][0]
        opens = {f"mrr_{one}": rows_of(slug, scope.period, scope.only, one) for one in currencies}
    return Line((str(NAMES[name]), *cells), opens)


def _value(name: str, one: Bridge, *, is_sum: bool) -> int | None:
    """What a column shows in a line: only the sum of currencies knows rates, and only one of them shows a gap."""
    rest = {"rates": one.rest if is_sum else None, "gap": None if is_sum else one.rest}
    return {"start": one.start, "end": one.end, **one.steps, **rest}[name]


def _chart(facts: Facts, currency: str, scope: Scope) -> Chart:
    days = scope.period.days()
    series: list[tuple[str, list[int | None]]] = []
    for name, (slug, sign) in STEPS.items():
        daily = facts.by_day(slug, currency)
        series.append((str(NAMES[name]), [sign * daily.get(day, 0) for day in days]))
    return charts.chart(_("How the MRR moved"), days, series, kind="stack", unit=currency)
