"""The first page: is the business well?"""

from django.utils.translation import gettext_lazy as _

from apps.reporting import wording
from apps.reporting.sheets.base import Sheet, Split
from apps.reporting.sheets.bridging import BridgePanel

OVERVIEW = Sheet(
    slug="overview",
    title=_("Overview"),
    lead=wording.opening,
    cards=("mrr", "subscriptions", "paying_customers", "free_accounts", "customer_churn", "gross_mrr_churn",
           "margin", "margin_ratio", "recognised_revenue",
           "model_cost", "usage_revenue", "messages", "answers"),
    splits=(Split("plan", ("subscriptions", "paying_customers", "mrr"), _("By plan")),),
    panels=(BridgePanel(),),
    by_day=("mrr", "paying_customers", "free_accounts", "margin", "recognised_revenue", "model_cost", "messages"),
    files=("metrics_summary",),
)  # fmt: skip
