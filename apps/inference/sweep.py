"""What lost workers and lost nudges leave behind, and who waited too long: runs are given back, nudged, or ended."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import DurationField, ExpressionWrapper, F
from django.db.models.functions import Coalesce

from apps.core import jobs
from apps.inference import errors, places, relay, runs, settlement
from apps.inference.models import BackendTrouble, Run

NUDGE_AFTER = timedelta(seconds=15)
MOST_AT_ONCE = 500
TROUBLE_KEPT = timedelta(days=30)


def give_back_abandoned(*, now: datetime) -> int:
    """Give each run whose lease ran out back to its queue; the worker that still thinks it has it cannot store it.

    Effect  an act per run, a conditional UPDATE; its reservation stays, so it is charged once.
    """
    abandoned = Run.objects.abandoned(at=now).order_by("lease_until")[:MOST_AT_ONCE]
    return sum(_give_back(run, now=now) for run in abandoned)


def nudge_waiting(*, now: datetime) -> int:
    """Send a job again for each run that has waited long: the first one may be lost. The gaps double each time.

    A held run is tried too: the end of the answer it waits for may have gone by unseen. In vain, it is held again.
    """
    waited = ExpressionWrapper(F("nudged_at") - F("created_at"), output_field=DurationField())
    long_enough = Run.objects.waiting_since(now - NUDGE_AFTER).filter(nudged_at__lte=now - waited)
    return sum(_nudge(run, now=now) for run in long_enough.order_by("created_at")[:MOST_AT_ONCE])


def end_too_late(*, now: datetime) -> int:
    """End each run that waited longer than anybody should, with a sentence that says so. Nothing is charged.

    Effect  an act per run. One whose worker was lost keeps its text.
    """
    waiting = places.too_late(now=now).order_by("in_line_since")[:MOST_AT_ONCE]
    ended = [settlement.give_up(run.pk, None, error_code=errors.BUSY, now=now) for run in waiting]
    for run in filter(None, ended):
        relay.announce(run.pk, relay.Position(max(run.attempts, 1), relay.AFTER_ALL), runs.last_words(run))
    return sum(run is not None for run in ended)


def forget_trouble(*, now: datetime) -> None:
    """Drop counts of failed calls that no page shows any more. An act."""
    BackendTrouble.objects.filter(starts_at__lt=now - TROUBLE_KEPT).delete()


def _give_back(run: Run, *, now: datetime) -> bool:
    with transaction.atomic(durable=True):
        ours = (
            Run.objects.abandoned(at=now)
            .filter(pk=run.pk)
            .update(state=Run.State.QUEUED, lease_token=None, lease_until=None, nudged_at=now, in_line_since=now)
        )
        if ours:
            jobs.enqueue(run.job, str(run.pk), queue=run.queue)
        return bool(ours)


def _nudge(run: Run, *, now: datetime) -> bool:
    with transaction.atomic(durable=True):
        unchanged = Run.objects.filter(pk=run.pk, state=Run.State.QUEUED, nudged_at=run.nudged_at)
        ours = unchanged.update(nudged_at=now, in_line_since=Coalesce(F("in_line_since"), now))
        if ours:
            jobs.enqueue(run.job, str(run.pk), queue=run.queue)
        return bool(ours)
