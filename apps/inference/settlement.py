"""How a run begins and ends: usage, text and state in one transaction, guarded by the lease."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from psycopg.types.json import Jsonb

from apps.core import guards
from apps.core.errors import CauserieError, LimitReached, Refused
from apps.inference import claims, errors, places, pricing
from apps.inference.calls import Completion, Spent
from apps.inference.claims import Claim, MakePrompt
from apps.inference.events import Notice
from apps.inference.models import Run
from apps.usage import errors as usage_errors
from apps.usage import ledger, roundtrip
from apps.usage.models import UsageAlert, UsageLedger
from apps.usage.roundtrip import Statement

Keep = Callable[[Run, Completion], None]
MOST_ATTEMPTS = 2  # a run whose worker died so often is not begun again
State = Run.State
Provenance = UsageLedger.Provenance
STORED = (
    "state", "text", "reasoning", "finish_reason", "error_code", "refusal", "input_tokens", "cached_input_tokens",
    "output_tokens", "reasoning_tokens", "provenance", "backend", "first_token_at", "ended_at", "lease_token",
    "lease_until", "request",
)  # fmt: skip
STORE = f"""
    UPDATE inference_run SET {", ".join(f"{column} = %s" for column in STORED)}
     WHERE id = %s AND lease_token = %s AND state = 'running'
    RETURNING id
