"""From the pricing page to the page after payment."""

from collections.abc import Sequence
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.accounts import visits
from apps.billing import account_state, checkout, entitlements, offers, plan_choices, plans, promotions, sync
from apps.billing.errors import AlreadySubscribed, CodeRefused, CurrencyFixed, PaymentRefused
from apps.billing.views.visits import WAIT_S, account_of, leave_for
from apps.core import clock


@require_safe
@never_cache
def show_pricing(request: HttpRequest) -> HttpResponse:
    visits.count(request, visits.PRICING, now=clock.now())
    catalogue, intervals = plans.catalogue(), offers.intervals()
    account = account_of(request) if request.user.is_authenticated else None
    currency = _chosen(request, "currency", list(catalogue.currencies), account.currency if account else "")
    interval = _chosen(request, "interval", intervals, "")
    context = {
        "offers": [
            (offer, checkout.trial_days(account, catalogue.plans[offer.key]))
            for offer in offers.offers(interval, currency)
        ],
        "needs_card": catalogue.checkout.payment_method_collection == "always",
        "code": request.GET.get("code", "")[: promotions.LONGEST].strip(),
        "rates": offers.api_rates(currency),
        "interval": interval,
        "intervals": intervals,
        "currency": currency,
        "currencies": [account.currency] if account and account.currency else catalogue.currencies,
        "current": entitlements.plan_for(account, now=clock.now()).key if account else None,
        "held": plan_choices.find_price_held(account) if account else None,
        "is_fixed": account is not None and bool(account.currency) and len(catalogue.currencies) > 1,
        "is_canceled": "canceled" in request.GET,
    }
    return render(request, "billing/pricing.html", context)


@require_POST
@login_required
def start_checkout(request: HttpRequest) -> HttpResponseBase:
    plan, interval, currency, code = (request.POST.get(name, "") for name in ("plan", "interval", "currency", "code"))
    try:
        url = checkout.open_checkout(account_of(request), plan, interval, currency, code.strip(), now=clock.now())
    except (CodeRefused, CurrencyFixed, PaymentRefused) as error:
        messages.error(request, str(error.sentence))
        return redirect(f"{reverse('billing:pricing')}?{urlencode({'interval': interval, 'currency': currency})}")
    except AlreadySubscribed as error:
        messages.info(request, str(error.sentence))
        return redirect("billing:plan")
    return leave_for(url)


@require_safe
@login_required
@never_cache
def after_checkout(request: HttpRequest) -> HttpResponse:
    account = account_of(request)
    sync.want(account)
    is_done = sync.sync_customer(account.pk, clock=clock.now, budget_s=WAIT_S)
    account.refresh_from_db()
    state = account_state.state_for(account, now=clock.now())
    is_on = state["source"] not in entitlements.NOT_PAID
    context = {
        "state": state,
        "is_on": is_on,
        "is_confirming": not is_on and not is_done,
        "unpaid": None if is_on else account.invoices.filter(status="open").order_by("-created").first(),
    }
    return render(request, "billing/after_checkout.html", context)


def _chosen(request: HttpRequest, name: str, known: Sequence[str], preset: str) -> str:
    wanted = preset or request.GET.get(name, "")
    return wanted if wanted in known else next(iter(known), "")
