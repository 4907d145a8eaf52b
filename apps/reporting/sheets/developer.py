"""What developers' programs ask."""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.reporting import wording
from apps.reporting.figures import Figures
from apps.reporting.metrics.developer import names_of_keys
from apps.reporting.sheets.base import Sheet, Split

SPLIT = ("api_answers", "api_tokens", "api_price")


def lead(figures: Figures) -> str:
    """How much programs asked, and with how many keys."""
    answers, keys = figures.get("api_answers"), figures.get("active_keys")
    words = gettext("Programs got {answers} answers in {days} days, {change}; {keys} keys were in use on the last day.")
    return words.format(
        answers=wording.amount(answers.value, answers), days=answers.period.length, change=wording.change(answers),
        keys=wording.amount(keys.value, keys),
    )  # fmt: skip


DEVELOPER = Sheet(
    slug="developer",
    title=_("Developer"),
    lead=lead,
    cards=("active_keys", "api_answers", "api_tokens", "api_price", "api_revenue"),
    filters=("model", "channel"),
    splits=(
        Split("reason", SPLIT, _("By key, the busiest of each day by name"), names_of_keys, _("Key")),
        Split("model", SPLIT, _("By model")),
        Split("channel", SPLIT, _("By endpoint")),
    ),
)
