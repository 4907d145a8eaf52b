"""Jobs of reporting."""

import structlog
from celery import shared_task

from apps.billing import plans, stripe_gateway
from apps.core import clock
from apps.reporting import accuracy, fill, weekly

DAYS_A_RUN = 40  # of each family: a first fill of two years takes turns with other reports' work
log = structlog.get_logger(__name__)


@shared_task(name="reporting.fill_dirty_days")
def fill_dirty_days() -> None:
    """Compute again what changed since it was last computed.

    Delivery  every minute, from beat. Repeat: the same facts. Crash: a day is replaced whole or stays due.
    """
    filled = fill.fill_dirty_days(now=clock.now(), at_most=DAYS_A_RUN)
    log.info("reporting.filled", days=filled)


@shared_task(name="reporting.send_weekly")
def send_weekly() -> None:
    """Write the report of the week that ended last to everybody who asked for it.

    Delivery  every hour, from beat. Repeat: nobody gets a week twice. Crash: who has not got it gets it next time.
    """
    written = weekly.send_due(reporting_currency=plans.catalogue().currencies[0], now=clock.now())
    log.info("reporting.weekly", written=written)


@shared_task(name="reporting.check_accuracy")
def check_accuracy() -> None:
    """Hold the reports against Stripe's objects and our own rows, and keep what differs.

    Delivery  every night, from beat, and whenever staff ask. Repeat: the latest result stands. Crash: what was compared
              is kept, the rest is as old as it says.
    """
    differing = accuracy.check_all(stripe_gateway.background(), now=clock.now())
    log.info("reporting.checked", differing=differing)
