"""Jobs of privacy."""

from uuid import UUID

import structlog
from celery import shared_task

from apps.core import clock
from apps.privacy import departures, erasures, exports, sweep

log = structlog.get_logger(__name__)


@shared_task(name="privacy.make_export")
def make_export(request_id: str) -> None:
    """Make an archive.

    Delivery  on commit, and by the sweeper. Repeat: one worker at a time, and nothing once it is there. Crash: again.
    """
    exports.make_archive(UUID(request_id), now=clock.now())


@shared_task(name="privacy.continue_erasure")
def continue_erasure(request_id: str) -> None:
    """Go on with an erasure.

    Delivery  on commit, and by the sweeper. Repeat: finds nothing more to erase. Crash: taken up again where it was.
    """
    if erasures.continue_erasure(UUID(request_id), now=clock.now()):
        log.info("privacy.erased", request=request_id)


@shared_task(name="privacy.sweep")
def sweep_requests() -> None:
    """Take up what waits, forget old archives, and end what came to life too late.

    Delivery  every minute, from beat. Repeat: finds nothing more. Crash: each request stands on its own.
    """
    departures.remind(now=clock.now())
    erasures.ask_for_guests(now=clock.now())
    sweep.nudge_due(now=clock.now())
    exports.drop_old_archives(now=clock.now())
    late = erasures.end_late_subscriptions(now=clock.now())
    if late:
        log.warning("privacy.late_subscriptions", count=late)
