"""Who stays and who leaves, and why."""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.reporting import wording
from apps.reporting.figures import Figures
from apps.reporting.sheets.base import Sheet, Split
from apps.reporting.sheets.leaving import EndingPanel, ReasonsPanel, TrialsPanel
from apps.reporting.sheets.retention_tables import CohortMrrPanel, CohortPanel, ConversionPanel, MonthsPanel


def lead(figures: Figures) -> str:
    """How many left, and what of the MRR is kept."""
    lost, kept = figures.get("churned_customers"), figures.leading("nrr")
    words = gettext("{lost} customers were lost in {days} days; those of the start pay {kept} of what they paid.")
    return words.format(
        lost=wording.amount(lost.value, lost), days=lost.period.length, kept=wording.amount(kept.value, kept)
    )


RETENTION = Sheet(
    slug="retention",
    title=_("Retention"),
    lead=lead,
    cards=("customer_churn", "gross_mrr_churn", "net_mrr_churn", "grr", "nrr", "quick_ratio", "quick_ratio_without",
           "churned_customers", "lost_of_start", "joined_and_left", "stripe_churn", "start_churn", "start_contraction",
           "start_expansion"),
    filters=("plan", "interval", "currency", "country"),
    splits=(
        Split("reason", ("churned_customers", "mrr_churn"), _("Lost customers, by cause")),
        Split("plan", ("churned_customers", "mrr_churn"), _("Lost customers, by plan")),
    ),
    panels=(MonthsPanel(), CohortPanel(), CohortMrrPanel(), ConversionPanel(), TrialsPanel(), EndingPanel(),
            ReasonsPanel()),
    by_day=("churned_customers", "new_customers", "reactivated_customers", "mrr_churn"),
)  # fmt: skip