"""  # noqa: S608 the columns are ours


@dataclass(frozen=True)
class Ending:
    """What is to be stored of a run that has ended."""

    completion: Completion
    backend: str = ""
    first_token_at: datetime | None = None


class Ended(NamedTuple):
    """A run that is over, and what its follower should know before the last word."""

    run: Run
    notices: tuple[Notice, ...] = ()


def begin(run_id: UUID, *, prompt: MakePrompt, keep: Keep, now: datetime) -> Claim | Run | None:
    """Claim a run, set aside what it may take. The claim; or the run, when it ended here; or None: held, or not ours.

    Effect  an act. A refusal, a stop that came before, or too many lost workers end the run: no model is called. Where
            only a slot is missing, a person waits for it: the run is held. Who calls the API is told, and repeats.
    """
    with transaction.atomic(durable=True):
        run = claims.take(run_id, now=now)
        if run is None:
            return None
        wanted = run.model, run.requested_model, run.refusal
        try:
            claim = claims.prepare(run, prompt, now=now)
        except CauserieError as error:
            at_once = _slots_to_wait_for(run, error)
            if at_once is None:
                return _end_refused(run, error, keep, now=now)
            run.model, run.requested_model, run.refusal = wanted  # the smaller model alone may have lacked the slot
            places.hold(run, at_once, now=now)
            return None
        if run.attempts > MOST_ATTEMPTS:
            return end(claim, Ending(_saved(claim, State.FAILED, errors.WORKER_LOST), run.backend), keep, now=now).run
        if run.stop_requested_at is not None:
            return end(claim, Ending(_saved(claim, State.STOPPED), run.backend), keep, now=now).run
        return claim


def finish(claim: Claim, ending: Ending, keep: Keep, *, now: datetime) -> Ended:
    """End a run: store it, settle, and let its owner keep the answer. An act, whole or nothing.

    Raises  LeaseLost: another worker has the run; nothing is stored.
    """
    with transaction.atomic(durable=True):
        return end(claim, ending, keep, now=now)


def end(claim: Claim, ending: Ending, keep: Keep, *, now: datetime) -> Ended:
    """As `finish`, as a step; what no back end reported is counted here, before anything is locked."""
    guards.inside_transaction()
    run, completion = claim.run, _counted(claim, ending.completion)
    ending = replace(ending, completion=completion)
    _store(run, claim.token, ending, now=now)
    settled = ledger.settle(run.pk, _used(claim, ending, now=now), now=now)
    keep(run, completion)
    places.line_up_next(run.account_id, now=now)
    return Ended(run, tuple(_notice_of(alert) for alert in settled.alerts))


def give_up(run_id: UUID, token: UUID | None, *, error_code: str = errors.INTERNAL, now: datetime) -> Run | None:
    """End a run that we cannot make: nothing is charged. An act.

    token   of our claim; None when it could not be claimed, so that it still waits.
    None    it is over already, or another worker has it.
    """
    with transaction.atomic(durable=True):
        state = State.QUEUED if token is None else State.RUNNING
        ended = Run.objects.filter(pk=run_id, state=state, lease_token=token).update(
            state=State.FAILED, error_code=error_code, ended_at=now, lease_token=None, lease_until=None, request={}
        )
        if not ended:
            return None
        ledger.release(run_id, now=now)
        run = Run.objects.select_related("account__owner").get(pk=run_id)
        places.line_up_next(run.account_id, now=now)
        return run


def _slots_to_wait_for(run: Run, error: CauserieError) -> int | None:
    """How many answers the plan writes at once, where it is only that; None where waiting would not help."""
    if not isinstance(error, LimitReached) or error.code != usage_errors.TOO_MANY_AT_ONCE:
        return None
    return error.refusal.limit if run.channel == Run.Channel.CHAT else None


def _end_refused(run: Run, error: CauserieError, keep: Keep, *, now: datetime) -> Run:
    """What was set aside before the refusal is given back; a run that was begun before keeps its text."""
    completion = Completion(State.FAILED, run.text, run.reasoning, "", errors.code_of(error), Spent(), Provenance.NONE)
    run.refusal = error.refusal.facts() if isinstance(error, Refused) else None
    token = run.lease_token
    assert token is not None  # noqa: S101 a claimed run has one
    _store(run, token, Ending(completion), now=now)
    ledger.release(run.pk, now=now)
    keep(run, completion)
    places.line_up_next(run.account_id, now=now)
    return run


def _notice_of(alert: UsageAlert) -> Notice:
    return Notice(
        code=f"limit_{alert.percent}",
        meter=alert.bucket.meter,
        limit=alert.limit_value,
        used=alert.used,
        resets_at=alert.bucket.window_end.isoformat().replace("+00:00", "Z"),
    )


def _counted(claim: Claim, completion: Completion) -> Completion:
    """The completion with its tokens counted by ourselves, where they are not reported."""
    if completion.provenance != Provenance.ESTIMATED:
        return completion
    messages, texts = claim.prompt.messages, (completion.text, completion.reasoning)
    spent = pricing.estimate_spent(messages, *texts, claim.model.tokenizer, told=completion.spent)
    return replace(completion, spent=spent)


def _saved(claim: Claim, state: str, error_code: str = "") -> Completion:
    """What an earlier worker saved."""
    run = claim.run
    return Completion(
        state=state,
        text=run.text,
        reasoning=run.reasoning,
        finish_reason="stopped" if state == State.STOPPED else "",
        error_code=error_code,
        spent=Spent(),
        provenance=Provenance.ESTIMATED if run.reasoning + run.text else Provenance.NONE,
    )


def _store(run: Run, token: UUID, ending: Ending, *, now: datetime) -> None:
    completion, spent = ending.completion, ending.completion.spent
    values: tuple[object, ...] = (
        completion.state, completion.text, completion.reasoning, completion.finish_reason, completion.error_code,
        run.refusal, spent.input_tokens, spent.cached_input_tokens, spent.output_tokens, spent.reasoning_tokens,
        completion.provenance, ending.backend, ending.first_token_at, now, None, None, {},
    )  # fmt: skip
    written = [Jsonb(value) if isinstance(value, dict) else value for value in values]
    (stored,) = roundtrip.ask([Statement(STORE, (*written, run.pk, token))])
    if not stored:
        raise errors.LeaseLost(str(run.pk))
    for field, value in zip(STORED, values, strict=True):
        setattr(run, field, value)


def _used(claim: Claim, ending: Ending, *, now: datetime) -> ledger.Used:
    completion, run = ending.completion, claim.run
    _cost, price = claim.model.require_rates(claim.currency)
    cost = claim.model.cost_at(ending.backend)
    is_chat = run.channel == Run.Channel.CHAT
    return ledger.Used(
        channel=run.channel,
        plan_key=claim.plan.key,
        model=claim.model.key,
        backend=ending.backend,
        messages=1 if is_chat and completion.provenance != Provenance.NONE else 0,
        **completion.spent._asdict(),
        price_micro=0 if is_chat else pricing.amount_micro(price, completion.spent),
        cost_micro=pricing.amount_micro(cost, completion.spent),
        currency=claim.currency,
        cost_currency=claim.model.currency,
        model_price_id=claim.model_price_id,
        provenance=completion.provenance,
        occurred_at=now,
        key_id=run.key_id,
    )
