"""Plain pages to print: the receipt of one charge, and one credit note."""

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
    context = {"charge": charge, "returned": -charge["amount_refunded"], "kept": kept}
    return show(request, "charge_receipt", context)


@require_GET
def show_credit_note(request: HttpRequest, key: str) -> HttpResponse:
    """Show what was taken off an invoice."""
    note = store.find("credit_note", key)
    if note is None:
        text = _("The address is incomplete, or the sandbox was emptied since.")
        return say(request, _("There is no such credit note"), text, status=404)
    return show(request, "credit_note", {"note": note, "invoice": store.read("invoice", note["invoice"])})
