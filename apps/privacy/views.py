from typing import cast
from uuid import UUID

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts import audit, consent
from apps.accounts.adapters import CLOSED_ACCOUNT, remember_closed, remember_language
from apps.accounts.forms import TrainingForm
from apps.accounts.models import User
from apps.core import clock
from apps.core.errors import Invalid
from apps.privacy import departures, erasures, exports
from apps.privacy.models import DataRequest
from apps.privacy.registry import STORES

SHOWN_EXPORTS = 5
PROVEN_FOR_S = 10 * 60  # whoever just signed in to a closed account may decide about it


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
@reauthentication_required  # type: ignore[untyped-decorator]  # allauth ships no types
@require_http_methods(["GET", "HEAD", "POST"])
def delete_account(request: HttpRequest) -> HttpResponse:
    user, error = cast(User, request.user), None
    if request.method == "POST":
        try:
            departures.schedule(user, request.POST.get("email", ""), now=clock.now())
        except Invalid as refused:
            error = refused
        else:
            language = user.language
            logout(request)
            remember_closed(request, user)
            return remember_language(redirect("account_inactive"), User(language=language))
    due = clock.now() + departures.WINDOW
    context = {"section": "data", "due": due, "error": error}
    return render(request, "privacy/delete.html", context, status=400 if error else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def show_closed(request: HttpRequest) -> HttpResponse:
    """What who proved to be its owner learns of a closed account; one that is leaving can be kept."""
    departure = _departure_of(request)
    if departure is None:
        return render(request, "account/account_inactive.html")
    if request.method == "POST":
        return _keep(request, departure)
    return render(request, "privacy/leaving.html", {"departure": departure})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def keep_account(request: HttpRequest, token: str) -> HttpResponse:
    """The same by the link of the letter, for those who sign in by code alone."""
    departure = departures.read_link(token, now=clock.now())
    if request.method == "POST":
        return _keep(request, departure)
    return render(request, "privacy/leaving.html", {"departure": departure})


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


def _keep(request: HttpRequest, departure: DataRequest) -> HttpResponse:
    departures.keep(departure.pk, now=clock.now())
    request.session.pop(CLOSED_ACCOUNT, None)
    messages.success(request, _("Your account stays as it was. Sign in to go on."))
    return redirect("account_login")


def _departure_of(request: HttpRequest) -> DataRequest | None:
    told = request.session.get(CLOSED_ACCOUNT)
    now = clock.now()
    if not told or now.timestamp() - told["at"] > PROVEN_FOR_S:
        return None
    return departures.find_departure(UUID(told["user"]), now=now)


def _data_page(request: HttpRequest) -> HttpResponse:
    now = clock.now()
    user = cast(User, request.user)
    asked = DataRequest.objects.exports().filter(user=user).defer("archive").order_by("-asked_at")
    context = {
        "section": "data",
        "stores": STORES,
        "consents": user.consents.order_by("-answered_at", "-id"),
        "looks": audit.looks_at(user),
        "training": TrainingForm(initial={"may_train": consent.may_train(user)}),
        "exports": asked.filter(asked_at__gt=now - exports.KEPT_FOR)[:SHOWN_EXPORTS],
        "is_making": asked.open().exists(),
    }
    return render(request, "privacy/data.html", context)
