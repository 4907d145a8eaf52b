"""What every template may show: the site's name, whether its money is play money, and what is wrong with paying."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from apps.billing import dunning
from apps.billing.models import BillingAccount
from apps.core import clock


def site(_request: HttpRequest) -> dict[str, object]:
    """Name, address and the facts about this place that a person must see."""
    return {
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        "is_sandbox_money": settings.STRIPE_API_BASE != settings.STRIPE_API,
        "is_demo": settings.IS_DEMO,
        "has_local_tools": settings.LOCAL_TOOLS,
        "has_ways_elsewhere": any(way["APPS"] for way in settings.SOCIALACCOUNT_PROVIDERS.values()),
    }


def trouble(request: HttpRequest) -> dict[str, object]:
    """What is wrong with paying for who is signed in; asked when a template shows it, and not before."""
    return {"payment_trouble": SimpleLazyObject(lambda: _find_trouble(request))}


def _find_trouble(request: HttpRequest) -> dunning.Trouble | None:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return None
    account = BillingAccount.objects.filter(owner=user).first()
    return dunning.find_trouble(account, now=clock.now()) if account else None
