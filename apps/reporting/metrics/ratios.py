"""What follows from the MRR and the people who pay it."""

from django.utils.translation import gettext_lazy as _

from apps.reporting.metrics.base import DerivedMetric, Parts, Unit
from apps.reporting.metrics.revenue import Mrr, PayingCustomers


class Arr(DerivedMetric):
    """Annual recurring revenue."""

    slug = "arr"
    title = _("ARR")
    unit = Unit.MONEY
    is_balance = True
    parts = (Mrr,)
    formula = _("Annual recurring revenue: the MRR of the last day × 12. A way to say the same figure, not a forecast.")

    def combine(self, parts: Parts) -> int:
        return 12 * parts.end(Mrr.slug)


class Arpa(DerivedMetric):
    """What a paying account brings each month."""

    slug = "arpa"
    title = _("ARPA")
    unit = Unit.MONEY_A_MONTH
    is_balance = True
    parts = (Mrr, PayingCustomers)
    formula = _(
        "Average revenue per account: the MRR of the last day over its paying accounts. n/a while nobody pays. "
        "API credit and overage are not in it."
    )

    def combine(self, parts: Parts) -> int | None:
        paying = parts.end(PayingCustomers.slug)
        return None if paying <= 0 else (2 * parts.end(Mrr.slug) + paying) // (2 * paying)
