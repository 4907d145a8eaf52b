from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from apps.accounts.gates import staff_may, staff_of
from apps.billing import plans
from apps.core import clock
from apps.reporting import annotations, choices, days, files, fill, forms, health, pages, saved_views, weekly
from apps.reporting.metrics.rows import FixedRows
from apps.reporting.scope import Scope
from apps.reporting.sheets.base import Sheet
from apps.reporting.sheets.register import SHEETS, get_sheet
from apps.reporting.views.exports import send

VIEW, ANNOTATE = "reporting.view_reports", "reporting.annotate_reports"


@require_GET
@staff_may(VIEW)
def show_sheet(request: HttpRequest, slug: str = "overview") -> HttpResponse:
    sheet, now = get_sheet(slug), clock.now()
    fill.refresh_today(now=now)
    scope = _scope(request, sheet)
    context = {
        **admin.site.each_context(request),
        "title": sheet.title,
        "sheets": SHEETS.values(),
        "page": pages.read_page(sheet, scope),
        "choices": choices.read_choices(sheet, scope),
        "health": health.read_health(now=now),
        "files": [files.get_file(each) for each in sheet.files],
        "query": _asked(scope),
        "notes": annotations.list_in(scope.period),
        "may_annotate": request.user.has_perm(ANNOTATE),
        "views": saved_views.list_of(staff_of(request)),
        "is_weekly": weekly.is_read_by(staff_of(request)),
        "zone": days.zone().key,
    }
    return render(request, "reporting/sheet.html", context)


@require_GET
@staff_may(VIEW)
def export_table(request: HttpRequest, slug: str, table: str) -> StreamingHttpResponse:
    sheet = get_sheet(slug)
    scope = _scope(request, sheet)
    found = pages.read_table(sheet, scope, table)
    rows = FixedRows(found.columns, [line.cells for line in found.lines])
    return send(request, f"{slug}-{table}", rows, scope.period)


def _scope(request: HttpRequest, sheet: Sheet) -> Scope:
    currency = plans.catalogue().currencies[0]
    return forms.read_scope(request.GET, sheet.filters, reporting_currency=currency, now=clock.now())


def _asked(scope: Scope) -> str:
    """The page's address: what is asked, with its days by name, so that it says the same tomorrow."""
    asked = {"from": scope.period.first, "to": scope.period.last, "compare": scope.comparison, **scope.only}
    return urlencode(asked)
