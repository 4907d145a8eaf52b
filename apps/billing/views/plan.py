"""What somebody has and pays, and the pages at Stripe about it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.models import User
from apps.billing import account_state, entitlements, money_back, offers, portal, sync
from apps.billing.models import PlanChange, Price, SubscriptionMirror
from apps.billing.views.visits import WAIT_S, account_of, leave_for
from apps.core import clock

INVOICES_SHOWN = 24
WAITING = (PlanChange.State.AGREED, PlanChange.State.UNPAID)


@require_safe
@login_required
@never_cache
def show_plan(request: HttpRequest) -> HttpResponse:
    account, now = account_of(request), clock.now()
    paid = entitlements.find_subscription(account)
    invoices = account.invoices.exclude(status="draft").order_by("-created")[:INVOICES_SHOWN]
    back = money_back.told(account)
    context = {
        "section": "plan",
        "state": account_state.state_for(account, now=now),
        "paid": paid,
        "payment": _payment(paid) if paid else None,
        "waiting": account.plan_changes.filter(state__in=WAITING).order_by("-created_at").first(),
        "gives": list(offers.gives(entitlements.plan_for(account, now=now))),
        "since": entitlements.since(account, now=now),
        "is_customer": account.stripe_customer_id is not None and account.customer_gone_at is None,
        "invoices": [
            (invoice, offers.money(invoice.total_minor, invoice.currency), back.get(invoice.pk, ()))
            for invoice in invoices
        ],
        "zone": ZoneInfo(cast(User, request.user).time_zone),
    }
    return render(request, "billing/plan.html", context)


@require_POST
@login_required
def open_portal(request: HttpRequest) -> HttpResponseBase:
    task = request.POST.get("task", "")
    return leave_for(portal.open_portal(account_of(request), task, now=clock.now()))


@require_safe
@login_required
@never_cache
def after_portal(request: HttpRequest) -> HttpResponseBase:
    account = account_of(request)
    sync.want(account)
    sync.sync_customer(account.pk, clock=clock.now, budget_s=WAIT_S)
    return redirect("billing:plan")


@require_POST
@login_required
def open_invoice(request: HttpRequest, invoice_id: str) -> HttpResponseBase:
    return leave_for(portal.open_invoice(account_of(request), invoice_id))


@require_POST
@login_required
def open_file(request: HttpRequest, invoice_id: str) -> HttpResponseBase:
    return leave_for(portal.open_file(account_of(request), invoice_id))


def _payment(paid: SubscriptionMirror) -> dict[str, object]:
    """What is paid, in words: each item, what is taken off, and what the next renewal charges."""
    items = paid.items.select_related("price")
    change = account_state.change_of(paid)
    price = paid.pending_price or paid.planned_price
    known, tax = paid.renewal_minor is not None, paid.renewal_tax_minor
    return {
        "lines": [{"amount": _amount(item.price), "per": offers.per(item.price.interval)} for item in items],
        "discounts": [_discount(coupon, paid.currency) for coupon in paid.coupons],
        "renewal": offers.money(paid.renewal_minor or 0, paid.currency) if known else "",
        "tax": offers.money(tax, paid.currency) if tax else "",
        "change": change,
        "change_price": offers.price_in_words(price) if change and price else "",
        "is_ending": entitlements.end_of(paid) is not None,
        "card_ends_first": account_state.card_ends_first(paid),
    }


def _amount(price: Price) -> str:
    return offers.money(price.unit_amount_minor or 0, price.currency)


def _discount(coupon: Mapping[str, Any], currency: str) -> dict[str, object]:  # Any: JSON that sync wrote
    ends_at = datetime.fromisoformat(coupon["ends_at"]) if coupon["ends_at"] else None
    words = offers.discount_in_words(coupon, currency)
    return {"words": words, "ends_at": ends_at, "is_once": coupon["duration"] == "once"}
