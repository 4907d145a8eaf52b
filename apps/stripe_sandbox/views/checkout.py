"""Hosted Checkout, for people."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.stripe_sandbox import checkout, clocks, orders, store
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import StripeError
from apps.stripe_sandbox.forms import CardForm, CodeForm
from apps.stripe_sandbox.views import chips
from apps.stripe_sandbox.views.answers import SeeOther, say, show, speak


@require_http_methods(["GET", "POST"])
def pay(request: HttpRequest, key: str) -> HttpResponse:
    """Show an open session, or pay it: amounts are computed again, nothing in the form sets them."""
    try:
        with transaction.atomic():
            session = store.find("checkout.session", key)
            speak(request, (session or {}).get("locale"))
            closed = _say_closed(request, session)
            return closed or _visit(request, session or {})
    except StripeError as problem:
        return say(request, _("This checkout cannot be paid any more"), str(problem), status=400)


def _visit(request: HttpRequest, session: Document) -> HttpResponse:
    now = clocks.time_on(session["_clock"])
    if "code" in request.POST and _takes_codes(session):
        return _redeem(request, session, now)
    form = _form(request, session, request.POST or None, now)
    if request.method == "GET" or not form.is_valid():
        return _show_form(request, session, form, _last_problem(session) if request.method == "GET" else "")
    outcome = checkout.pay(session, form.payment(), now=now)
    if outcome.redirect_to:
        return SeeOther(outcome.redirect_to)
    return _show_form(request, outcome.session, form, outcome.message)


def _takes_codes(session: Document) -> bool:
    return bool(session["allow_promotion_codes"]) and session["mode"] == "subscription"


def _form(request: HttpRequest, session: Document, typed: QueryDict | None, now: int) -> CardForm:
    customer = store.find("customer", session["customer"])
    amounts = orders.amounts_of(session, customer, now=now)
    free = session["payment_method_collection"] == "if_required" and amounts.due_today == 0
    return CardForm(
        typed,
        initial=chips.picked(request),
        now=now,
        email=(customer or {}).get("email") or session["customer_email"],
        needs_card=session["mode"] != "subscription" or not free,
        takes_tax_id=session["tax_id_collection"]["enabled"],
    )


def _redeem(request: HttpRequest, session: Document, now: int) -> HttpResponse:
    """Lay a promotion code on the order, or take it off; the card is typed afterwards."""
    code = CodeForm(request.POST if request.POST["code"] == "apply" else {"promotion_code": "-"})
    if code.is_valid():
        word = code.cleaned_data["promotion_code"] if request.POST["code"] == "apply" else ""
        try:
            checkout.redeem(session, word, now=now)
        except StripeError as refusal:
            code.add_error("promotion_code", _(str(refusal)))
        else:
            return SeeOther(request.path)
    return _show_form(request, session, _form(request, session, None, now), "", code)


def _say_closed(request: HttpRequest, session: Document | None) -> HttpResponse | None:
    if session is None:
        text = _("The address is incomplete, or the sandbox was emptied since.")
        return say(request, _("There is no such checkout"), text, status=404)
    if session["status"] == "complete":
        text = _("This checkout was already paid. Nothing was charged again.")
        return say(request, _("Already paid"), text, back=checkout.success_url(session))
    if session["status"] == "expired":
        text = _("This checkout has expired. Nothing was charged.")
        return say(request, _("This checkout has expired"), text, back=session["cancel_url"])
    return None


def _last_problem(session: Document) -> str:
    key = session.get("_intent") or ""
    intent = store.find("setup_intent" if key.startswith("seti_") else "payment_intent", key)
    error = intent and (intent.get("last_payment_error") or intent.get("last_setup_error"))
    return str(error["message"]) if error else ""


def _show_form(
    request: HttpRequest, session: Document, form: CardForm, problem: str, code: CodeForm | None = None
) -> HttpResponse:
    now = clocks.time_on(session["_clock"])
    context = {
        "amounts": orders.amounts_of(session, store.find("customer", session["customer"]), now=now),
        "cards": chips.all_chips(),
        "code": (code or CodeForm()) if _takes_codes(session) else None,
        "code_word": session.get("_code"),
        "form": form,
        "items": orders.line_items(session, now=now)["data"],
        "problem": problem and _(problem),
        "session": session,
    }
    return show(request, "checkout", context, status=402 if problem and request.method == "POST" else 200)
