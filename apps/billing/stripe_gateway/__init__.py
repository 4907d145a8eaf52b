"""The only door to Stripe: our values go in and come out, our exceptions are raised, every POST carries our key."""

from functools import cache

from django.conf import settings

from apps.billing.stripe_gateway.calls import API_VERSION, Params, Patience
from apps.billing.stripe_gateway.customers import CustomerCalls
from apps.billing.stripe_gateway.events import EventCalls, read_event
from apps.billing.stripe_gateway.meters import MeterCalls
from apps.billing.stripe_gateway.money import MoneyCalls
from apps.billing.stripe_gateway.pages import PageCalls
from apps.billing.stripe_gateway.payments import PaymentCalls
from apps.billing.stripe_gateway.schedules import ScheduleCalls
from apps.billing.stripe_gateway.shelf import ShelfCalls
from apps.billing.stripe_gateway.subscriptions import SubscriptionCalls

__all__ = ["API_VERSION", "Gateway", "Params", "background", "brisk", "metering", "patient", "read_event"]

PATIENT = Patience(connect_s=3, answer_s=20, repeats=2, slow_downs=3, per_s=0)
BRISK = Patience(connect_s=1, answer_s=3, repeats=0, slow_downs=1, per_s=0)
BACKGROUND = Patience(connect_s=3, answer_s=20, repeats=2, slow_downs=3, per_s=10)
METERING = Patience(connect_s=3, answer_s=5, repeats=0, slow_downs=3, per_s=200)  # its rows repeat it


def patient() -> "Gateway":
    """For people's clicks that must succeed."""
    return _gateway(settings.STRIPE_API_BASE, settings.STRIPE_SECRET_KEY, PATIENT)


def brisk() -> "Gateway":
    """For a page that would rather say “confirming” than wait."""
    return _gateway(settings.STRIPE_API_BASE, settings.STRIPE_SECRET_KEY, BRISK)


def background() -> "Gateway":
    """For jobs: they leave room for people."""
    return _gateway(settings.STRIPE_API_BASE, settings.STRIPE_SECRET_KEY, BACKGROUND)


def metering() -> "Gateway":
    """For reports of usage: many and small, with a limit of their own at Stripe."""
    return _gateway(settings.STRIPE_API_BASE, settings.STRIPE_SECRET_KEY, METERING)


class Gateway(
    CustomerCalls,
    SubscriptionCalls,
    ScheduleCalls,
    MoneyCalls,
    PaymentCalls,
    MeterCalls,
    PageCalls,
    ShelfCalls,
    EventCalls,
):
    """All calls, of one patience."""


@cache
def _gateway(base: str, key: str, patience: Patience) -> Gateway:
    return Gateway(base, key, patience)
