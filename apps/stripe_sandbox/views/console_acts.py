"""The console's forms: time is moved, letters are sent again, faults armed, and the Dashboard played."""

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from apps.stripe_sandbox import addresses, clocks, console, dashboard, delivery, faults, store
from apps.stripe_sandbox.errors import StripeError
from apps.stripe_sandbox.forms import FaultForm
from apps.stripe_sandbox.models import Delivery, Violation
from apps.stripe_sandbox.views.answers import SeeOther, say
from apps.stripe_sandbox.views.console import show_page

HOME = "/_sandbox"
NAMED = ("amount", "price", "quantity")  # what a form of an action may say


def back_from(request: HttpRequest) -> str:
    """Give the page of the console that a form stood on."""
    path = request.POST.get("back", HOME)
    return path if path == HOME or path.startswith((f"{HOME}/", f"{HOME}?")) else HOME


def refuse(request: HttpRequest, problem: StripeError) -> HttpResponse:
    """Say what did not work, in Stripe's words."""
    return say(request, _("That did not work"), str(problem), back=back_from(request), status=problem.status)


@require_POST
def move_time(request: HttpRequest) -> HttpResponse:
    """Move a clock, or a customer's time; a customer without a clock gets one."""
    by = request.POST.get("by", "")
    try:
        with transaction.atomic():
            if "clock" in request.POST:
                console.move_clock(store.get(clocks.KIND, request.POST["clock"]), by)
            else:
                console.move_time(store.get("customer", request.POST.get("customer", "")), by)
    except StripeError as problem:
        return refuse(request, problem)
    return SeeOther(addresses.page(back_from(request)))


@require_POST
def send_again(request: HttpRequest) -> HttpResponse:
    """Attempt one letter now."""
    number = request.POST.get("delivery", "")
    letter = Delivery.objects.filter(id=int(number)).first() if number.isdigit() else None
    if letter is None:
        raise Http404
    with delivery.open_client() as http:
        delivery.attempt(letter, http)
    return SeeOther(addresses.page(back_from(request)))


@require_POST
def act_as_dashboard(request: HttpRequest) -> HttpResponse:
    """Do what one can do in Stripe's Dashboard; a new secret is shown once."""
    params = {name: request.POST[name] for name in NAMED if request.POST.get(name)}
    try:
        with transaction.atomic():
            done = dashboard.perform(request.POST.get("action", ""), request.POST.get("id", "-"), params)
    except StripeError as problem:
        return refuse(request, problem)
    if "secret" in done:
        return show_page(request, "secret", {"secret": done["secret"], "section": "deliveries"})
    return SeeOther(addresses.page(back_from(request)))


@require_http_methods(["GET", "POST"])
def keep_faults(request: HttpRequest) -> HttpResponse:
    """Show what is armed; arm another, disarm one or all."""
    form = FaultForm(request.POST if "kind" in request.POST else None, initial={"count": 1})
    if request.method == "POST" and "disarm" in request.POST:
        number = request.POST["disarm"]
        faults.disarm(int(number) if number.isdigit() else None)
        return SeeOther(addresses.page(f"{HOME}/faults"))
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        faults.arm(values["kind"], values["count"], values["match"], values["params"])
        return SeeOther(addresses.page(f"{HOME}/faults"))
    status = 400 if form.errors else 200
    return show_page(request, "faults", {"form": form, "faults": faults.armed()}, status=status)


@require_http_methods(["GET", "POST"])
def keep_violations(request: HttpRequest) -> HttpResponse:
    """Show what Stripe's own description forbids, or forget it."""
    if request.method == "POST":
        Violation.objects.all().delete()
        return SeeOther(addresses.page(f"{HOME}/violations"))
    return show_page(request, "violations", {"violations": Violation.objects.order_by("-id")[:200]})
