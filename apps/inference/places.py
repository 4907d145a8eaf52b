"""Who waits for what, and for how long: for a place in its queue, or for another answer of the same account.

A plan says how many answers an account gets at once. A question beyond that is held: it stands in no queue, no job is
on its way for it, and `in_line_since` is empty, until an answer of its account ends and lines it up.

Nobody is let wait for what will not come: a queue whose first has waited too long takes no more, and who has waited
longer still is told so. Batches have time.
"""

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection
from django.db.models import F, Q

from apps.billing.meters import Meter
from apps.core import guards, jobs
from apps.core.errors import Unavailable
from apps.inference import errors
from apps.inference.events import OWN_ANSWER, PLACE, Queued
from apps.inference.models import Run, RunQuerySet
from apps.usage import roundtrip
from apps.usage.models import UsageBucket
from apps.usage.roundtrip import Statement

log = structlog.get_logger(__name__)

BATCH_QUEUE = "runs.batch"
PATIENCE = 2  # times the longest wait: who was let in may wait so long
RETRY_AFTER_S = 30

WAITS = """
    SELECT EXISTS (SELECT FROM inference_run
                    WHERE state = 'queued' AND in_line_since IS NOT NULL AND queue = %s AND in_line_since < %s)
"""
LINE_UP = """
    UPDATE inference_run SET in_line_since = %s, nudged_at = %s
     WHERE id = (SELECT id FROM inference_run
                  WHERE account_id = %s AND state = 'queued' AND in_line_since IS NULL
                  ORDER BY created_at, id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)
    RETURNING id, job, queue
"""


def require_room(queue: str, *, now: datetime) -> None:
    """Check that a queue moves: that its first has not waited longer than `QUEUE_WAIT_LIMIT_S`.

    Raises  Unavailable: who came now would wait at least as long. One indexed look.
    """
    if queue == BATCH_QUEUE:
        return
    limit = timedelta(seconds=settings.QUEUE_WAIT_LIMIT_S)
    with connection.cursor() as cursor:
        cursor.execute(WAITS, [queue, now - limit])
        (is_slow,) = cursor.fetchone()
    if is_slow:
        raise Unavailable(errors.explain(errors.BUSY, None), code=errors.BUSY, wait_s=RETRY_AFTER_S)


def too_late(*, now: datetime) -> RunQuerySet:
    """Runs that wait longer than anybody should."""
    limit = timedelta(seconds=settings.QUEUE_WAIT_LIMIT_S) * PATIENCE
    return Run.objects.in_line().filter(in_line_since__lt=now - limit).exclude(queue=BATCH_QUEUE)


def hold(run: Run, at_once: int, *, now: datetime) -> None:
    """Put a claimed run back as if nobody had claimed it: its account writes as many answers as it may.

    at_once  how many that is, by the plan in force.
    Effect   a step. The slots' row is locked, so an answer that ends meanwhile either comes later and finds this run
             held, or was here before: then there is room, and the run is lined up again.
    """
    guards.inside_transaction()
    slots = UsageBucket.objects.of(run.account).running(at=now).filter(meter=Meter.CONCURRENCY)
    has_room = slots.select_for_update(no_key=True).get().reserved < at_once
    Run.objects.filter(pk=run.pk, lease_token=run.lease_token).update(
        state=Run.State.QUEUED,
        model=run.model,
        requested_model=run.requested_model,
        refusal=run.refusal,
        lease_token=None,
        lease_until=None,
        attempts=F("attempts") - 1,
        started_at=None,
        in_line_since=now if has_room else None,
    )
    if has_room:
        jobs.enqueue(run.job, str(run.pk), queue=run.queue)
    log.info("run.held", run_id=str(run.pk), at_once=at_once)


def line_up_next(account_id: UUID, *, now: datetime) -> None:
    """Send the account's oldest held run to its queue, at whose end it stands from now on.

    Effect  a step, taken after the ended run gave its slot back. A run that another answer's end is lining up is passed
            over, so that two ends line up two.
    """
    guards.inside_transaction()
    (lined_up,) = roundtrip.ask([Statement(LINE_UP, (now, now, account_id))])
    for run_id, job, queue in lined_up:
        jobs.enqueue(job, str(run_id), queue=queue)


def find_place(run: Run) -> Queued | None:
    """Where a run waits, counted from 1; None when it does not wait.

    In its queue it waits for all who stood there before it. Held, it waits for the answers of its account that are
    being made or were asked for before it.
    """
    if run.state != Run.State.QUEUED:
        return None
    if run.in_line_since is not None:
        in_line = Run.objects.in_line(run.queue).filter(in_line_since__lt=run.in_line_since)
        return Queued(position=in_line.count() + 1, waits_for=PLACE)
    own = Run.objects.filter(account_id=run.account_id).unfinished()
    own = own.filter(Q(state=Run.State.RUNNING) | Q(created_at__lt=run.created_at))
    return Queued(position=own.count() + 1, waits_for=OWN_ANSWER)
