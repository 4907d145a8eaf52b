"""What is on sale at Stripe, mirrored when it changes there: new prices, and prices that somebody archived."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from apps.billing import differences, entitlements, mirror, plans, stripe_gateway
from apps.billing.differences import Difference
from apps.billing.models import DriftItem, Plan, Price, StripeEvent

TYPES = ("price.", "product.")
OFF_SALE = "price"  # the kind of difference: something is sold here and not there


def read_waiting(*, now: datetime) -> int:
    """Read the shelf if an event says that it changed; the number of events.

    Effect  the network, then an act. Repeat: an event is handled once, and reading twice writes nothing.
    Raises  PaymentsAway.
    """
    about = Q(type__startswith=TYPES[0]) | Q(type__startswith=TYPES[1])
    events = StripeEvent.objects.filter(about, state=StripeEvent.State.STORED)
    keys = list(events.values_list("pk", flat=True))
    if keys:
        read(now=now)
        StripeEvent.objects.filter(pk__in=keys).update(state=StripeEvent.State.HANDLED, handled_at=now)
    return len(keys)


def read(*, now: datetime) -> None:
    """Mirror every Price of our products, and note what the catalogue sells and nobody can buy.

    Effect  the network, then an act.
    Raises  PaymentsAway.
    """
    gateway = stripe_gateway.background()
    published = {plan: list(gateway.list_prices(plan.stripe_product_id)) for plan in _published()}
    with transaction.atomic(durable=True):
        for plan, prices in published.items():
            for price in prices:
                mirror.write_price(price, plan=plan)
        _compare(now=now)


def _published() -> list[Plan]:
    return list(Plan.objects.exclude(stripe_product_id="").order_by("key"))


def _compare(*, now: datetime) -> None:
    """The catalogue against what can be bought. A step."""
    sold = {
        plans.lookup_key(terms.key, interval, currency): terms.key
        for terms in plans.catalogue().plans.values()
        for interval, currency in terms.prices
    }
    buyable = Price.objects.filter(is_active=True, livemode=entitlements.is_live(), lookup_key__in=sold)
    missing = set(sold) - set(buyable.values_list("lookup_key", flat=True))
    ever = set(Price.objects.filter(lookup_key__in=missing).values_list("lookup_key", flat=True))
    for key in sorted(missing & ever):  # what was never published is no difference yet
        differences.note(Difference(OFF_SALE, key, ours="on sale", stripe="archived"), None, now=now)
    noted = DriftItem.objects.filter(kind=OFF_SALE, account=None, fixed_at=None)
    noted.exclude(subject__in=missing & ever).update(fixed_at=now)
