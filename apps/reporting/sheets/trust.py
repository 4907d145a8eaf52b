"""What people agreed to and reported, and how often staff looked."""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.reporting import wording
from apps.reporting.figures import Figures
from apps.reporting.sheets.base import Sheet, Split


def lead(figures: Figures) -> str:
    """How many agreed, and how often staff looked."""
    given, looks = figures.get("consents_given"), figures.get("staff_looks")
    words = gettext("{given} consents were given in {days} days; staff looked at customers' pages {looks} times.")
    return words.format(
        given=wording.amount(given.value, given), days=given.period.length, looks=wording.amount(looks.value, looks)
    )


TRUST = Sheet(
    slug="trust",
    title=_("Trust"),
    lead=lead,
    cards=(
        "consents_given",
        "consents_withdrawn",
        "data_exports",
        "erasures_asked",
        "erasures",
        "content_reports",
        "content_reports_judged",
        "staff_looks",
        "staff_acts",
    ),
    splits=(
        Split("reason", ("consents_given", "consents_withdrawn", "staff_acts"), _("By document, and by kind of act")),
        Split(
            "reason",
            ("content_reports", "content_reports_judged"),
            _("Reported answers, by reason and verdict"),
            slug="reported",
        ),
    ),
)
