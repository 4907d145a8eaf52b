from datetime import datetime
from typing import cast
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.models import User
from apps.billing import entitlements, phrases
from apps.billing.meters import Meter
from apps.billing.models import BillingAccount
from apps.core import clock, money
from apps.core.errors import Invalid
from apps.usage import balances, caps, credits, errors, history, purse
from apps.usage.models import UsageAlert

HISTORY_DAYS = 30
MOST_ALERTS = 5


@require_safe
@login_required
def show_usage(request: HttpRequest) -> HttpResponse:
    return _page(request)


@require_POST
@login_required
def set_cap(request: HttpRequest) -> HttpResponse:
    now = clock.now()
    account = entitlements.account_for(cast(User, request.user), now=now)
    try:
        caps.set_cap(account, caps.read_amount(request.POST.get("cap", "")), now=now)
    except Invalid as error:
        return _page(request, error=error)
    messages.success(request, _("Saved. It counts from the next call on."))
    return redirect("usage:usage")


def _page(request: HttpRequest, *, error: Invalid | None = None) -> HttpResponse:
    now, user = clock.now(), cast(User, request.user)
    account = entitlements.account_for(user, now=now)
    plan = entitlements.plan_for(account, now=now)
    shown = balances.shown(account, plan=plan, now=now)
    days = history.by_day(account, days=HISTORY_DAYS, zone=ZoneInfo(user.time_zone), now=now)
    cap_micro = caps.amounts_of(account).get(None)
    context = {
        "section": "usage",
        "plan": plan,
        "groups": [{"models": _names(models), "rows": map(_row, rows)} for models, rows in balances.by_models(shown)],
        "days": days,
        "most_messages": max((day.messages for day in days), default=0),
        "alerts": [_alert(alert) for alert in _alerts_of(account)],
        "cap_text": request.POST.get("cap") if error else caps.write_amount(cap_micro),
        "error": error,
        **_money(account, cap_micro, now=now),
    }
    return render(request, "usage/usage.html", context, status=error.status if error else 200)


def _money(account: BillingAccount, cap_micro: int | None, *, now: datetime) -> dict[str, object]:
    spent_micro = caps.spent_micro(account, [None], now=now)[None]
    return {
        "credit": money.decimal_from_micro(credits.balance_micro(account)),
        "credit_currency": credits.currency_of(account).upper(),
        "currency": credits.currency_of(account).upper(),
        **purse.charges_so_far(account, now=now),
        "spent": money.decimal_from_micro(spent_micro),
        "cap": None if cap_micro is None else money.decimal_from_micro(cap_micro),
        "cap_percent": min(100, spent_micro * 100 // cap_micro) if cap_micro else 100,
        "is_cap_low": cap_micro is not None and spent_micro * 100 >= balances.WARNING_PERCENT * cap_micro,
    }


def _row(balance: balances.Balance) -> dict[str, object]:
    fallback = _names((balance.fallback_model,)) if balance.fallback_model else []
    words = {"what": phrases.things(balance.meter), "period": phrases.period_s(balance.window_s)}
    return {"balance": balance, "fallback": fallback, **words}


def _names(models: tuple[str, ...]) -> list[str]:
    return [phrases.model_name(key) for key in models]


def _alerts_of(account: BillingAccount) -> list[UsageAlert]:
    found = UsageAlert.objects.filter(account=account).select_related("bucket").order_by("-raised_at")
    return list(found[:MOST_ALERTS])


def _alert(alert: UsageAlert) -> dict[str, object]:
    _meter, _colon, rest = alert.bucket.limit_key.partition(":")
    models = rest.rpartition(":")[0]
    is_money = alert.bucket.meter in (Meter.SPENDING, Meter.USAGE_CHARGES)
    names = [] if is_money or models == "*" else _names(tuple(models.split("+")))
    micro_text = errors.money_amount(alert.limit_value, None)
    of = micro_text if is_money else errors.amount(alert.limit_value, alert.bucket.meter)
    return {"percent": alert.percent, "of": of, "models": names, "is_money": is_money, "at": alert.raised_at}
