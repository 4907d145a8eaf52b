"""Usage charges so far, on any page: `{% load usage_charges %}{% usage_charges account %}`."""

from django import template

from apps.billing.models import BillingAccount
from apps.core import clock
from apps.usage import purse

register = template.Library()


@register.inclusion_tag("usage/_charges_card.html")
def usage_charges(account: BillingAccount) -> dict[str, object]:
    """A card with what the end of this month will charge; nothing where usage was never charged."""
    return purse.charges_so_far(account, now=clock.now())
