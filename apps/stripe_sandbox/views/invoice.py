"""The hosted invoice: pay what is open, read what was paid."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from apps.stripe_sandbox import (
    addresses,
    clocks,
    collection,
    invoicing,
    payment_methods,
    portal,
    standing,
    store,
)
from apps.stripe_sandbox.cards import Verdict
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import StripeError
from apps.stripe_sandbox.forms import CardForm
from apps.stripe_sandbox.views import chips
from apps.stripe_sandbox.views.answers import SeeOther, say, show


@require_http_methods(["GET", "POST"])
def pay(request: HttpRequest, key: str) -> HttpResponse:
    """Show an invoice; pay an open one with the card on file or with another."""
    with transaction.atomic():
        invoice = store.find("invoice", key)
        if invoice is None:
            return _say_unknown(request)
        customer = store.read("customer", invoice["customer"])
        now = clocks.time_on(invoice["test_clock"])
        saved = payment_methods.choose(customer, standing.subscription_of(invoice))
        uses_saved = saved is not None and "use_saved" in request.POST
        typed = request.POST if request.method == "POST" and not uses_saved else None
        form = CardForm(typed, initial=chips.picked(request), now=now, email=customer["email"] or "-")
        if request.method == "POST" and invoice["status"] == "open" and (uses_saved or form.is_valid()):
            return _charge(request, invoice, form, saved if uses_saved else None, now)
        return _show(request, invoice, form, saved, _last_problem(invoice) if typed is None else "")


def _charge(request: HttpRequest, invoice: Document, form: CardForm, saved: Document | None, now: int) -> HttpResponse:
    customer, method = store.read("customer", invoice["customer"]), saved
    if method is None:
        typed = form.payment()
        built = payment_methods.build(typed.card, exp_month=typed.exp_month, exp_year=typed.exp_year, now=now)
        try:
            method = payment_methods.attach(store.insert(built), customer)
        except StripeError as problem:
            transaction.set_rollback(True)
            return _show(request, invoice, form, None, str(problem), status=402)
        portal.make_default(customer, method)
    collected = collection.collect(invoice, method=method, on_session=True, now=now)
    if collected.verdict is Verdict.REQUIRES_ACTION:
        intent = invoicing.intent_of(invoice)
        return SeeOther(addresses.page(f"/3ds/{intent['id']}" if intent else f"/i/{invoice['id']}"))
    if collected.decline:
        return _show(request, collected.invoice, form, saved, collected.decline.message, status=402)
    return SeeOther(addresses.page(f"/i/{invoice['id']}"))


def _last_problem(invoice: Document) -> str:
    intent = invoicing.intent_of(invoice) if invoice["status"] == "open" else None
    error = intent and intent["last_payment_error"]
    return str(error["message"]) if error else ""


def _show(
    request: HttpRequest, invoice: Document, form: CardForm, saved: Document | None, problem: str, status: int = 200
) -> HttpResponse:
    context = {
        "invoice": invoice,
        "form": form,
        "saved": saved,
        "problem": problem and _(problem),
        "cards": chips.all_chips(),
    }
    return show(request, "invoice", context, status=status)


def _say_unknown(request: HttpRequest) -> HttpResponse:
    text = _("The address is incomplete, or the sandbox was emptied since.")
    return say(request, _("There is no such invoice"), text, status=404)


@require_GET
def show_receipt(request: HttpRequest, key: str) -> HttpResponse:
    """Show an invoice as a plain page to print."""
    invoice = store.find("invoice", key)
    return show(request, "receipt", {"invoice": invoice}) if invoice else _say_unknown(request)
