"""The receipt of one charge."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from apps.stripe_sandbox import store
from apps.stripe_sandbox.views.answers import say, show


@require_GET
def show_charge(request: HttpRequest, key: str) -> HttpResponse:
    """Show what a card paid, and what went back."""
    charge = store.find("charge", key)
    if charge is None or charge["status"] != "succeeded":
        text = _("The address is incomplete, or the sandbox was emptied since.")
        return say(request, _("There is no such receipt"), text, status=404)
    kept = charge["amount"] - charge["amount_refunded"]
    return show(request, "charge_receipt", {"charge": charge, "kept": kept})
