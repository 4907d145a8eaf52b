"""Jobs of usage."""

import structlog
from celery import shared_task

from apps.core import clock
from apps.usage import sweep

log = structlog.get_logger(__name__)


@shared_task(name="usage.sweep")
def sweep_usage() -> None:
    """Give back what dead workers left set aside.

    Delivery  every minute, from beat. Repeat: finds nothing more. Crash: a batch is given back whole or not at all.
    """
    expired = sweep.expire_reservations(now=clock.now())
    if expired:
        log.warning("usage.reservations_expired", count=expired)
