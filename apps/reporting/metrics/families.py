"""Every metric by slug, every family by name: the page, the files, the filling and the “?” read the same list."""

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Missing
from apps.reporting.metrics.base import Family, Metric
from apps.reporting.metrics.cost import Cost
from apps.reporting.metrics.earnings import Earnings
from apps.reporting.metrics.margin import Margin
from apps.reporting.metrics.revenue import Revenue
from apps.reporting.metrics.usage import Usage

FAMILIES: dict[str, Family] = {family.name: family for family in (Revenue(), Earnings(), Usage(), Cost())}
METRICS: dict[str, Metric] = {
    metric.slug: metric for metric in (*(m for family in FAMILIES.values() for m in family.metrics), Margin())
}


def get_metric(slug: str) -> Metric:
    """The metric with this slug.

    Raises  Missing: there is none.
    """
    if slug not in METRICS:
        raise Missing(_("There is no such figure."))
    return METRICS[slug]
