"""Runs from outside the engine: open one, ask it to stop, say how it ended."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.utils import translation

from apps.billing.models import BillingAccount
from apps.billing.plans import PlanTerms
from apps.core import guards, jobs
from apps.inference import errors, events, places, relay
from apps.inference.models import Run
from apps.usage import roundtrip

log = structlog.get_logger(__name__)
UNFINISHED = "SELECT count(*) FROM inference_run WHERE account_id = %s AND state IN ('queued', 'running')"


def open_run(  # noqa: PLR0913 what one run is, in one row
    account: BillingAccount,
    *,
    channel: str,
    job: str,
    model: str,
    plan: PlanTerms,
    request: Mapping[str, object] | None = None,
    key_id: UUID | None = None,
    now: datetime,
) -> Run:
    """Store that an answer is wanted; a worker is nudged on commit.

    job     name of the task that answers it, given the run's id.
    key_id  the API key that asked: its own cap counts, and its usage is shown apart.
    Effect  a step. Nothing is reserved here: the worker that claims the run is the judge.
    Raises  Unavailable: its queue does not move.
    """
    guards.inside_transaction()
    queue = places.BATCH_QUEUE if channel == Run.Channel.BATCH else plan.queue
    places.require_room(queue, now=now)
    run = Run(
        account=account,
        channel=channel,
        job=job,
        queue=queue,
        model=model,
        request=request or {},
        key_id=key_id,
        created_at=now,
        nudged_at=now,
        in_line_since=now,
    )
    roundtrip.insert(run)
    jobs.enqueue(job, str(run.pk), queue=run.queue)
    log.info("run.opened", run_id=str(run.pk), job=job, model=model)
    return run


def count_unfinished(account: BillingAccount) -> int:
    """How many answers of an account are being made or waited for."""
    with connection.cursor() as cursor:
        cursor.execute(UNFINISHED, [account.pk])
        (count,) = cursor.fetchone()
    return int(count)


def request_stop(run: Run, *, now: datetime) -> None:
    """Ask that a run ends. One that nobody began, or that is held, ends here; another by its worker, told at once.

    Effect  an act. What was consumed until then is paid.
    Repeat  nothing; also when the run is over.
    """
    with transaction.atomic(durable=True):
        mine = Run.objects.filter(pk=run.pk)
        untouched = mine.filter(state=Run.State.QUEUED, attempts=0)
        ended = untouched.update(
            state=Run.State.STOPPED, stop_requested_at=now, ended_at=now, finish_reason="stopped", request={}
        )
        going_on = mine.filter(state__in=[Run.State.QUEUED, Run.State.RUNNING], stop_requested_at=None)
        asked = 0 if ended else going_on.update(stop_requested_at=now)
        if ended:
            places.line_up_next(run.account_id, now=now)
            event = terminal_event(Run(state=Run.State.STOPPED))
            transaction.on_commit(partial(relay.announce, run.pk, relay.FIRST, event))
        elif asked:
            transaction.on_commit(partial(relay.ask_to_stop, run.pk))


def last_words(run: Run) -> events.Event:
    """The last event of a run that is over, in the language of who asked."""
    with translation.override(run.account.owner.language or settings.LANGUAGE_CODE):
        return terminal_event(run)


def terminal_event(run: Run) -> events.Event:
    """The last event of a run that is over, from its row; its words are in the language that is active."""
    usage = events.Usage(
        input_tokens=run.input_tokens,
        output_tokens=run.output_tokens,
        provenance=run.provenance or "none",
        cached_input_tokens=run.cached_input_tokens,
        reasoning_tokens=run.reasoning_tokens,
    )
    match run.state:
        case Run.State.SUCCEEDED:
            return events.Finished(usage=usage, finish_reason=run.finish_reason)
        case Run.State.STOPPED:
            return events.Stopped(usage=usage)
    facts = errors.refusal_of(run.error_code, run.refusal)
    return events.Failed(
        code=run.error_code,
        message=errors.explain(run.error_code, run.refusal),
        retry=run.error_code in errors.RETRY_HELPS,
        limit=facts.get("limit"),
        used=facts.get("used"),
        resets_at=facts.get("resets_at"),
        lifted_by=facts.get("lifted_by"),
        meter=facts.get("meter"),
        currency=facts.get("currency"),
    )
