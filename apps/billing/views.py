from collections.abc import Sequence
from typing import cast
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.models import User
from apps.billing import checkout, dunning, entitlements, offers, plans, portal, sync
from apps.billing.models import BillingAccount, SubscriptionItemMirror
from apps.core import clock

WAIT_S = 3.0  # how long a page waits for Stripe before it says “confirming”
INVOICES_SHOWN = 24


@require_safe
@never_cache
def show_pricing(request: HttpRequest) -> HttpResponse:
    catalogue, intervals = plans.catalogue(), offers.intervals()
    account = _account(request) if request.user.is_authenticated else None
    paid = entitlements.find_subscription(account) if account else None
    currency = _chosen(request, "currency", list(catalogue.currencies), account.currency if account else "")
    interval = _chosen(request, "interval", intervals, "")
    context = {
        "offers": offers.offers(interval, currency),
        "rates": offers.api_rates(currency),
        "interval": interval,
        "intervals": intervals,
        "currency": currency,
        "currencies": [account.currency] if account and account.currency else catalogue.currencies,
        "current": entitlements.plan_for(account, now=clock.now()).key if account else None,
        "has_paid_plan": paid is not None,
        "is_canceled": "canceled" in request.GET,
    }
    return render(request, "billing/pricing.html", context)


@require_POST
@login_required
def start_checkout(request: HttpRequest) -> HttpResponseBase:
    plan, interval, currency = (request.POST.get(name, "") for name in ("plan", "interval", "currency"))
    return _leave_for(checkout.open_checkout(_account(request), plan, interval, currency, now=clock.now()))


@require_safe
@login_required
@never_cache
def after_checkout(request: HttpRequest) -> HttpResponse:
    account = _account(request)
    sync.want(account)
    is_done = sync.sync_customer(account.pk, clock=clock.now, budget_s=WAIT_S)
    account.refresh_from_db()
    state = entitlements.state_for(account, now=clock.now())
    is_on = state["source"] not in entitlements.NOT_PAID
    context = {"state": state, "is_on": is_on, "is_confirming": not is_on and not is_done}
    return render(request, "billing/after_checkout.html", context)


@require_POST
@login_required
def open_portal(request: HttpRequest) -> HttpResponseBase:
    return _leave_for(portal.open_portal(_account(request), now=clock.now()))


@require_safe
@login_required
@never_cache
def after_portal(request: HttpRequest) -> HttpResponseBase:
    account = _account(request)
    sync.want(account)
    sync.sync_customer(account.pk, clock=clock.now, budget_s=WAIT_S)
    return redirect("billing:plan")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def pay(request: HttpRequest) -> HttpResponseBase:
    """Where letters and the banner lead: to the open bill at Stripe, for who is signed in and nobody else."""
    account = _account(request)
    if request.method == "POST":
        return _leave_for(dunning.open_bill(account, now=clock.now()))
    if dunning.find_trouble(account, now=clock.now()):  # perhaps it was paid a moment ago
        sync.want(account)
        sync.sync_customer(account.pk, clock=clock.now, budget_s=WAIT_S)
    return render(request, "billing/pay.html")


@require_POST
@login_required
def open_invoice(request: HttpRequest, invoice_id: str) -> HttpResponseBase:
    return _leave_for(portal.open_invoice(_account(request), invoice_id))


@require_safe
@login_required
@never_cache
def show_plan(request: HttpRequest) -> HttpResponse:
    account, now = _account(request), clock.now()
    paid = entitlements.find_subscription(account)
    invoices = account.invoices.exclude(status="draft").order_by("-created")[:INVOICES_SHOWN]
    context = {
        "section": "plan",
        "state": entitlements.state_for(account, now=now),
        "paid": paid,
        "gives": list(offers.gives(entitlements.plan_for(account, now=now))),
        "since": entitlements.since(account, now=now),
        "lines": [_line(item) for item in paid.items.select_related("price")] if paid else [],
        "is_customer": account.stripe_customer_id is not None and account.customer_gone_at is None,
        "invoices": [(invoice, offers.money(invoice.total_minor, invoice.currency)) for invoice in invoices],
        "zone": ZoneInfo(cast(User, request.user).time_zone),
    }
    return render(request, "billing/plan.html", context)


def _account(request: HttpRequest) -> BillingAccount:
    return entitlements.account_for(cast(User, request.user), now=clock.now())


def _chosen(request: HttpRequest, name: str, known: Sequence[str], preset: str) -> str:
    wanted = preset or request.GET.get(name, "")
    return wanted if wanted in known else next(iter(known), "")


def _leave_for(url: str) -> HttpResponseBase:
    """To a page at Stripe whose address lets anybody in: kept by nobody, named nowhere."""
    response = HttpResponseRedirect(url, status=303)
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response


def _line(item: SubscriptionItemMirror) -> dict[str, str]:
    price = item.price
    return {"price": offers.money(price.unit_amount_minor or 0, price.currency), "per": offers.per(price.interval)}
