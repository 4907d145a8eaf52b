"""Revenue less cost, and what is left of each 100: derived from facts, never stored themselves."""

from django.utils.translation import gettext_lazy as _

from apps.reporting.metrics.base import DerivedMetric, Parts, Unit, ratio
from apps.reporting.metrics.cost import ModelCost
from apps.reporting.metrics.earnings import RecognisedRevenue


class Margin(DerivedMetric):
    """Recognised revenue less model cost, in each currency."""

    slug = "margin"
    title = _("Margin")
    unit = Unit.MONEY
    parts = (RecognisedRevenue, ModelCost)
    formula = _(
        "Recognised subscription revenue less the model cost of all counted accounts, free ones included. Payment "
        "fees and infrastructure are not known here and not subtracted; API answers paid from credit that was given "
        "bring no money and are not added."
    )

    def combine(self, parts: Parts) -> int:
        return parts.sum(RecognisedRevenue.slug) - parts.sum(ModelCost.slug)


class MarginRatio(DerivedMetric):
    """The margin as a part of revenue."""

    slug = "margin_ratio"
    title = _("Gross margin")
    unit = Unit.RATIO
    parts = (RecognisedRevenue, ModelCost)
    formula = _(
        "The margin over recognised revenue of the same days. Without revenue it is n/a, not nothing: look at the "
        "margin in money instead."
    )

    def combine(self, parts: Parts) -> int | None:
        earned = parts.sum(RecognisedRevenue.slug)
        return ratio(earned - parts.sum(ModelCost.slug), earned)
