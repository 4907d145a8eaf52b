"""Jobs of the engine itself; what answers a run lies with whoever wanted it."""

import structlog
from celery import shared_task

from apps.core import clock
from apps.inference import sweep

log = structlog.get_logger(__name__)


@shared_task(name="inference.sweep")
def sweep_runs() -> None:
    """Bring back what lost workers and lost nudges left behind.

    Delivery  every few seconds by beat; late means that a broken answer goes on later.
    Repeat    each run is moved by a conditional UPDATE: once.
    Crash     the next one goes on.
    """
    given_back = sweep.give_back_abandoned(now=clock.now())
    nudged = sweep.nudge_waiting(now=clock.now())
    if given_back or nudged:
        log.info("runs.swept", given_back=given_back, nudged=nudged)
