"""The customer portal, for people."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.stripe_sandbox import cards, clock, clocks, payment_methods, portal, store
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import StripeError
from apps.stripe_sandbox.forms import CardForm, LeaveForm
from apps.stripe_sandbox.views import chips
from apps.stripe_sandbox.views.answers import SeeOther, say, show, speak

PANELS = {
    "payment_method_update": "card",
    "subscription_cancel": "cancel",
    "subscription_update": "plans",
    "subscription_update_confirm": "switch",
}


class Visit:
    """One look at the portal: who is there, what they have, and which panel is asked for."""

    def __init__(self, request: HttpRequest, session: Document) -> None:
        self.session = session
        self.customer = store.read("customer", session["customer"])
        self.configuration = store.read("billing_portal.configuration", session["configuration"])
        self.now = clocks.time_of_customer(self.customer)
        flow = session["flow"]
        named = flow and (flow.get(flow["type"]) or {}).get("subscription")
        self.subscription = store.find("subscription", named) or portal.live_subscription(self.customer)
        self.panel = PANELS[flow["type"]] if flow else request.GET.get("panel", "")
        confirm = (flow or {}).get("subscription_update_confirm")
        wanted = confirm["items"][0].get("price") if confirm else request.GET.get("price")
        self.wanted = request.POST.get("price") or wanted
        self.form = CardForm(
            request.POST if request.POST.get("action") == "card" else None,
            initial=chips.picked(request),
            now=self.now,
            email=self.customer["email"] or "-",
        )

        typed = request.POST if request.POST.get("action") == "cancel" else None
        reason = self.configuration["features"]["subscription_cancel"]["cancellation_reason"]
        self.leaving = LeaveForm(typed, options=reason["options"] if reason["enabled"] else [])

    @property
    def why(self) -> Document:
        """Why the customer leaves, once the form is valid: only what was said."""
        return {name: value for name, value in self.leaving.cleaned_data.items() if value}

    def offer(self) -> portal.Offer | None:
        """Find the plan that was asked for among those that may be chosen."""
        found = portal.offers(self.configuration, self.subscription) if self.subscription else []
        return next((each for each in found if each.price["id"] == self.wanted), None)


@require_http_methods(["GET", "POST"])
def visit(request: HttpRequest, word: str) -> HttpResponse:
    """Show the portal, or do one thing in it; what fails changes nothing."""
    problem = cards.NOT_AUTHENTICATED.message if "failed" in request.GET else ""
    if request.method == "POST":
        try:
            with transaction.atomic():
                return _answer(request, word)
        except StripeError as refusal:
            problem = str(refusal)
    with transaction.atomic():
        session = portal.find_session(word, real_now=clock.now())
        if session is None:
            return _say_closed(request)
        speak(request, session["locale"])
        seen = Visit(request, session)
        return _show(request, seen, seen.form, problem)


def _answer(request: HttpRequest, word: str) -> HttpResponse:
    session = portal.find_session(word, real_now=clock.now())
    if session is None:
        return _say_closed(request)
    speak(request, session["locale"])
    seen = Visit(request, session)
    if any(form.is_bound and not form.is_valid() for form in (seen.form, seen.leaving)):
        return _show(request, seen, seen.form, "")
    problem, onward = _act(request.POST.get("action", ""), seen)
    if problem:
        return _show(request, seen, seen.form, problem)
    return SeeOther(onward or _next_address(request, session))


def _say_closed(request: HttpRequest) -> HttpResponse:
    text = _("This page is open for five minutes without use. Go back to where you came from and open it again.")
    return say(request, _("Please start again"), text, status=404)


def _act(action: str, seen: Visit) -> tuple[str, str]:
    """Do one thing; give the reason when it could not be done, and the page to go to first, if any."""
    features, subscription = seen.configuration["features"], seen.subscription
    if action == "card" and features["payment_method_update"]["enabled"]:
        replaced = portal.replace_card(seen.session, seen.customer, seen.form.payment(), now=seen.now)
        return replaced.message, replaced.redirect_to
    if subscription is None:
        return _("There is no subscription to change."), ""
    if action == "cancel" and features["subscription_cancel"]["enabled"]:
        portal.cancel(subscription, seen.configuration, seen.why, now=seen.now)
    elif action == "keep":
        portal.forget_plan(subscription, now=seen.now)
    elif action == "undo":
        portal.undo(subscription, now=seen.now)
    elif action == "switch" and features["subscription_update"]["enabled"]:
        offer = seen.offer()
        if offer is None:
            return _("This plan cannot be chosen."), ""
        portal.switch(subscription, seen.configuration, offer.price, now=seen.now)
    else:
        return _("This cannot be done here."), ""
    return "", ""


def _next_address(request: HttpRequest, session: Document) -> str:
    after = (session["flow"] or {}).get("after_completion") or {"type": "portal_homepage"}
    if after["type"] == "redirect":
        return str(after["redirect"]["return_url"])
    if session["flow"]:
        store.save({**session, "flow": None, "_confirmation": after.get("hosted_confirmation")})
    return f"{request.path}?done=1"


def _show(request: HttpRequest, seen: Visit, form: CardForm, problem: str) -> HttpResponse:
    context: dict[str, object] = {
        "cards": chips.all_chips(),
        "confirmation": (seen.session.get("_confirmation") or {}).get("custom_message"),
        "configuration": seen.configuration,
        "features": seen.configuration["features"],
        "form": form,
        "invoices": store.documents(store.select("invoice", customer=seen.customer["id"])[:12]),
        "method": payment_methods.choose(seen.customer, seen.subscription),
        "panel": seen.panel,
        "problem": problem and _(problem),
        "session": seen.session,
        "subscription": seen.subscription,
        "leaving": seen.leaving,
        "is_done": "done" in request.GET,
    }
    if seen.subscription:
        context |= _describe_plan(seen, seen.subscription)
    return show(request, "portal", context, status=402 if problem else 200)


def _describe_plan(seen: Visit, subscription: Document) -> dict[str, object]:
    item, offer = subscription["items"]["data"][0], seen.offer()
    described: dict[str, object] = {
        "item": item,
        "name": store.read("product", item["price"]["product"])["name"],
        "planned": portal.planned(subscription),
        "offers": portal.offers(seen.configuration, subscription),
    }
    if offer:
        described["offer"] = offer
        described["waits"] = portal.waits_for_period_end(seen.configuration, item["price"], offer.price)
        described["change"] = portal.preview_switch(subscription, seen.configuration, offer.price, now=seen.now)
    return described
