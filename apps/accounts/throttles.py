"""How long whoever tried too often has to wait: allauth counts the tries, and says no without saying until when."""

import math
from collections.abc import Mapping
from types import MappingProxyType

from allauth.core.internal import ratelimit
from django.core.cache import cache
from django.http import HttpRequest

APP = "allauth.account"
# Pages of allauth → the tries it counts there.
ACTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "account_login": ("login", "login_failed"),
        "login": ("login_failed",),  # the admin's door
        "account_signup": ("signup",),
        "account_signup_by_passkey": ("signup",),
        "account_request_login_code": ("request_login_code",),
        "account_reset_password": ("reset_password",),
        "account_reset_password_from_key": ("reset_password_from_key",),
        "account_change_password": ("change_password",),
        "account_reauthenticate": ("reauthenticate",),
        "mfa_reauthenticate": ("reauthenticate",),
        "email": ("change_address",),
        "prove": ("reauthenticate",),
        "send-proof": ("send_proof",),
    }
)
USUAL_S = 60  # where nothing more is known: the longest window of the limits by address


def wait_s(request: HttpRequest, *, now_s: float) -> int:
    """Whole seconds until another try is taken, at least one.

    now_s  seconds since the epoch, as the limiter writes them down.
    """
    match = request.resolver_match
    actions = ACTIONS.get(match.url_name or "", ()) if match else ()
    waits = [
        _wait_s(request, action, rate, now_s)
        for action in actions
        for rate in ratelimit.get_rates(app=APP, action=action)
    ]
    return max(1, math.ceil(max(waits))) if any(waits) else USUAL_S


def _wait_s(request: HttpRequest, action: str, rate: ratelimit.Rate, now_s: float) -> float:
    """Until the oldest of the tries that fill one limit is forgotten; nothing when that limit is not full."""
    if rate.per == "user" and not request.user.is_authenticated:
        return 0.0
    waits = [0.0]
    for name in _names(request):
        key = ratelimit.get_cache_key(request, app=APP, action=action, rate=rate, key=name)
        tries = [moment for moment in cache.get(key, []) if moment > now_s - rate.duration]
        if len(tries) >= rate.amount:
            waits.append(tries[-1] + rate.duration - now_s)
    return max(waits)


def _names(request: HttpRequest) -> tuple[str, str]:
    """As what the limiter knows the account that is tried: allauth puts the site before it for passwords."""
    told = next((request.POST[field] for field in ("email", "login", "username") if request.POST.get(field)), "")
    return told.lower(), f"{request.get_host()}:{told.lower()}"
