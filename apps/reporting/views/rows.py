from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from apps.accounts.gates import staff_may
from apps.core import clock
from apps.reporting import days, figures, fill, forms, links, opened, wording
from apps.reporting.metrics.base import Slice
from apps.reporting.metrics.families import get_metric
from apps.reporting.metrics.rows import Column, Row
from apps.reporting.views.exports import send

VIEW = "reporting.view_reports"
ROWS_A_PAGE = 50


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
    return send(request, slug, opened.rows_behind(metric, part), part.period)


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
