"""From the first visit to paying, step by step."""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.reporting import wording
from apps.reporting.addresses import rows_of
from apps.reporting.facts import Facts, read_split
from apps.reporting.figures import Figures
from apps.reporting.metrics.base import ratio
from apps.reporting.metrics.families import METRICS
from apps.reporting.metrics.rows import Column, Kind
from apps.reporting.opened import column_of
from apps.reporting.scope import Scope
from apps.reporting.sheets.base import Line, Panel, Sheet, Split, Table

STEPS = ("visits", "sign_ups", "first_answers", "limits_met", "checkouts", "new_customers")
VISITS, MOST = ("visits", "pricing_visits"), 50


class FunnelPanel(Panel):
    """The steps one after the other."""

    slug = "funnel"
    title = _("From the first visit to paying")
    meaning = _(
        "How many took each step in these days, as a share of the step before and of those who came. The "
        "people of one step need not be those of the step before: who signed up earlier may pay now."
    )
    needs = STEPS

    def read(self, scope: Scope, facts: Facts) -> Table:
        """One line for each step."""
        values = [facts.value(METRICS[slug], "", scope.period) or 0 for slug in STEPS]
        columns = (
            Column("step", _("Step")),
            Column("accounts", _("How many"), Kind.COUNT),
            Column("of_before", _("Of the step before"), Kind.RATIO),
            Column("of_first", _("Of those who came"), Kind.RATIO),
        )
        lines = []
        for index, (slug, value) in enumerate(zip(STEPS, values, strict=True)):
            before = ratio(value, values[index - 1]) if index else None
            cells = (str(METRICS[slug].title), value, before, ratio(value, values[0]))
            lines.append(Line(cells, {"accounts": rows_of(slug, scope.period, {})}))
        return Table(columns, lines, heat=frozenset({"of_first"}))


class SourcesPanel(Panel):
    """Where visitors came from."""

    slug = "sources"
    title = _("Where visitors came from")
    meaning = _(
        "What the link that they followed says of itself (utm_source), or the site on which it stood; “direct” where "
        "there was none. The fifty largest."
    )

    def read(self, scope: Scope, _facts: Facts) -> Table:
        """The largest first. One query."""
        found = read_split(scope, VISITS, "reason")
        columns = (Column("source", _("Came from")), *(column_of(METRICS[slug]) for slug in VISITS))
        lines = [
            Line((source, *(facts.value(METRICS[slug], "", scope.period) or 0 for slug in VISITS)),
                 {slug: rows_of(slug, scope.period, {"reason": source}) for slug in VISITS})
            for source, facts in found.items()
        ]  # fmt: skip
        known = [line for line in lines if any(line.cells[1:])]
        return Table(columns, sorted(known, key=lambda line: [-int(str(cell)) for cell in line.cells[1:]])[:MOST])


def lead(figures: Figures) -> str:
    """Who came, and who paid."""
    came, paid = figures.get("sign_ups"), figures.get("new_customers")
    words = gettext("{came} people signed up in {days} days, {change}; {paid} began to pay.")
    return words.format(
        came=wording.amount(came.value, came), days=came.period.length, change=wording.change(came),
        paid=wording.amount(paid.value, paid),
    )  # fmt: skip


GROWTH = Sheet(
    slug="growth",
    title=_("Growth"),
    lead=lead,
    cards=(
        "visits",
        "pricing_visits",
        "sign_ups",
        "first_answers",
        "limits_met",
        "upgrades_after_limit",
        "checkouts",
        "new_customers",
    ),
    splits=(
        Split("country", ("sign_ups",), _("Sign-ups, by country")),
        Split("reason", ("limits_met", "upgrades_after_limit"), _("Limits met, and what followed")),
    ),
    panels=(FunnelPanel(), SourcesPanel()),
)  # fmt: skip
