"""What subscriptions bring each month, and what of it is earned."""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.reporting import wording
from apps.reporting.figures import Figures
from apps.reporting.sheets.base import Sheet, Split
from apps.reporting.sheets.bridging import BridgePanel

SPLIT = ("mrr", "subscriptions", "paying_customers", "arpa")


def lead(figures: Figures) -> str:
    """What the MRR is, and what a paying account brings."""
    mrr, arpa = figures.leading("mrr"), figures.leading("arpa")
    words = gettext("MRR is {mrr}, {change}; a paying account brings {arpa} a month.")
    return words.format(
        mrr=wording.amount(mrr.value, mrr), change=wording.change(mrr), arpa=wording.amount(arpa.value, arpa)
    )


REVENUE = Sheet(
    slug="revenue",
    title=_("Revenue"),
    lead=lead,
    cards=("mrr", "arr", "arpa", "subscriptions", "paying_customers", "mrr_new", "mrr_expansion", "mrr_reactivation",
           "mrr_contraction", "mrr_churn", "new_customers", "reactivated_customers", "recognised_revenue",
           "api_revenue", "usage_revenue"),
    filters=("plan", "interval", "currency", "country", "age"),
    splits=(
        Split("plan", SPLIT, _("By plan")),
        Split("interval", SPLIT, _("By interval")),
        Split("currency", SPLIT, _("By currency")),
        Split("country", SPLIT, _("By country")),
        Split("age", SPLIT, _("By age of the account")),
    ),
    panels=(BridgePanel(),),
    files=("mrr_per_customer_month", "mrr_movements"),
)  # fmt: skip
