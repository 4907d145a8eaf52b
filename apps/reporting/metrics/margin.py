"""Revenue less cost: derived from facts, never stored itself."""

from collections.abc import Mapping
from datetime import date
from typing import ClassVar

from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from apps.reporting.metrics.base import Metric, Slice, StoredMetric, Unit
from apps.reporting.metrics.cost import ModelCost
from apps.reporting.metrics.earnings import RecognisedRevenue
from apps.reporting.metrics.rows import Cell, Column, FixedRows, Kind, Rows
from apps.reporting.models import MetricDay

COLUMNS = (
    Column("day", _("Day"), Kind.DAY),
    Column("currency", _("Currency")),
    Column("recognised", _("Recognised revenue"), Kind.MONEY, opens=RecognisedRevenue.slug),
    Column("cost", _("Model cost"), Kind.MONEY, opens=ModelCost.slug),
    Column("margin", _("Margin"), Kind.MONEY),
)


class Margin(Metric):
    """Recognised revenue less model cost, in each currency."""

    slug = "margin"
    title = _("Margin")
    unit = Unit.MONEY
    terms: ClassVar[Mapping[type[StoredMetric], int]] = {RecognisedRevenue: 1, ModelCost: -1}
    formula = _(
        "Recognised subscription revenue less the model cost of all counted accounts, free ones included. Payment "
        "fees and infrastructure are not known here and not subtracted; API answers paid from credit that was given "
        "bring no money and are not added."
    )

    def rows(self, part: Slice) -> Rows:
        """One row for each day and currency on which something was earned or spent."""
        slugs = [metric.slug for metric in self.terms]
        facts = MetricDay.objects.filter(
            metric__in=slugs, day__gte=part.period.first, day__lte=part.period.last
        ).order_by("day", "currency")
        if part.currency:
            facts = facts.filter(currency=part.currency)
        totals: dict[tuple[date, str], dict[str, int]] = {}
        for fact in facts.values("day", "currency", "metric").annotate(total=Sum("value")):
            totals.setdefault((fact["day"], fact["currency"]), {})[fact["metric"]] = int(fact["total"])
        return FixedRows(COLUMNS, [_cells(day, currency, sums) for (day, currency), sums in totals.items()])


def margin_of(sums: Mapping[str, int]) -> int:
    """Micro-units left, from the sums of the metrics that make up the margin, by slug."""
    return sum(sign * sums.get(metric.slug, 0) for metric, sign in Margin.terms.items())


def _cells(day: date, currency: str, sums: Mapping[str, int]) -> tuple[Cell, ...]:
    earned, cost = sums.get(RecognisedRevenue.slug, 0), sums.get(ModelCost.slug, 0)
    return (day, currency, earned, cost, margin_of(sums))
