"""Revenue less cost, and what is left of each 100: derived from facts, never stored themselves."""

from typing import ClassVar

from django.utils.translation import gettext_lazy as _

from apps.reporting.metrics.base import DerivedMetric, Parts, StoredMetric, Unit, ratio
from apps.reporting.metrics.cash import PaymentFees
from apps.reporting.metrics.cost import ApiRevenue, Infrastructure, ModelCost
from apps.reporting.metrics.earnings import RecognisedRevenue

EARNED: tuple[type[StoredMetric], ...] = (RecognisedRevenue, ApiRevenue)
SPENT: tuple[type[StoredMetric], ...] = (ModelCost, PaymentFees, Infrastructure)


class Margin(DerivedMetric):
    """Revenue less what it cost, in each currency."""

    slug = "margin"
    title = _("Margin")
    unit = Unit.MONEY
    parts: ClassVar[tuple[type[StoredMetric], ...]] = (*EARNED, *SPENT)
    formula = _(
        "Recognised subscription revenue and API revenue, less model cost, payment fees and infrastructure. The whole "
        "counts the cost of free accounts; a paid plan counts its own alone."
    )

    def combine(self, parts: Parts) -> int:
        return earned(parts) - sum(parts.sum(part.slug) for part in SPENT)


class MarginRatio(DerivedMetric):
    """The margin as a part of what was earned."""

    slug = "margin_ratio"
    title = _("Gross margin")
    unit = Unit.RATIO
    parts: ClassVar[tuple[type[StoredMetric], ...]] = (*EARNED, *SPENT)
    formula = _(
        "The margin over what was earned in the same days. Without revenue it is n/a, not nothing: look at the "
        "margin in money instead."
    )

    def combine(self, parts: Parts) -> int | None:
        return ratio(Margin().combine(parts), earned(parts))


def earned(parts: Parts) -> int:
    """What subscriptions and the API earned."""
    return sum(parts.sum(part.slug) for part in EARNED)
