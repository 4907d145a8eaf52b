from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.accounts import audit
from apps.accounts.gates import staff_may, staff_of
from apps.billing import plans
from apps.core import clock
from apps.core.errors import Conflict, Invalid
from apps.reporting import (
    annotations,
    choices,
    csv_export,
    days,
    figures,
    files,
    fill,
    forms,
    health,
    links,
    opened,
    pages,
    saved_views,
    weekly,
    wording,
)
from apps.reporting.days import Period
from apps.reporting.metrics.base import Slice
from apps.reporting.metrics.families import get_metric
from apps.reporting.metrics.rows import Column, FixedRows, Row, Rows
from apps.reporting.scope import Scope
from apps.reporting.sheets.base import Sheet
from apps.reporting.sheets.register import SHEETS, get_sheet

VIEW, ANNOTATE = "reporting.view_reports", "reporting.annotate_reports"
ROWS_A_PAGE = 50


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
    return _export(request, f"{slug}-{table}", rows, scope.period)


@require_GET
@staff_may(VIEW)
def show_rows(request: HttpRequest, slug: str) -> HttpResponse:
    metric = get_metric(slug)
    part = forms.read_slice(request.GET, today=days.day_of(clock.now()))
    rows = opened.rows_behind(metric, part)
    page = rows.page(request.GET.get("after", ""), ROWS_A_PAGE + 1)
    totals = figures.totals_of(metric, part)
    context = {
        **admin.site.each_context(request),
        "title": metric.title,
        "metric": metric,
        "period": part.period,
        "totals": [wording.total(value, metric, currency) for currency, value in totals.items()],
        "columns": rows.columns,
        "rows": [_printed(rows.columns, row) for row in page[:ROWS_A_PAGE]],
        "next": page[ROWS_A_PAGE - 1].key if len(page) > ROWS_A_PAGE else "",
        "query": _query(part),
        "as_of": fill.last_filled_at(),
    }
    return render(request, "reporting/rows.html", context)


@require_GET
@staff_may(VIEW)
def export_rows(request: HttpRequest, slug: str) -> StreamingHttpResponse:
    metric = get_metric(slug)
    part = forms.read_slice(request.GET, today=days.day_of(clock.now()))
    return _export(request, slug, opened.rows_behind(metric, part), part.period)


@require_GET
@staff_may(VIEW)
def export_days(request: HttpRequest) -> StreamingHttpResponse:
    period = forms.read_slice(request.GET, today=days.day_of(clock.now())).period
    return _export(request, "daily_facts", opened.fact_rows(period), period)


@require_GET
@staff_may(VIEW)
def export_file(request: HttpRequest, slug: str) -> StreamingHttpResponse:
    period = forms.read_slice(request.GET, today=days.day_of(clock.now())).period
    return _export(request, slug, files.get_file(slug).rows(period), period)


@require_POST
@staff_may(ANNOTATE)
def write_annotation(request: HttpRequest) -> HttpResponse:
    try:
        day = forms.read_day(request.POST, today=days.day_of(clock.now()))
        annotations.write(day, request.POST.get("text", ""), by=staff_of(request), now=clock.now())
    except Invalid as error:
        messages.error(request, str(error.sentence))
    return _back(request)


@require_POST
@staff_may(ANNOTATE)
def remove_annotation(request: HttpRequest, annotation_id: UUID) -> HttpResponse:
    annotations.remove(annotation_id, by=staff_of(request), now=clock.now())
    return _back(request)


@require_POST
@staff_may(VIEW)
def save_view(request: HttpRequest, slug: str) -> HttpResponse:
    sheet, query = get_sheet(slug), request.POST.get("query", "")
    try:
        saved_views.keep(staff_of(request), request.POST.get("name", ""), sheet, query, now=clock.now())
    except (Invalid, Conflict) as error:
        messages.error(request, str(error.sentence))
    return _back(request)


@require_POST
@staff_may(VIEW)
def remove_view(request: HttpRequest, view_id: UUID) -> HttpResponse:
    saved_views.remove(staff_of(request), view_id)
    return _back(request)


@require_POST
@staff_may(VIEW)
def change_weekly(request: HttpRequest) -> HttpResponse:
    if request.POST.get("wanted") == "yes":
        weekly.begin(staff_of(request), now=clock.now())
        messages.success(request, _("You will get the report of each week by mail, from next Monday on."))
    else:
        weekly.end(staff_of(request))
        messages.success(request, _("You will get no more weekly reports."))
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    """To the page whose form was sent; never to another site."""
    asked = request.POST.get("back", "")
    is_ours = asked.startswith(reverse("reporting:overview")) and url_has_allowed_host_and_scheme(asked, None)
    return redirect(asked if is_ours else "reporting:overview")


def _export(request: HttpRequest, name: str, rows: Rows, period: Period) -> StreamingHttpResponse:
    """Note who takes how much away, then send it."""
    details = {"file": name, "from": str(period.first), "to": str(period.last), "rows": rows.count()}
    with transaction.atomic(durable=True):
        audit.record(staff_of(request), "export.csv", details=details, now=clock.now())
    headers = {
        "Content-Disposition": f'attachment; filename="{name}-{period.first}-{period.last}.csv"',
        "Cache-Control": "no-store",
    }
    return StreamingHttpResponse(csv_export.stream(rows), content_type="text/csv; charset=utf-8", headers=headers)


def _printed(columns: tuple[Column, ...], row: Row) -> list[dict[str, str]]:
    """A row's cells as text, with the address of the rows behind a cell that is itself a figure."""
    named = {column.name: cell for column, cell in zip(columns, row.cells, strict=True)}
    currency = str(named.get("currency", ""))
    return [
        {
            "text": wording.cell(named[column.name], column.kind, currency),
            "kind": column.kind,
            "url": _opened(column.opens, named["day"], currency)
            if column.opens
            else links.address_of(column.name, named[column.name]),
        }
        for column in columns
        if column.name != "currency"  # each amount says it
    ]


def _opened(slug: str, day: object, currency: str) -> str:
    return f"{reverse('reporting:rows', args=[slug])}?{urlencode({'day': str(day), 'currency': currency})}"


def _query(part: Slice) -> str:
    return urlencode({"from": part.period.first, "to": part.period.last, **part.only})


def _scope(request: HttpRequest, sheet: Sheet) -> Scope:
    currency = plans.catalogue().currencies[0]
    return forms.read_scope(request.GET, sheet.filters, reporting_currency=currency, now=clock.now())


def _asked(scope: Scope) -> str:
    """The page's address: what is asked, with its days by name, so that it says the same tomorrow."""
    asked = {"from": scope.period.first, "to": scope.period.last, "compare": scope.comparison, **scope.only}
    return urlencode(asked)
