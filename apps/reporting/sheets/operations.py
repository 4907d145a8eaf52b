"""Whether answers come quickly, and whether they come."""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.reporting import wording
from apps.reporting.figures import Figures
from apps.reporting.sheets.base import Sheet, Split

SPLIT = ("failed_answers", "taken_up_again")


def lead(figures: Figures) -> str:
    """How quickly answers began on the last day, and how many failed."""
    median, failed = figures.get("first_token_p50"), figures.get("failed_answers")
    words = gettext("Half of the last day's answers began within {median}; {failed} answers failed in {days} days.")
    return words.format(
        median=wording.amount(median.value, median), failed=wording.amount(failed.value, failed),
        days=failed.period.length,
    )  # fmt: skip


OPERATIONS = Sheet(
    slug="operations",
    title=_("Operations"),
    lead=lead,
    cards=("first_token_p50", "first_token_p95", "queue_wait_p95", "answers_over", "failed_answers", "taken_up_again"),
    filters=("model", "backend", "channel"),
    splits=(
        Split("reason", ("failed_answers",), _("Failed answers, by reason")),
        Split("backend", ("answers_over", *SPLIT), _("By back end")),
        Split("model", ("answers_over", *SPLIT), _("By model")),
    ),
)
