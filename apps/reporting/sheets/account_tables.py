"""With whom the service earns and for whom it pays, in one calendar month."""

from datetime import date

from django.db.models import Aggregate, Count, Q, QuerySet, Sum
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core.money import MICRO
from apps.reporting import links, names
from apps.reporting.facts import Facts
from apps.reporting.metrics.base import ratio
from apps.reporting.metrics.rows import Cell, Column, Kind
from apps.reporting.models import AccountMonth
from apps.reporting.scope import Scope
from apps.reporting.sheets.base import Line, Panel, Table

MOST = 10
EDGES = (-10, -1, 0, 1, 5, 10, 50)  # of margins, in major units of the currency


class LossMakersPanel(Panel):
    """The accounts that cost most beyond what they bring."""

    slug = "loss-makers"
    title = _("Loss makers")
    meaning = _(
        "The ten accounts with the lowest margin in money, not in percent, in the calendar month of the last day that "
        "is shown: what they brought less what their answers cost."
    )

    def read(self, scope: Scope, _facts: Facts) -> Table:
        """Ten at the most; none of them earns."""
        columns = (
            Column("account", _("Account")),
            Column("plan", _("Plan")),
            Column("answers", _("Answers"), Kind.COUNT),
            Column("revenue", _("Earned"), Kind.MONEY, currency=_currency(scope)),
            Column("model_cost", _("Model cost"), Kind.MONEY, currency=_currency(scope)),
            Column("margin", _("Margin"), Kind.MONEY, currency=_currency(scope)),
            Column("margin_ratio", _("Gross margin"), Kind.RATIO),
        )
        found = _months(scope).filter(margin_micro__lt=0).order_by("margin_micro", "pk")[:MOST]
        return Table(columns, [_line(row) for row in found], note=_note(scope))


class SpreadPanel(Panel):
    """How many accounts lie in each part of the scale."""

    slug = "margin-spread"
    title = _("Accounts by margin")
    meaning = _("How many accounts brought so much more, or less, than they cost in the calendar month, and in all.")

    def read(self, scope: Scope, _facts: Facts) -> Table:
        """One line for each part of the scale. One query."""
        columns = (
            Column("margin", _("Margin of an account")),
            Column("accounts", _("Accounts"), Kind.COUNT),
            Column("sum", _("Together"), Kind.MONEY, currency=_currency(scope)),
        )
        bounds = list(zip((None, *EDGES), (*EDGES, None), strict=True))
        totals: dict[str, Aggregate] = {}
        for index, (least, most) in enumerate(bounds):
            within = Q() if least is None else Q(margin_micro__gte=least * MICRO)
            within &= Q() if most is None else Q(margin_micro__lt=most * MICRO)
            totals[f"count_{index}"] = Count("pk", filter=within)
            totals[f"sum_{index}"] = Sum("margin_micro", filter=within, default=0)
        found = _months(scope).aggregate(**totals)
        lines = [
            Line((_between(least, most), found[f"count_{index}"], found[f"sum_{index}"]))
            for index, (least, most) in enumerate(bounds)
        ]
        return Table(columns, lines, note=_note(scope))


def month_shown(scope: Scope) -> date:
    """The first day of the calendar month of the last day shown."""
    return scope.period.last.replace(day=1)


def _months(scope: Scope) -> QuerySet[AccountMonth]:
    return AccountMonth.objects.filter(month=month_shown(scope), currency=_currency(scope))


def _currency(scope: Scope) -> str:
    return scope.only.get("currency") or scope.reporting_currency


def _line(row: AccountMonth) -> Line:
    cells: tuple[Cell, ...] = (
        row.account_id.hex[-8:], names.name_of("plan", row.plan), row.answers, row.revenue_micro,
        row.model_cost_micro, row.margin_micro, ratio(row.margin_micro, row.revenue_micro),
    )  # fmt: skip
    return Line(cells, {"account": links.address_of("account", str(row.account_id))})


def _between(least: int | None, most: int | None) -> str:
    if least is None:
        return gettext("below {most}").format(most=most)
    return gettext("{least} and more").format(least=least) if most is None else f"{least} – {most}"


def _note(scope: Scope) -> str:
    return gettext("Of {month}, in {currency}.").format(
        month=f"{month_shown(scope):%Y-%m}", currency=_currency(scope).upper()
    )
