from collections.abc import Callable
from datetime import timedelta

from allauth.account.decorators import reauthentication_required
from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.gates import staff_may, staff_of
from apps.core import clock
from apps.core.errors import Invalid
from apps.inference import backends, credentials, fleet_words, language_models, operations

WATCH, RUN = "inference.watch_fleet", "inference.run_fleet"
PERIODS = {"1h": timedelta(hours=1), "24h": timedelta(days=1), "7d": timedelta(days=7)}


@never_cache
@require_safe
@staff_may(WATCH)
def show_fleet(request: HttpRequest) -> HttpResponse:
    now, period = clock.now(), request.GET.get("period", "")
    period = period if period in PERIODS else "1h"
    found = operations.read_backends(since=now - PERIODS[period], now=now)
    context = {
        "title": _("Back ends"),
        "period": period,
        "periods": fleet_words.periods(),
        "backends": [fleet_words.describe(backend, now=now) for backend in found],
        "queues": [fleet_words.describe_queue(queue, now=now) for queue in operations.read_queues()],
        "read_at": now,
        "may_run": request.user.has_perm(RUN),
    }
    return render(request, "inference/fleet.html", {**admin.site.each_context(request), **context})


@require_POST
@staff_may(RUN)
def drain(request: HttpRequest, key: str) -> HttpResponse:
    return _switch(request, key, backends.drain, _("Drained: it gets no more answers to write."))


@require_POST
@staff_may(RUN)
def resume(request: HttpRequest, key: str) -> HttpResponse:
    return _switch(request, key, backends.resume, _("It gets answers to write again."))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_may(RUN)
@reauthentication_required  # type: ignore[untyped-decorator]  # allauth ships no types
def enter_key(request: HttpRequest, key: str) -> HttpResponse:
    language_models.require_backend(key)
    if request.method == "POST":  # else: back from proving oneself
        try:
            credentials.enter(key, request.POST.get("key", ""), by=staff_of(request), now=clock.now())
        except Invalid as error:
            messages.error(request, str(error.sentence))
        else:
            messages.success(request, _("The key is kept, encrypted. It is used within seconds."))
    return redirect("inference:fleet")


@require_POST
@staff_may(RUN)
def remove_key(request: HttpRequest, key: str) -> HttpResponse:
    language_models.require_backend(key)
    credentials.remove(key, by=staff_of(request), now=clock.now())
    messages.success(request, _("The key is gone."))
    return redirect("inference:fleet")


def _switch(request: HttpRequest, key: str, act: Callable[..., None], told: str) -> HttpResponse:
    language_models.require_backend(key)
    with transaction.atomic(durable=True):
        act(key, by=staff_of(request), now=clock.now())
    messages.success(request, told)
    return redirect("inference:fleet")
