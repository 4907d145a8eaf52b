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
    """Show an invoice; pay an open one with the card on file or with another. What fails changes nothing."""
    problem = ""
    if request.method == "POST":
        try:
            with transaction.atomic():
                return _answer(request, key)
        except StripeError as refusal:
            problem = str(refusal)
    invoice = store.find("invoice", key)
    if invoice is None:
        return _say_unknown(request)
    form, saved = _form(request, invoice), _saved(invoice)
    return _show(request, invoice, form, saved, problem or _last_problem(invoice))


def _form(request: HttpRequest, invoice: Document) -> CardForm:
    typed = request.POST if request.method == "POST" and "use_saved" not in request.POST else None
    email = store.read("customer", invoice["customer"])["email"] or "-"
    return CardForm(typed, initial=chips.picked(request), now=clocks.time_on(invoice["test_clock"]), email=email)


def _saved(invoice: Document) -> Document | None:
    customer = store.read("customer", invoice["customer"])
    return payment_methods.choose(customer, standing.subscription_of(invoice))


def _answer(request: HttpRequest, key: str) -> HttpResponse:
    invoice = store.find("invoice", key)
    if invoice is None or invoice["status"] != "open":
        return SeeOther(addresses.page(f"/i/{key}")) if invoice else _say_unknown(request)
    form, saved = _form(request, invoice), _saved(invoice)
    if form.is_bound and not form.is_valid():
        return _show(request, invoice, form, saved, "")
    now = clocks.time_on(invoice["test_clock"])
    method = _save_card(invoice, form, now) if form.is_bound else saved
    collected = collection.collect(invoice, method=method, on_session=True, now=now)
    if collected.verdict is Verdict.REQUIRES_ACTION:
        intent = invoicing.intent_of(invoice)
        return SeeOther(addresses.page(f"/3ds/{intent['id']}" if intent else f"/i/{key}"))
    if collected.decline:
        return _show(request, collected.invoice, form, saved, collected.decline.message)
    return SeeOther(addresses.page(f"/i/{key}"))


def _save_card(invoice: Document, form: CardForm, now: int) -> Document:
    """Attach the card that was typed, and let it pay from now on."""
    customer, typed = store.read("customer", invoice["customer"]), form.payment()
    built = typed.method(now=now)
    method = payment_methods.attach(store.insert(built), customer)
    portal.make_default(customer, method)
    return method


def _last_problem(invoice: Document) -> str:
    intent = invoicing.intent_of(invoice) if invoice["status"] == "open" else None
    error = intent and intent["last_payment_error"]
    return str(error["message"]) if error else ""


def _show(
    request: HttpRequest, invoice: Document, form: CardForm, saved: Document | None, problem: str
) -> HttpResponse:
    context = {"invoice": invoice, "form": form, "saved": saved, "problem": problem and _(problem)}
    status = 402 if problem and request.method == "POST" else 200
    return show(request, "invoice", {**context, "cards": chips.all_chips()}, status=status)


def _say_unknown(request: HttpRequest) -> HttpResponse:
    text = _("The address is incomplete, or the sandbox was emptied since.")
    return say(request, _("There is no such invoice"), text, status=404)


@require_GET
def show_receipt(request: HttpRequest, key: str) -> HttpResponse:
    """Show an invoice as a plain page to print."""
    invoice = store.find("invoice", key)
    return show(request, "receipt", {"invoice": invoice}) if invoice else _say_unknown(request)
