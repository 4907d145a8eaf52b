"""How much is asked and answered."""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.reporting import wording
from apps.reporting.figures import Figures
from apps.reporting.sheets.base import Sheet, Split

SPLIT = ("answers", "messages", "input_tokens", "output_tokens")


def lead(figures: Figures) -> str:
    """How many answers, and what became of them."""
    answers, written = figures.get("answers"), figures.get("output_tokens")
    words = gettext("{answers} answers in {days} days, {change}, with {tokens} tokens written.")
    return words.format(
        answers=wording.amount(answers.value, answers), days=answers.period.length, change=wording.change(answers),
        tokens=wording.amount(written.value, written),
    )  # fmt: skip


USAGE = Sheet(
    slug="usage",
    title=_("Usage"),
    lead=lead,
    cards=("active_day", "active_week", "active_month", *SPLIT),
    filters=("plan", "model", "channel"),
    splits=(
        Split("plan", SPLIT, _("By plan")),
        Split("model", SPLIT, _("By model")),
        Split("channel", SPLIT, _("By channel")),
        Split("provenance", SPLIT, _("How the tokens are known")),
    ),
    by_day=("active_day", *SPLIT),
)
