"""The tables of a customer's page."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.core import money
from apps.reporting.models import AccountMonth
from apps.staff.customers import Customer


@dataclass(frozen=True)
class Row:
    """One line."""

    cells: Sequence[object]


@dataclass(frozen=True)
class Table:
    """Columns and the newest rows."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Row]


def tables_of(customer: Customer, *, with_money: bool) -> list[Table]:
    """Notes and acts first: they say what went before."""
    return [
        Table(_("Notes"), (_("When"), _("Who"), _("Text")),
              [Row((note.written_at, note.author or "–", note.text)) for note in customer.notes]),
        Table(_("What was done"), (_("When"), _("Who"), _("What"), _("Why")),
              [Row((act.happened_at, act.actor or "–", act.action, act.reason or "–")) for act in customer.acts]),
        Table(_("Limits"), (_("What"), _("Used"), _("Limit"), _("Resets")),
              [Row((f"{one.meter} {', '.join(one.models)}", one.used, one.limit, one.resets_at or "–"))
               for one in customer.limits]),
        *([_months(customer)] if with_money else []),
        Table(_("API keys"), (_("Key"), _("Name"), _("Last used"), _("Revoked")),
              [Row((key.hint, key.name, key.last_used_at or "–", key.revoked_at or "–")) for key in customer.keys]),
        Table(_("Requests about their data"), (_("When"), _("What"), _("State"), _("Due")),
              [Row((one.asked_at, one.kind, one.state, one.next_at)) for one in customer.requests]),
    ]  # fmt: skip


def _months(customer: Customer) -> Table:
    columns = (
        _("Month"), _("Plan"), _("Answers"), _("Earned"), _("Model cost"), _("Fees"), _("Infrastructure"), _("Margin"),
    )  # fmt: skip
    return Table(_("What they brought and cost"), columns, [Row(_month_cells(month)) for month in customer.months])


def _month_cells(month: AccountMonth) -> tuple[object, ...]:
    amounts = (
        month.revenue_micro, month.model_cost_micro, month.fees_micro, month.infrastructure_micro, month.margin_micro,
    )  # fmt: skip
    told = (money.in_words(micro, month.currency) for micro in amounts)
    return (f"{month.month:%Y-%m}", month.plan, month.answers, *told)
