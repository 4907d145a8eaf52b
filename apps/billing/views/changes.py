"""Changing, cancelling and resuming a plan on our own pages."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from apps.billing import (
    cancellation,
    change_words,
    entitlements,
    offers,
    plan_changes,
    plan_choices,
    plans,
    quote_words,
    sync,
)
from apps.billing.errors import AlreadyOnPlan, ChangeBlocked, ChangeUnderWay, NothingToChange, PlanMoved
from apps.billing.forms import CancelForm
from apps.billing.models import BillingAccount, PlanChange
from apps.billing.quotes import Quote
from apps.billing.views.visits import WAIT_S, account_of
from apps.core import clock

Kind, State = PlanChange.Kind, PlanChange.State
WAITING = (State.AGREED, State.UNPAID)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def change_plan(request: HttpRequest) -> HttpResponseBase:
    if request.method == "POST":
        return _offer(request)
    account = account_of(request)
    try:
        holding = plan_choices.holding_of(account)
    except NothingToChange:
        return redirect("billing:pricing")
    context = {
        "section": "plan",
        "paid": holding.subscription,
        "plan": holding.price.plan,
        "price": offers.price_in_words(holding.price),
        "choices": [change_words.choice(choice, holding) for choice in plan_choices.choices(holding)],
        "why_not": plan_choices.why_blocked(account, holding.subscription),
    }
    return render(request, "billing/change_plan.html", context)


def _offer(request: HttpRequest) -> HttpResponseBase:
    plan, interval = (request.POST.get(name, "") for name in ("plan", "interval"))
    try:
        change = plan_changes.offer(account_of(request), plan, interval, now=clock.now())
    except ChangeBlocked as error:
        messages.warning(request, str(error.sentence))
        return redirect("billing:change-plan")
    except (AlreadyOnPlan, PlanMoved) as error:
        messages.info(request, str(error.sentence))
        return redirect("billing:plan")
    return redirect("billing:show-change", change.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def show_change(request: HttpRequest, change_id: UUID) -> HttpResponseBase:
    account = account_of(request)
    if request.method == "POST":
        return _agree(request, account, change_id)
    change = plan_changes.find(account, change_id)
    if change.state in WAITING:
        _look(account)
        change.refresh_from_db()
    if change.state == State.DONE or (change.kind == Kind.DROP and change.state not in WAITING):
        return _tell(request, change)
    context = {
        "section": "plan",
        "change": change,
        "statement": quote_words.state(Quote.from_json(change.quote)) if change.quote else None,
        "price": offers.price_in_words(change.to_price) if change.to_price else "",
        "reason": change_words.why_unpaid(change),
    }
    return render(request, "billing/change.html", context)


def _agree(request: HttpRequest, account: BillingAccount, change_id: UUID) -> HttpResponseBase:
    try:
        change = plan_changes.agree(account, change_id, clock=clock.now)
    except (ChangeBlocked, ChangeUnderWay, PlanMoved, AlreadyOnPlan, NothingToChange) as error:
        messages.warning(request, str(error.sentence))
        return redirect("billing:plan")
    if change.state != State.OFFERED:
        _look(account)
    if change.pk != change_id:
        messages.info(request, _("What this costs has changed since you looked, so nothing was charged yet."))
    return redirect("billing:show-change", change.pk)


@require_POST
@login_required
def keep_plan(request: HttpRequest) -> HttpResponseBase:
    return _take_back(request, plan_changes.keep)


@require_POST
@login_required
def drop_change(request: HttpRequest) -> HttpResponseBase:
    return _take_back(request, plan_changes.drop)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def cancel_plan(request: HttpRequest) -> HttpResponseBase:
    account = account_of(request)
    try:
        subscription = plan_choices.holding_of(account).subscription
        form = CancelForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            change = cancellation.cancel(account, form.feedback, form.comment, clock=clock.now)
            return _after(request, account, change)
    except (ChangeUnderWay, PlanMoved, NothingToChange) as error:
        messages.info(request, str(error.sentence))
        return redirect("billing:plan")
    if entitlements.end_of(subscription) is not None:
        return redirect("billing:plan")
    default = plans.catalogue().default_terms()
    context = {
        "section": "plan",
        "form": form,
        "paid": subscription,
        "ends_at": cancellation.end_at(subscription),
        "default": default,
        "gives": list(offers.gives(default)),
    }
    return render(request, "billing/cancel_plan.html", context)


@require_POST
@login_required
def resume_plan(request: HttpRequest) -> HttpResponseBase:
    return _take_back(request, cancellation.resume)


def _take_back(request: HttpRequest, act: Callable[..., PlanChange]) -> HttpResponseBase:
    """Undo what is planned, waits for its payment, or ends the plan."""
    account = account_of(request)
    try:
        change = act(account, clock=clock.now)
    except (ChangeUnderWay, PlanMoved, NothingToChange) as error:
        messages.info(request, str(error.sentence))
        return redirect("billing:plan")
    return _after(request, account, change)


def _after(request: HttpRequest, account: BillingAccount, change: PlanChange) -> HttpResponse:
    """Back to the plan, which says what is true by now."""
    _look(account)
    change.refresh_from_db()
    return _tell(request, change)


def _tell(request: HttpRequest, change: PlanChange) -> HttpResponse:
    if change.state == State.DONE:
        messages.success(request, change_words.done(change))
    elif change.kind == Kind.DROP and change.state in (State.LAPSED, State.REFUSED):
        messages.warning(request, change_words.not_dropped(change))
    elif change.state == State.REFUSED:
        messages.error(request, change.error)
    else:
        messages.info(request, _("The payment service has not answered yet. This page will say so when it has."))
    return redirect("billing:plan")


def _look(account: BillingAccount) -> None:
    sync.want(account)
    sync.sync_customer(account.pk, clock=clock.now, budget_s=WAIT_S)
