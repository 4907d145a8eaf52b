from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.models import User
from apps.core import clock
from apps.core.errors import Invalid
from apps.privacy import erasures, exports
from apps.privacy.models import DataRequest
from apps.privacy.registry import STORES

SHOWN_EXPORTS = 5


@login_required
@require_GET
def show_data(request: HttpRequest) -> HttpResponse:
    return _data_page(request)


@login_required
@require_POST
def ask_export(request: HttpRequest) -> HttpResponse:
    exports.ask_export(cast(User, request.user), now=clock.now())
    messages.success(request, _("Your archive is being made. It will be on this page in a moment."))
    return redirect("privacy:data")


@login_required
@require_GET
@never_cache
def fetch_export(request: HttpRequest, request_id: UUID) -> HttpResponse:
    now = clock.now()
    archive = exports.find_archive(cast(User, request.user), request_id, now=now)
    headers = {"Content-Disposition": f'attachment; filename="causerie-{now:%Y-%m-%d}.zip"'}
    return HttpResponse(archive, content_type="application/zip", headers=headers)


@login_required
@require_POST
def delete_account(request: HttpRequest) -> HttpResponse:
    try:
        asked = erasures.ask_erasure(cast(User, request.user), request.POST.get("password", ""), now=clock.now())
    except Invalid as error:
        return _data_page(request, error=error)
    logout(request)
    return redirect("privacy:receipt", asked.pk)


@require_GET
@never_cache
def show_receipt(request: HttpRequest, request_id: UUID) -> HttpResponse:
    receipt = erasures.get_receipt(request_id)
    context = {
        "receipt": receipt,
        "is_done": receipt.state == DataRequest.State.DONE,
        "removed": [(store.title, receipt.receipt.get(store.slug, 0)) for store in STORES],
        "ended": receipt.receipt.get(erasures.STRIPE, 0),
    }
    return render(request, "privacy/receipt.html", context)


def _data_page(request: HttpRequest, *, error: Invalid | None = None) -> HttpResponse:
    now = clock.now()
    asked = DataRequest.objects.exports().filter(user=cast(User, request.user)).defer("archive").order_by("-asked_at")
    context = {
        "section": "data",
        "stores": STORES,
        "exports": asked.filter(asked_at__gt=now - exports.KEPT_FOR)[:SHOWN_EXPORTS],
        "is_making": asked.open().exists(),
        "error": error,
    }
    return render(request, "privacy/data.html", context, status=400 if error else 200)
