"""Jobs of usage."""

from uuid import UUID

import structlog
from celery import shared_task

from apps.core import clock
from apps.usage import drift, guest_days, sweep, top_ups

log = structlog.get_logger(__name__)


@shared_task(name="usage.sweep")
def sweep_usage() -> None:
    """Give back what dead workers left set aside, take out credit whose time is over, and find what top-ups missed.

    Delivery  every minute, from beat. Repeat: finds nothing more. Crash: a batch is given back whole or not at all.
    """
    now = clock.now()
    guest_days.forget_old(now=now)
    expired = sweep.expire_reservations(now=now)
    if expired:
        log.warning("usage.reservations_expired", count=expired)
    ended = sweep.expire_credit(now=now)
    if ended:
        log.info("usage.credit_expired", accounts=ended)
    collected, begun = top_ups.collect_missed(now=now), top_ups.recharge_missed(now=now)
    if collected or begun:
        log.info("usage.topped_up", collected=collected, recharges=begun)


@shared_task(name="usage.collect_credit")
def collect_credit(account_id: str) -> None:
    """Grant what an account paid for credit, and take back what was refunded of it.

    Delivery  late is late. Repeat: each payment counts once. Crash: the sweep finds what is missing.
    """
    account, now = UUID(account_id), clock.now()
    if top_ups.collect(account, now=now):
        top_ups.recharge_if_low(account, now=now)


@shared_task(name="usage.recharge")
def recharge(account_id: str) -> None:
    """Charge the saved card where less credit is left than the person wants.

    Delivery  late is late; it is looked at anew whether little is left. Repeat: one recharge at a time.
              Crash: the sweep finds the account again.
    """
    top_ups.recharge_if_low(UUID(account_id), now=clock.now())


@shared_task(name="usage.find_drift")
def find_drift() -> None:
    """Keep what of usage does not add up where staff see what differs from Stripe.

    Delivery  every night, from beat. Repeat: an item is kept once. Crash: the next run finds the same.
    """
    drift.note(now=clock.now())
