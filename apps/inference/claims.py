"""Who has a run: claimed by one conditional UPDATE, held by a lease with a token, set aside for before any call."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from django.db import connection, transaction

from apps.accounts.models import User
from apps.billing import entitlements, model_prices, plans
from apps.billing.meters import Meter
from apps.billing.models import BillingAccount
from apps.billing.plans import PlanTerms
from apps.core import rows
from apps.core.errors import LimitReached
from apps.inference import backends, language_models, pricing, router
from apps.inference.calls import Prompt, Server
from apps.inference.errors import ModelNotOffered
from apps.inference.events import Notice
from apps.inference.language_models import LanguageModel
from apps.inference.models import Run
from apps.usage import caps, credits, ledger
from apps.usage.limits import Demand

LEASE = timedelta(seconds=10)
RUN_TIMEOUT_S = 600.0
FALLBACK = "fallback_model"
MakePrompt = Callable[[Run, PlanTerms], Prompt]

TAKE = """
    UPDATE inference_run
       SET state = 'running', lease_token = %s, lease_until = %s, attempts = attempts + 1,
           started_at = coalesce(started_at, %s)
     WHERE id = %s AND state = 'queued'
    RETURNING {columns}
"""
ACCOUNT = """
    SELECT {columns}, owner.language FROM billing_billingaccount AS account JOIN accounts_user AS owner
        ON owner.id = account.owner_id
     WHERE account.id = %s
"""
RENEW = """
    UPDATE inference_run AS run
       SET text = held.text, reasoning = held.reasoning, backend = held.backend, lease_until = %(until)s
      FROM unnest(%(ids)s::uuid[], %(tokens)s::uuid[], %(texts)s::text[], %(reasonings)s::text[], %(backends)s::text[])
           AS held (id, token, text, reasoning, backend)
     WHERE run.id = held.id AND run.lease_token = held.token AND run.state = 'running'
    RETURNING run.id, run.stop_requested_at IS NOT NULL
"""


@dataclass(frozen=True)
class Claim:
    """A run that is ours, with all that was decided about it; its reservation is open.

    currency         what the account pays in.
    model_price_id   the version of the rates that `model` holds: what is settled points at it, whatever comes later.
    """

    run: Run
    token: UUID
    plan: PlanTerms
    model: LanguageModel
    servers: tuple[Server, ...]
    prompt: Prompt
    currency: str
    model_price_id: UUID
    notices: tuple[Notice, ...] = ()


class Checkpoint(NamedTuple):
    """What a run has written so far, and where; no `backend` before a server was found."""

    run_id: UUID
    token: UUID
    text: str
    reasoning: str
    backend: str = ""


def take(run_id: UUID, *, now: datetime) -> Run | None:
    """Claim a waiting run for a worker; None when another has it, or it is over. A single statement, then one read."""
    token = uuid4()
    run = rows.first(Run, TAKE, [token, now + LEASE, now, run_id])
    if run is not None:
        run.account = _account_of(run)
    return run


def prepare(run: Run, prompt: MakePrompt, *, now: datetime) -> Claim:
    """Decide about a claimed run and set aside what it may take; where a spent limit says so, of a smaller model.

    Effect  a step; a refusal leaves nothing set aside.
    Raises  a leaf of the error tree: the run must be refused, and no model may be called.
    """
    plan = entitlements.plan_for(run.account, now=now)
    if run.channel != Run.Channel.CHAT:
        plan = credits.api_terms(run.account, plan)
    try:
        return _prepare(run, plan, prompt, now=now)
    except LimitReached as error:
        smaller = ledger.fallback_model(error)
        if smaller is None or smaller == run.model:
            raise
        run.requested_model, run.model, run.refusal = run.model, smaller, error.refusal.facts()
        run.save(update_fields=["model", "requested_model", "refusal"])
        return _prepare(run, plan, prompt, now=now)


def renew(checkpoints: Iterable[Checkpoint], *, now: datetime) -> Mapping[UUID, bool]:
    """Save what runs have written and prolong their leases: run → whether it was asked to stop.

    A run that is missing from the answer is not ours any more.
    """
    held = list(checkpoints)
    facts: dict[str, Any] = {  # Any: psycopg adapts lists, which the stubs do not know
        "until": now + LEASE,
        "ids": [one.run_id for one in held],
        "tokens": [one.token for one in held],
        "texts": [one.text for one in held],
        "reasonings": [one.reasoning for one in held],
        "backends": [one.backend for one in held],
    }
    with connection.cursor() as cursor:
        cursor.execute(RENEW, facts)
        return dict(cursor.fetchall())


def _account_of(run: Run) -> BillingAccount:
    """Its account; of the owner only who that is and their language, which the last words are written in."""
    ((*columns, language),) = rows.ask(BillingAccount, ACCOUNT, [run.account_id], named="account")
    account = rows.of(BillingAccount, columns)
    account.owner = User.from_db(connection.alias, ("id", "language"), (account.owner_id, language))
    return account


def _prepare(run: Run, plan: PlanTerms, prompt: MakePrompt, *, now: datetime) -> Claim:
    model = language_models.get_model(run.model)
    currency = credits.currency_of(run.account)
    model.require_rates(currency)
    asked = prompt(run, plan)
    if run.channel == Run.Channel.CHAT:
        _reserve_messages(run, plan, model, asked, now=now)
    else:
        _reserve_payment(run, plan, model, asked, currency=currency, now=now)
    price = model_prices.ensure(model.key, plans.catalogue().models[model.key], now=now)
    servers = router.in_order(language_models.servers_of(model), asked.affinity)
    servers = backends.candidates(servers, now=now)
    token = run.lease_token
    assert token is not None  # noqa: S101 a claimed run has one
    return Claim(run, token, plan, model, servers, asked, currency, price.pk, _notices_of(run))


def _notices_of(run: Run) -> tuple[Notice, ...]:
    """What the person is told first: another model answers, which they asked for, and from when on it is back."""
    if not run.requested_model:
        return ()
    resets_at = (run.refusal or {}).get("resets_at")
    return (Notice(code=FALLBACK, model=run.model, requested_model=run.requested_model, resets_at=resets_at),)


def _reserve_messages(run: Run, plan: PlanTerms, model: LanguageModel, asked: Prompt, *, now: datetime) -> None:
    tokens = pricing.estimate_input(asked.messages, model.tokenizer) + asked.max_output_tokens
    demand = Demand(plan, model.key, {Meter.MESSAGES: 1, Meter.TOKENS: tokens})
    ledger.reserve(run.account, run.pk, demand, timeout_s=RUN_TIMEOUT_S, now=now)


def _reserve_payment(
    run: Run, plan: PlanTerms, model: LanguageModel, asked: Prompt, *, currency: str, now: datetime
) -> None:
    """A slot, room under the person's own caps, and money; or none of it."""
    _cost, price = model.require_rates(currency)
    if model.key not in plans.catalogue().developer.models:
        raise ModelNotOffered
    input_tokens = pricing.estimate_input(asked.messages, model.tokenizer)
    most_micro = pricing.most_micro(price, input_tokens, asked.max_output_tokens)
    met = caps.caps_of(run.account, run.key_id, currency)
    demand = Demand(plan, model.key, {Meter.SPENDING: most_micro}, met)
    with transaction.atomic():
        ledger.reserve(run.account, run.pk, demand, timeout_s=RUN_TIMEOUT_S, now=now)
        ledger.reserve_payment(run.account, run.pk, most_micro, currency=currency, timeout_s=RUN_TIMEOUT_S, now=now)
