"""The open bill: where letters and the banner lead."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.billing import dunning, sync
from apps.billing.views.visits import WAIT_S, account_of, leave_for
from apps.core import clock


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def pay(request: HttpRequest) -> HttpResponseBase:
    account = account_of(request)
    if request.method == "POST":
        return leave_for(dunning.open_bill(account, now=clock.now()))
    if dunning.find_trouble(account, now=clock.now()):  # perhaps it was paid a moment ago
        sync.want(account)
        sync.sync_customer(account.pk, clock=clock.now, budget_s=WAIT_S)
    return render(request, "billing/pay.html")
