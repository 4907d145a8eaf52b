"""Every page of the reports by its slug, in the order of the bar above them."""

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Missing
from apps.reporting.sheets.base import Panel, Sheet
from apps.reporting.sheets.cost import COST
from apps.reporting.sheets.developer import DEVELOPER
from apps.reporting.sheets.growth import GROWTH
from apps.reporting.sheets.operations import OPERATIONS
from apps.reporting.sheets.overview import OVERVIEW
from apps.reporting.sheets.payments import PAYMENTS
from apps.reporting.sheets.retention import RETENTION
from apps.reporting.sheets.revenue import REVENUE
from apps.reporting.sheets.trust import TRUST
from apps.reporting.sheets.usage import USAGE

_sheets = (OVERVIEW, REVENUE, RETENTION, GROWTH, PAYMENTS, USAGE, DEVELOPER, COST, OPERATIONS, TRUST)
SHEETS: dict[str, Sheet] = {sheet.slug: sheet for sheet in _sheets}


def get_sheet(slug: str) -> Sheet:
    """The page with this slug.

    Raises  Missing: there is none.
    """
    if slug not in SHEETS:
        raise Missing(_("There is no such report."))
    return SHEETS[slug]


def get_panel(sheet: Sheet, slug: str) -> Panel:
    """The panel of a page with this slug.

    Raises  Missing: there is none.
    """
    found = next((panel for panel in sheet.panels if panel.slug == slug), None)
    if found is None:
        raise Missing(_("There is no such table."))
    return found
