from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts.models import User
from apps.billing import entitlements
from apps.billing.models import BillingAccount
from apps.core import clock, money
from apps.core.errors import CauserieError, Conflict, Invalid
from apps.developer import completions, keys
from apps.developer.models import ApiKey
from apps.usage import caps, credits


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def show_keys(request: HttpRequest) -> HttpResponse:
    now = clock.now()
    account = entitlements.account_for(cast(User, request.user), now=now)
    if request.method != "POST":
        return _page(request, account)
    try:
        key, secret = keys.make_key(account, request.POST.get("name", ""), now=now)
    except (Invalid, Conflict) as error:
        return _page(request, account, error=error)
    return _page(request, account, made=key, secret=secret)


@login_required
@require_POST
def cap_key(request: HttpRequest, key_id: UUID) -> HttpResponse:
    now = clock.now()
    account = entitlements.account_for(cast(User, request.user), now=now)
    try:
        keys.cap_key(account, key_id, caps.read_amount(request.POST.get("cap", "")), now=now)
    except Invalid as error:
        return _page(request, account, error=error)
    messages.success(request, _("Saved. It counts from the next call on."))
    return redirect("developer:keys")


@login_required
@require_POST
def revoke_key(request: HttpRequest, key_id: UUID) -> HttpResponse:
    now = clock.now()
    keys.revoke_key(entitlements.account_for(cast(User, request.user), now=now), key_id, now=now)
    return redirect("developer:keys")


def _page(
    request: HttpRequest,
    account: BillingAccount,
    *,
    made: ApiKey | None = None,
    secret: str = "",
    error: CauserieError | None = None,
) -> HttpResponse:
    models = completions.offered_models()
    context = {
        "section": "keys",
        "rows": _rows(account),
        "made": made,
        "secret": secret,
        "error": error,
        "example_model": models[0].key if models else "",
        "credit": money.decimal_from_micro(credits.balance_micro(account)),
        "credit_currency": credits.currency_of(account).upper(),
    }
    return render(request, "developer/keys.html", context, status=error.status if error else 200)


def _rows(account: BillingAccount) -> list[dict[str, object]]:
    mine = list(ApiKey.objects.filter(account=account).order_by(F("revoked_at").asc(nulls_first=True), "-created_at"))
    spent = caps.spent_micro(account, [key.pk for key in mine], now=clock.now())
    amounts = caps.amounts_of(account)
    return [
        {"key": key, "spent": money.decimal_from_micro(spent[key.pk]), "cap": caps.write_amount(amounts.get(key.pk))}
        for key in mine
    ]
