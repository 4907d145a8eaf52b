"""Pages that belong to no room: the landing page, what machines ask about health, and how errors look."""

import secrets

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.accounts import throttles, visits
from apps.chat import trying
from apps.core import answers, clock
from apps.core.errors import CauserieError, Invalid, Missing, NotAllowed
from project import metrics, readiness

SERVICE_UNAVAILABLE = 503
TOO_MANY = 429
MACHINE_PATHS = ("/api/", "/v1/")
CLOSED_TO_ROBOTS = ("/accounts/", "/admin/", "/api/", "/chat/", "/settings/", "/v1/")


@require_safe
def show_home(request: HttpRequest) -> HttpResponse:
    """Show the landing page, also to people who are signed in."""
    visits.count(request, visits.HOME, now=clock.now())
    return render(request, "home.html", {"can_try": trying.is_possible()})


@login_required
def lead_to_security(_request: HttpRequest) -> HttpResponse:
    """One page of ours shows what allauth has three for."""
    return redirect("accounts:security")


@login_required
def lead_to_email(_request: HttpRequest) -> HttpResponse:
    """A person has one address, and changes it on a page of ours."""
    return redirect("accounts:email")


@require_safe
def list_robots(_request: HttpRequest) -> HttpResponse:
    """Keep robots to the public pages."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in CLOSED_TO_ROBOTS)]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain")


@never_cache
@require_safe
def answer_alive(_request: HttpRequest) -> JsonResponse:
    """This process answers; nothing else is asked."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def answer_ready(_request: HttpRequest) -> JsonResponse:
    """Whether requests may come: 503 while something is missing, with its name."""
    checks = readiness.checks()
    is_ready = all(word == readiness.OK for word in checks.values())
    body = {"status": "ok" if is_ready else "not ready", "checks": checks}
    return JsonResponse(body, status=200 if is_ready else SERVICE_UNAVAILABLE)


@never_cache
@require_safe
def show_metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus with its token, and for staff; for others there is nothing here."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
    is_scraper = bool(settings.METRICS_TOKEN) and secrets.compare_digest(given, settings.METRICS_TOKEN.encode())
    if not (is_scraper or (request.user.is_active and request.user.is_staff)):
        raise Http404
    body, content_type = metrics.exposition()
    return HttpResponse(body, content_type=content_type)


def answer_bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400 for what Django itself refused."""
    return answers.answer_error(request, Invalid(_("This request makes no sense to us.")))


def answer_forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403, as a page or as JSON."""
    if request.path.startswith(MACHINE_PATHS):
        return answers.answer_error(request, NotAllowed(_("You may not do this.")))
    return render(request, "403.html", status=NotAllowed.status)


def answer_forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say what helps when a form's token is missing or old; Django's reason is for the log only."""
    sentence = _("This form is out of date. Please go back, load the page again and send it once more.")
    return answers.answer_error(request, NotAllowed(sentence, code="form_expired"))


def answer_too_many(request: HttpRequest) -> HttpResponse:
    """429 of the pages for signing in and up: until when, in words and for machines."""
    wait_s = throttles.wait_s(request, now_s=clock.now().timestamp())
    response = render(request, "429.html", {"minutes": -(-wait_s // 60)}, status=TOO_MANY)
    response["Retry-After"] = str(wait_s)
    return response


def answer_missing(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404, as a page or as JSON."""
    if request.path.startswith(MACHINE_PATHS):
        return answers.answer_error(request, Missing(_("There is nothing at this address.")))
    return render(request, "404.html", status=Missing.status)


def answer_broken(request: HttpRequest) -> HttpResponse:
    """500, as a page or as JSON, and never the reason."""
    if request.path.startswith(MACHINE_PATHS):
        return answers.answer_error(request, CauserieError(_("Something broke on our side. It has been noted.")))
    return render(request, "500.html", status=CauserieError.status)
