"""What the models cost, and what is left."""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.reporting import wording
from apps.reporting.figures import Figures
from apps.reporting.sheets.account_tables import LossMakersPanel, SpreadPanel
from apps.reporting.sheets.base import Sheet, Split

SPLIT = ("model_cost", "answers")
BY_PLAN = (
    "margin", "margin_ratio", "recognised_revenue", "api_revenue", "model_cost", "payment_fees", "infrastructure",
)  # fmt: skip


def lead(figures: Figures) -> str:
    """What is left of the revenue."""
    margin, cost = figures.leading("margin"), figures.leading("model_cost")
    rate = figures.leading("margin_ratio")
    words = gettext("{margin} is left after {cost} for models: {rate} of what was earned.")
    return words.format(
        margin=wording.amount(margin.value, margin), cost=wording.amount(cost.value, cost),
        rate=wording.amount(rate.value, rate),
    )  # fmt: skip


COST = Sheet(
    slug="cost",
    title=_("Cost and margin"),
    lead=lead,
    cards=(
        "margin", "margin_ratio", "recognised_revenue", "api_revenue", "model_cost", "free_model_cost", "payment_fees",
        "infrastructure", "usage_revenue", "answers",
    ),
    filters=("currency",),
    splits=(
        Split("plan", BY_PLAN, _("Margin by plan")),
        Split("model", SPLIT, _("By model")),
        Split("backend", SPLIT, _("By back end")),
        Split("channel", SPLIT, _("By channel")),
    ),
    panels=(LossMakersPanel(), SpreadPanel()),
    files=("customer_margin", "usage_cost"),
)  # fmt: skip
