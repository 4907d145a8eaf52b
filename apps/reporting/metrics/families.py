"""Every metric by slug, every family by name: the page, the files, the filling and the “?” read the same list."""

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Missing
from apps.reporting.metrics.accounts import Accounts
from apps.reporting.metrics.base import DerivedMetric, Family, Metric
from apps.reporting.metrics.cash import Cash, NetCash, PaymentRecovery
from apps.reporting.metrics.cohorts import Cohorts
from apps.reporting.metrics.cost import Cost
from apps.reporting.metrics.developer import Developer
from apps.reporting.metrics.earnings import Earnings
from apps.reporting.metrics.margin import Margin, MarginRatio
from apps.reporting.metrics.movements import Movements
from apps.reporting.metrics.operations import Operations
from apps.reporting.metrics.people import Activity, Growth
from apps.reporting.metrics.ratios import Arpa, Arr
from apps.reporting.metrics.retention import (
    CustomerChurn,
    GrossMrrChurn,
    Grr,
    NetMrrChurn,
    Nrr,
    QuickRatio,
    QuickRatioWithout,
    StripeChurn,
)
from apps.reporting.metrics.revenue import Revenue
from apps.reporting.metrics.thirty_days import ThirtyDays
from apps.reporting.metrics.trust import Trust
from apps.reporting.metrics.usage import Usage
from apps.reporting.metrics.visits import Visiting

_families: tuple[Family, ...] = (
    Revenue(), Movements(), Cohorts(), Earnings(), Cash(), Usage(), Activity(), Visiting(), Growth(), Cost(),
    Operations(), Trust(), Accounts(), ThirtyDays(), Developer(),
)  # fmt: skip
FAMILIES: dict[str, Family] = {family.name: family for family in _families}
DERIVED: tuple[DerivedMetric, ...] = (
    Margin(), MarginRatio(), Arr(), Arpa(), CustomerChurn(), StripeChurn(), GrossMrrChurn(), NetMrrChurn(), Grr(),
    Nrr(), QuickRatio(), QuickRatioWithout(), NetCash(), PaymentRecovery(),
)  # fmt: skip
METRICS: dict[str, Metric] = {
    metric.slug: metric for metric in (*(m for family in FAMILIES.values() for m in family.metrics), *DERIVED)
}


def get_metric(slug: str) -> Metric:
    """The metric with this slug.

    Raises  Missing: there is none.
    """
    if slug not in METRICS:
        raise Missing(_("There is no such figure."))
    return METRICS[slug]
