"""Jobs of billing."""

import random
from datetime import timedelta
from uuid import UUID

import structlog
from celery import Task, shared_task

from apps.billing import catching_up, drift, fees, leases, meter_outbox, outbox, repairs, shelf, stripe_gateway, sync
from apps.billing.errors import PaymentsAway
from apps.core import clock, jobs

log = structlog.get_logger(__name__)
RETRY_S = (2, 10)  # jittered
MOST_RETRIES = 5
SLICE = timedelta(minutes=5)
FEES_A_RUN = 200


@shared_task(name="billing.sync_customer", bind=True, max_retries=MOST_RETRIES)
def sync_customer(self: "Task[[str], None]", account_id: str) -> None:
    """Look at Stripe for one account, where something happened that nobody has seen yet.

    Delivery  late is late news. Repeat: twenty events cause twenty nudges and one look. Crash: the lease ends after
              a minute, and the counter still says that somebody should look. After the last retry
              `billing.catch_up` goes on.
    """
    if not leases.is_wanted(UUID(account_id)):
        return
    try:
        is_done = sync.sync_customer(UUID(account_id), clock=clock.now)
    except PaymentsAway:
        is_done = False
    if not is_done and self.request.retries < MOST_RETRIES:
        raise self.retry(countdown=random.uniform(*RETRY_S))  # noqa: S311 jitter, no secret


@shared_task(name="billing.send_outbox")
def send_outbox() -> None:
    """Do what is wanted of Stripe, and send the letters that are due.

    Delivery  late is late. Repeat: each row is claimed first, and its key makes a repeat harmless. Crash: the row's
              next try stands in the row.
    """
    outbox.send_due(clock=clock.now)


@shared_task(name="billing.report_usage")
def report_usage() -> None:
    """Tell Stripe what was used and is charged at the month's end.

    Delivery  every minute, from beat; late is late. Repeat: rows are claimed, and Stripe counts an identifier once.
              Crash: the rows' next try stands in the rows.
    """
    sent = meter_outbox.send_due(clock=clock.now)
    if sent:
        log.info("billing.usage_reported", rows=sent)


@shared_task(name="billing.read_shelf")
def read_shelf() -> None:
    """Read what is on sale at Stripe, after somebody changed it there.

    Delivery  late is late news. Repeat: finds nothing to do. Crash: the events still wait; `billing.catch_up` goes on.
    """
    try:
        shelf.read_waiting(now=clock.now())
    except PaymentsAway:
        log.info("billing.shelf_later")


@shared_task(name="billing.reconcile")
def reconcile() -> None:
    """Compare everything with Stripe, a slice at a time, and repair it.

    Delivery  every night, from beat, and after each slice, from itself. Repeat: one at a time has the turn. Crash: the
              run knows how far it came; `billing.catch_up` lets it go on.
    """
    try:
        is_finished = drift.reconcile_for(SLICE, clock=clock.now)
    except PaymentsAway:
        log.info("billing.reconcile_later")
        return
    if not is_finished:
        jobs.enqueue("billing.reconcile")


@shared_task(name="billing.repair")
def repair(item_id: str) -> None:
    """Repair one difference that staff pointed at.

    Delivery  late is late. Repeat: finds nothing to do. Crash: the item is still open, and the nightly run meets it.
    """
    try:
        repairs.perform(UUID(item_id), clock=clock.now)
    except PaymentsAway:
        log.info("billing.repair_later")


@shared_task(name="billing.catch_up")
def catch_up() -> None:
    """Find what nudges and deliveries missed.

    Delivery  every minute, from beat. Repeat: finds nothing more. Crash: the next run finds the same.
    """
    found = catching_up.catch_up(clock=clock.now)
    if any(found.values()):
        log.info("billing.caught_up", **found)


@shared_task(name="billing.read_fees")
def read_fees() -> None:
    """Ask Stripe what it keeps of payments that are new.

    Delivery  every five minutes, from beat. Repeat: asks for what is not known yet. Crash: what was read is kept.
    """
    try:
        known = fees.read_due(stripe_gateway.background(), at_most=FEES_A_RUN, clock=clock.now)
    except PaymentsAway:
        log.info("billing.fees_later")
        return
    if known:
        log.info("billing.fees_read", payments=known)
