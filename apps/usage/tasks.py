"""Jobs of usage."""

import structlog
from celery import shared_task

from apps.core import clock
from apps.usage import drift, sweep

log = structlog.get_logger(__name__)


@shared_task(name="usage.sweep")
def sweep_usage() -> None:
    """Give back what dead workers left set aside, and take out credit whose time is over.

    Delivery  every minute, from beat. Repeat: finds nothing more. Crash: a batch is given back whole or not at all.
    """
    now = clock.now()
    expired = sweep.expire_reservations(now=now)
    if expired:
        log.warning("usage.reservations_expired", count=expired)
    ended = sweep.expire_credit(now=now)
    if ended:
        log.info("usage.credit_expired", accounts=ended)


@shared_task(name="usage.find_drift")
def find_drift() -> None:
    """Keep what of usage does not add up where staff see what differs from Stripe.

    Delivery  every night, from beat. Repeat: an item is kept once. Crash: the next run finds the same.
    """
    drift.note(now=clock.now())
