from django.db import transaction
from django.http import HttpRequest, StreamingHttpResponse
from django.views.decorators.http import require_GET

from apps.accounts import audit
from apps.accounts.gates import staff_may, staff_of
from apps.core import clock
from apps.reporting import csv_export, days, files, forms, opened
from apps.reporting.days import Period
from apps.reporting.metrics.rows import Rows

VIEW = "reporting.view_reports"


@require_GET
@staff_may(VIEW)
def export_days(request: HttpRequest) -> StreamingHttpResponse:
    period = forms.read_slice(request.GET, today=days.day_of(clock.now())).period
    return send(request, "daily_facts", opened.fact_rows(period), period)


@require_GET
@staff_may(VIEW)
def export_file(request: HttpRequest, slug: str) -> StreamingHttpResponse:
    period = forms.read_slice(request.GET, today=days.day_of(clock.now())).period
    return send(request, slug, files.get_file(slug).rows(period), period)


def send(request: HttpRequest, name: str, rows: Rows, period: Period) -> StreamingHttpResponse:
    """Note who takes how much away, then send it."""
    details = {"file": name, "from": str(period.first), "to": str(period.last), "rows": rows.count()}
    with transaction.atomic(durable=True):
        audit.record(staff_of(request), "export.csv", details=details, now=clock.now())
    headers = {
        "Content-Disposition": f'attachment; filename="{name}-{period.first}-{period.last}.csv"',
        "Cache-Control": "no-store",
    }
    return StreamingHttpResponse(csv_export.stream(rows), content_type="text/csv; charset=utf-8", headers=headers)
