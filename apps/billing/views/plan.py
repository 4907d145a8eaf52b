"""What somebody has and pays, and the pages at Stripe about it."""

from typing import cast
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.models import User
from apps.billing import entitlements, offers, portal, sync
from apps.billing.models import SubscriptionItemMirror
from apps.billing.views.visits import WAIT_S, account_of, leave_for
from apps.core import clock

INVOICES_SHOWN = 24


@require_safe
@login_required
@never_cache
def show_plan(request: HttpRequest) -> HttpResponse:
    account, now = account_of(request), clock.now()
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


@require_POST
@login_required
def open_portal(request: HttpRequest) -> HttpResponseBase:
    return leave_for(portal.open_portal(account_of(request), now=clock.now()))


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


def _line(item: SubscriptionItemMirror) -> dict[str, str]:
    price = item.price
    return {"price": offers.money(price.unit_amount_minor or 0, price.currency), "per": offers.per(price.interval)}
