"""With whom the service earned and for whom it paid, in the thirty days up to the last day that is shown."""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.reporting import links, names
from apps.reporting.facts import Facts
from apps.reporting.metrics.base import ratio
from apps.reporting.metrics.rows import Cell, Column, Kind
from apps.reporting.metrics.thirty_days import BANDS
from apps.reporting.models import LossMaker, MarginBand
from apps.reporting.scope import Scope
from apps.reporting.sheets.base import Line, Panel, Table


class LossMakersPanel(Panel):
    """The accounts that cost most beyond what they bring."""

    slug = "loss-makers"
    title = _("Loss makers")
    meaning = _(
        "The ten accounts with the lowest margin in money, not in percent, over the thirty days up to the last day "
        "that is shown: what they brought less what their answers cost, where that is a cent or more. Who pays in "
        "another currency than they cost in is not judged."
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
        found = LossMaker.objects.filter(day=scope.period.last, currency=_currency(scope)).order_by(
            "margin_micro", "account"
        )
        return Table(columns, [_line(row) for row in found], note=_note(scope))


class SpreadPanel(Panel):
    """How many accounts lie in each part of the scale."""

    slug = "margin-spread"
    title = _("Accounts by margin")
    meaning = _(
        "How many accounts brought so much more, or less, than they cost over the thirty days up to the last day that "
        "is shown, and what that comes to together."
    )

    def read(self, scope: Scope, _facts: Facts) -> Table:
        """One line for each part of the scale. One query."""
        columns = (
            Column("margin", _("Margin of an account")),
            Column("accounts", _("Accounts"), Kind.COUNT),
            Column("sum", _("Together"), Kind.MONEY, currency=_currency(scope)),
        )
        found = {row.band: row for row in MarginBand.objects.filter(day=scope.period.last, currency=_currency(scope))}
        lines = [
            Line((_between(least, most), row.accounts if row else 0, row.margin_micro if row else 0))
            for (least, most), row in ((bounds, found.get(number)) for number, bounds in enumerate(BANDS))
        ]
        return Table(columns, lines, note=_note(scope))


def _currency(scope: Scope) -> str:
    return scope.only.get("currency") or scope.reporting_currency


def _line(row: LossMaker) -> Line:
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
    return gettext("Of the thirty days up to {day}, in {currency}.").format(
        day=scope.period.last, currency=_currency(scope).upper()
    )
