"""The console: what happened, what is on its way, and what may go wrong on purpose."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.stripe_sandbox import addresses, console, delivery, environment, faults, store
from apps.stripe_sandbox.errors import StripeError
from apps.stripe_sandbox.models import Delivery, Violation
from apps.stripe_sandbox.views.answers import SeeOther, say, show

SHOWN = 40


@require_GET
def look(request: HttpRequest) -> HttpResponse:
    """Show everything on one page."""
    customers = store.documents(store.select("customer")[:SHOWN])
    context = {
        "customers": [console.describe_customer(customer) for customer in customers],
        "events": store.documents(store.select("event")[:SHOWN]),
        "deliveries": Delivery.objects.order_by("-id")[:SHOWN],
        "endpoints": store.documents(store.select("webhook_endpoint")),
        "faults": faults.armed(),
        "kinds": faults.KINDS,
        "settings": environment.read(),
        "violations": Violation.objects.order_by("-id")[:SHOWN],
    }
    return show(request, "console", context)


@require_POST
def move_time(request: HttpRequest) -> HttpResponse:
    """Move a customer's time; a customer without a clock gets one."""
    with transaction.atomic():
        customer = store.find("customer", request.POST.get("customer"))
        if customer is None:
            return say(request, _("There is no such customer"), "", back=addresses.page("/_sandbox"), status=404)
        try:
            console.move_time(customer, request.POST.get("by", ""))
        except StripeError as problem:
            transaction.set_rollback(True)
            return say(request, _("That did not work"), str(problem), back=addresses.page("/_sandbox"), status=400)
    return SeeOther(addresses.page("/_sandbox"))


@require_POST
def send_again(request: HttpRequest) -> HttpResponse:
    """Attempt one letter now."""
    number = request.POST.get("delivery", "")
    letter = Delivery.objects.filter(id=int(number)).first() if number.isdigit() else None
    if letter is None:
        return say(request, _("There is no such letter"), "", back=addresses.page("/_sandbox"), status=404)
    with delivery.open_client() as http:
        delivery.attempt(letter, http)
    return SeeOther(addresses.page("/_sandbox#deliveries"))


@require_POST
def arm(request: HttpRequest) -> HttpResponse:
    """Arm one fault, or forget all."""
    if "disarm" in request.POST:
        faults.disarm()
    elif request.POST.get("kind") in faults.KINDS:
        count = request.POST.get("count", "1")
        faults.arm(request.POST["kind"], int(count) if count.isdigit() else 1, request.POST.get("match", ""), {})
    return SeeOther(addresses.page("/_sandbox#faults"))
