from typing import cast
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from apps.accounts.models import User
from apps.billing import entitlements, phrases, plans
from apps.billing.meters import Meter
from apps.core import clock, money
from apps.usage import balances, credits

HISTORY_DAYS = 30
METER_NAMES = {
    Meter.MESSAGES: _("Messages"),
    Meter.TOKENS: _("Tokens"),
    Meter.IMAGES: _("Images"),
    Meter.SEARCHES: _("Web searches"),
    Meter.VOICE_SECONDS: _("Seconds of voice"),
    Meter.BATCH_TOKENS: _("Tokens in batches"),
}


@require_safe
@login_required
def show_usage(request: HttpRequest) -> HttpResponse:
    now, user = clock.now(), cast(User, request.user)
    account = entitlements.account_for(user, now=now)
    plan = entitlements.plan_for(account, now=now)
    context = {
        "section": "usage",
        "plan": plan,
        "rows": [_row(balance) for balance in balances.shown(account, plan=plan, now=now)],
        "days": balances.by_day(account, days=HISTORY_DAYS, zone=ZoneInfo(user.time_zone), now=now),
        "credit": money.decimal_from_micro(credits.balance_micro(account)),
        "credit_currency": credits.currency_of(account).upper(),
    }
    return render(request, "usage/usage.html", context)


def _row(balance: balances.Balance) -> dict[str, object]:
    offered = plans.catalogue().models
    names = [str(offered[key]["name"]) if key in offered else key for key in balance.models]
    name = METER_NAMES.get(balance.meter, balance.meter)
    return {"balance": balance, "models": names, "name": name, "period": phrases.period_s(balance.window_s)}
