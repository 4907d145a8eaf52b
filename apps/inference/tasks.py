"""Jobs of the engine itself; what answers a run lies with whoever wanted it."""

import structlog
from celery import shared_task

from apps.core import clock
from apps.inference import probes, sweep

log = structlog.get_logger(__name__)


@shared_task(name="inference.sweep")
def sweep_runs() -> None:
    """Bring back what lost workers and lost nudges left behind.

    Delivery  every few seconds by beat; late means that a broken answer goes on later.
    Repeat    each run is moved by a conditional UPDATE: once.
    Crash     the next one goes on.
    """
    given_back = sweep.give_back_abandoned(now=clock.now())
    nudged, ended = sweep.nudge_waiting(now=clock.now()), sweep.end_too_late(now=clock.now())
    if given_back or nudged or ended:
        log.info("runs.swept", given_back=given_back, nudged=nudged, ended=ended)


@shared_task(name="inference.probe")
def probe_backends() -> None:
    """Ask every back end whether it is up.

    Delivery  every quarter of a minute by beat; late means that one that fell over is met by a run first.
    Repeat    the same; two failures more for a server that is down.
    Crash     the next one goes on.
    """
    down = probes.probe_all(clock=clock.now)
    if down:
        log.warning("backends.down", count=down)


@shared_task(name="inference.forget_trouble")
def forget_trouble() -> None:
    """Drop old counts of failed calls.

    Delivery  once a day by beat; late means a larger table.
    Repeat    nothing is left to drop.
    Crash     the next one goes on.
    """
    sweep.forget_trouble(now=clock.now())
