from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.accounts.gates import staff_may, staff_of
from apps.core import clock
from apps.core.errors import Conflict, Invalid
from apps.reporting import annotations, days, forms, saved_views, weekly
from apps.reporting.sheets.register import get_sheet

VIEW, ANNOTATE = "reporting.view_reports", "reporting.annotate_reports"


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
