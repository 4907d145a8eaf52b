"""Where a cell of a row leads: to the customer, or to the object at Stripe."""

import re
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.urls import reverse

from apps.reporting.population import is_livemode

DASHBOARD = "https://dashboard.stripe.com"
# Prefix of an id at Stripe → the part of its dashboard.
NOUNS = {"sub": "subscriptions", "in": "invoices", "cus": "customers", "pi": "payments", "ch": "payments",
         "re": "refunds", "du": "disputes", "dp": "disputes", "cn": "credit_notes"}  # fmt: skip
STRIPE_ID = re.compile(rf"({'|'.join(NOUNS)})_[A-Za-z0-9]+")


def address_of(column: str, value: object) -> str:
    """The address behind a cell; empty: there is none."""
    text = value if isinstance(value, str) else ""
    if column == "account" and text:
        return f"{reverse('staff:search')}?{urlencode({'q': text})}"
    found = STRIPE_ID.fullmatch(text)
    return _at_stripe(text, NOUNS[found.group(1)]) if found else ""


def _at_stripe(key: str, noun: str) -> str:
    if settings.STRIPE_API_BASE != settings.STRIPE_API:  # the local Stripe shows every object at one address
        place = urlsplit(settings.STRIPE_API_BASE)
        return f"{place.scheme}://{place.netloc}/_sandbox/objects/{key}"
    return f"{DASHBOARD}/{noun}/{key}" if is_livemode() else f"{DASHBOARD}/test/{noun}/{key}"
