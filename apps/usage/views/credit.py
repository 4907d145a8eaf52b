from collections.abc import Callable, Mapping
from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.models import User
from apps.billing import credit_purchases, entitlements, overage, recharges, sync
from apps.billing.models import BillingAccount, CreditPurchase
from apps.core import clock
from apps.core.errors import CauserieError, Conflict, Invalid
from apps.usage import credits, purse, top_ups

State = CreditPurchase.State
WAIT_S = 3.0  # how long the page waits for Stripe before it says “confirming”


@require_safe
@login_required
@never_cache
def show_credit(request: HttpRequest) -> HttpResponse:
    return _page(request, _account(request))


@require_POST
@login_required
def buy_credit(request: HttpRequest) -> HttpResponseBase:
    account = _account(request)
    wanted = request.POST.get("other", "").strip() or request.POST.get("amount", "")
    try:
        url = credit_purchases.open_checkout(
            account,
            purse.read_minor(wanted, "amount"),
            credits.currency_of(account),
            saves_card="saves_card" in request.POST,
            now=clock.now(),
        )
    except (Invalid, Conflict) as error:
        return _page(request, account, error=error, form="buy")
    return _leave_for(url)


@require_safe
@login_required
@never_cache
def after_purchase(request: HttpRequest) -> HttpResponse:
    account = _account(request)
    sync.want(account)
    is_done = sync.sync_customer(account.pk, clock=clock.now, budget_s=WAIT_S)
    top_ups.collect(account.pk, now=clock.now())
    bought = credit_purchases.find_by_session(account, request.GET.get("session_id", ""))
    is_confirming = bought is not None and bought.state == State.OPEN and not is_done
    return _page(request, account, bought=bought, is_confirming=is_confirming)


@require_POST
@login_required
def set_recharge(request: HttpRequest) -> HttpResponseBase:
    def act(account: BillingAccount) -> None:
        if request.POST.get("is_on") == "no":
            recharges.switch_off(account, now=clock.now())
            return
        recharges.set_up(
            account,
            threshold_micro=purse.read_micro(request.POST.get("threshold", ""), "threshold"),
            amount_minor=purse.read_minor(request.POST.get("recharge_amount", ""), "recharge_amount"),
            most_minor=purse.read_minor(request.POST.get("most", ""), "most"),
            currency=credits.currency_of(account),
            now=clock.now(),
        )
        top_ups.recharge_if_low(account.pk, now=clock.now())

    return _do(request, act, "recharge")


@require_POST
@login_required
def set_usage_charges(request: HttpRequest) -> HttpResponseBase:
    def act(account: BillingAccount) -> None:
        if request.POST.get("is_on") == "no":
            overage.turn_off(account, now=clock.now())
            return
        cap_micro = purse.read_micro(request.POST.get("usage_cap", ""), "usage_cap")
        overage.turn_on(account, cap_micro, credits.currency_of(account), now=clock.now())

    return _do(request, act, "charges")


def _do(request: HttpRequest, act: Callable[[BillingAccount], None], form: str) -> HttpResponseBase:
    account = _account(request)
    try:
        act(account)
    except (Invalid, Conflict) as error:
        return _page(request, account, error=error, form=form)
    messages.success(request, _("Saved."))
    return redirect("usage:credit")


def _page(
    request: HttpRequest,
    account: BillingAccount,
    *,
    error: CauserieError | None = None,
    form: str = "",
    **facts: object,
) -> HttpResponse:
    written: Mapping[str, str] = request.POST if error else {}
    context = {
        "section": "credit",
        "error": error,
        "error_form": form,
        "error_field": getattr(error, "field", None),
        "is_canceled": "canceled" in request.GET,
        **purse.describe(account, written, now=clock.now()),
        **facts,
    }
    return render(request, "usage/credit.html", context, status=error.status if error else 200)


def _account(request: HttpRequest) -> BillingAccount:
    return entitlements.account_for(cast(User, request.user), now=clock.now())


def _leave_for(url: str) -> HttpResponseBase:
    """To a page at Stripe whose address lets anybody in: kept by nobody, named nowhere."""
    response = HttpResponseRedirect(url, status=303)
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response
