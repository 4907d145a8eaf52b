from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.accounts import audit
from apps.accounts.gates import staff_may, staff_of
from apps.billing import drift
from apps.core import clock, jobs
from apps.reporting import accuracy, health, links, wording
from apps.reporting.sheets.register import SHEETS

VIEW = "reporting.view_reports"


@require_GET
@staff_may(VIEW)
def show_accuracy(request: HttpRequest) -> HttpResponse:
    results = [
        (check, [wording.compared(row, is_money=check.is_money) for row in rows])
        for check, rows in accuracy.read_results()
    ]
    context = {
        **admin.site.each_context(request),
        "title": _("Accuracy"),
        "sheets": SHEETS.values(),
        "checks": results,
        "compared": any(rows for _check, rows in results),
        "differing": accuracy.count_differing(),
        "drift": [(item, links.address_of("account", str(item.account_id or ""))) for item in accuracy.list_drift()],
        "reconciliation": drift.find_last(),
        "health": health.read_health(now=clock.now()),
    }
    return render(request, "reporting/accuracy.html", context)


@require_POST
@staff_may(VIEW)
def check_accuracy(request: HttpRequest) -> HttpResponse:
    with transaction.atomic(durable=True):
        audit.record(staff_of(request), "reports.check", now=clock.now())
        jobs.enqueue("reporting.check_accuracy")
    messages.success(request, _("Everything is compared now. Look again in a moment."))
    return redirect("reporting:accuracy")
