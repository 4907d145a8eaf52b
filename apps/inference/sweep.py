"""What lost workers and lost nudges leave behind: runs are given back to their queue, and nudged again."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import DurationField, ExpressionWrapper, F
from django.db.models.functions import Coalesce

from apps.core import jobs
from apps.inference.models import Run

NUDGE_AFTER = timedelta(seconds=15)
MOST_AT_ONCE = 500


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
