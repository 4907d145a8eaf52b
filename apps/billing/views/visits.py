"""Who comes, and how they leave for a page at Stripe."""

from typing import cast

from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect

from apps.accounts.models import User
from apps.billing import entitlements
from apps.billing.models import BillingAccount
from apps.core import clock

WAIT_S = 3.0  # how long a page waits for Stripe before it says “confirming”


def account_of(request: HttpRequest) -> BillingAccount:
    return entitlements.account_for(cast(User, request.user), now=clock.now())


def leave_for(url: str) -> HttpResponseBase:
    """To a page at Stripe whose address lets anybody in: kept by nobody, named nowhere."""
    response = HttpResponseRedirect(url, status=303)
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response
