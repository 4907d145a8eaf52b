"""Reserve before any model is called, settle with what was really used; each answer leaves exactly one ledger row."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.billing import entitlements
from apps.billing.meters import Meter
from apps.billing.models import BillingAccount
from apps.core import guards
from apps.core.errors import LimitReached, Refusal
from apps.usage import alerts, buckets, credits, errors, history, limits
from apps.usage.limits import Demand
from apps.usage.models import UsageAlert, UsageLedger, UsageReservation

GRACE_S = 60  # a reservation outlives the time-out of its request by this much
State = UsageReservation.State


@dataclass(frozen=True)
class Used:
    """What one answer really took: counts, money in micro-units, and how we know.

    Price is in `currency`, cost in `cost_currency`. Cached, written and image tokens are parts of the input, reasoning
    of the output; `model_price_id` is the version of the rates that were used.
    """

    channel: str
    plan_key: str
    model: str
    backend: str
    messages: int
    input_tokens: int
    output_tokens: int
    price_micro: int
    cost_micro: int
    currency: str
    cost_currency: str
    provenance: str
    occurred_at: datetime
    key_id: UUID | None = None
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    image_input_tokens: int = 0
    reasoning_tokens: int = 0
    model_price_id: UUID | None = None

    def of(self, meter: str) -> int:
        """How much of one meter that is; a slot is only held, never used up."""
        match meter:
            case Meter.MESSAGES:
                return self.messages
            case Meter.TOKENS | Meter.BATCH_TOKENS:
                return self.input_tokens + self.output_tokens
            case Meter.SPENDING:
                return self.price_micro
        return 0


class Settled(NamedTuple):
    """The one ledger row of a run, and the warnings that its settling raised."""

    row: UsageLedger
    alerts: tuple[UsageAlert, ...] = ()


def reserve(
    account: BillingAccount, run_id: UUID, demand: Demand, *, timeout_s: float, now: datetime
) -> tuple[UsageReservation, ...]:
    """Set aside what a run may take, or refuse before any model is called.

    timeout_s  how long the request may take; the reservation expires a minute later.
    Effect     a step: one conditional UPDATE per bucket, in sorted order; whole or, by a savepoint, nothing.
    Raises     LimitReached, PaymentNeeded: no room; both carry `code`, `resets_at` (UTC) and `lifted_by`.
    Repeat     same run again → the same reservations, whose time begins anew; nothing is taken twice.
    """
    guards.inside_transaction()
    expires_at = now + timedelta(seconds=timeout_s + GRACE_S)
    held = _held_again(run_id, expires_at)
    if held:
        return held
    try:
        with transaction.atomic():
            return _reserve_all(account, run_id, demand, expires_at=expires_at, now=now)
    except IntegrityError:  # another worker reserved for this run between our reading and our writing
        held = _held_again(run_id, expires_at)
        if not held:
            raise
        return held


def reserve_credit(
    account: BillingAccount, run_id: UUID, amount_micro: int, *, currency: str, timeout_s: float, now: datetime
) -> UsageReservation:
    """Set prepaid money aside for a run, or refuse before any model is called.

    Effect  a step: one conditional UPDATE of the account's credit, after any bucket.
    Raises  PaymentNeeded `credit_spent`: less is left than the run may cost, or it is in another currency.
    Repeat  same run again → the same reservation.
    """
    guards.inside_transaction()
    expires_at = now + timedelta(seconds=timeout_s + GRACE_S)
    held = UsageReservation.objects.of_run(run_id).filter(bucket=None).first()
    if held is not None and held.state != State.RELEASED:
        return held
    if held is not None:
        held.delete()
    credits.take(account, amount_micro, currency, now=now)
    return UsageReservation.objects.create(
        account=account, run_id=run_id, bucket=None, amount=amount_micro, created_at=now, expires_at=expires_at
    )


def settle(run_id: UUID, used: Used, *, now: datetime) -> Settled:
    """Book what a run really took in the buckets that reserved for it, and write its one ledger row.

    Effect  a step. What was set aside and still is, is given back; what expired or was released was given back before.
    Raises  UsageReservation.DoesNotExist: the run never reserved anything.
    Repeat  the first row is the answer; nothing is booked twice.
    """
    guards.inside_transaction()
    held = _locked(run_id)
    if not held or held[0].state == State.SETTLED:  # settling moves all of them together
        settled_before = UsageLedger.objects.filter(idempotency_key=f"settle:{run_id}").first()
        if settled_before is not None:
            return Settled(settled_before)
    if not held:
        raise UsageReservation.DoesNotExist(f"Run {run_id} has reserved nothing.")
    levels = buckets.move(buckets.Movement(r.bucket, _given_back(r), used.of(r.bucket.meter)) for r in held if r.bucket)
    price_micro, debt_micro = 0, 0
    for reservation in held:
        if reservation.bucket is None:
            price_micro = used.price_micro
            debt_micro = credits.spend(reservation.account_id, _given_back(reservation), price_micro)
    UsageReservation.objects.filter(pk__in=[r.pk for r in held]).update(state=State.SETTLED)
    row = _ledger_row(held[0].account_id, run_id, used, credit_micro=debt_micro - price_micro, now=now)
    if debt_micro:
        credits.record_debt(row, debt_micro)
    history.add(row)
    return Settled(row, tuple(alerts.raise_alerts(levels, run_id, used.currency, now=now)))


def release(run_id: UUID, *, now: datetime) -> None:
    """Give back what a run set aside, when nothing was consumed. A step; again, or after settle, it changes nothing."""
    guards.inside_transaction()
    give_back([r for r in _locked(run_id) if r.state == State.OPEN], State.RELEASED)


def give_back(held: list[UsageReservation], state: str) -> None:
    """Return what locked, open reservations hold and leave them in `state`: all buckets first, credit last. A step."""
    guards.inside_transaction()
    buckets.move(buckets.Movement(r.bucket, r.amount, 0) for r in held if r.bucket)
    for reservation in sorted(held, key=lambda r: r.account_id):
        if reservation.bucket is None:
            credits.spend(reservation.account_id, reservation.amount, 0)
    UsageReservation.objects.filter(pk__in=[r.pk for r in held]).update(state=state)


def fallback_model(error: LimitReached) -> str | None:
    """The smaller model that the spent limit falls back to; None where it refuses, and for slots."""
    limit = error.limit if isinstance(error, errors.LimitSpent) else None
    return limit.fallback_model if limit else None


def _reserve_all(
    account: BillingAccount, run_id: UUID, demand: Demand, *, expires_at: datetime, now: datetime
) -> tuple[UsageReservation, ...]:
    if not limits.is_included(demand):
        meter = next(meter for meter in demand.ceilings if meter is not Meter.SPENDING)
        lifted_by = entitlements.lifting_plan(demand.model, meter, 0)
        raise errors.payment_needed(Refusal(errors.NOT_INCLUDED, 0, 0, None, lifted_by, str(meter)))
    rows = [
        UsageReservation(
            account=account,
            run_id=run_id,
            bucket_id=buckets.take(account, demand.model, limit, amount, now=now),
            amount=amount,
            created_at=now,
            expires_at=expires_at,
        )
        for limit, amount in limits.met_by(demand)
    ]
    return tuple(UsageReservation.objects.bulk_create(rows))


def _held_again(run_id: UUID, expires_at: datetime) -> tuple[UsageReservation, ...]:
    """What the run already holds, settled or expired ones too; what it gave back must be asked for anew."""
    of_run = UsageReservation.objects.of_run(run_id)
    rows = tuple(of_run.exclude(bucket=None).order_by("id"))
    held = tuple(row for row in rows if row.state != State.RELEASED)
    if held:
        of_run.filter(state=State.OPEN).update(expires_at=expires_at)
    elif rows:
        of_run.filter(state=State.RELEASED).delete()
    return held


def _locked(run_id: UUID) -> list[UsageReservation]:
    rows = UsageReservation.objects.of_run(run_id).select_related("bucket").order_by("id")
    return list(rows.select_for_update(no_key=True, of=("self",)))


def _given_back(reservation: UsageReservation) -> int:
    return reservation.amount if reservation.state == State.OPEN else 0


def _ledger_row(account_id: UUID, run_id: UUID, used: Used, *, credit_micro: int, now: datetime) -> UsageLedger:
    return UsageLedger.objects.create(
        account_id=account_id,
        run_id=run_id,
        key_id=used.key_id,
        kind=UsageLedger.Kind.SETTLE,
        channel=used.channel,
        plan_key=used.plan_key,
        model=used.model,
        backend=used.backend,
        messages=used.messages,
        input_tokens=used.input_tokens,
        cached_input_tokens=used.cached_input_tokens,
        cache_write_tokens=used.cache_write_tokens,
        image_input_tokens=used.image_input_tokens,
        output_tokens=used.output_tokens,
        reasoning_tokens=used.reasoning_tokens,
        price_micro=used.price_micro,
        cost_micro=used.cost_micro,
        credit_micro=credit_micro,
        currency=used.currency,
        cost_currency=used.cost_currency,
        model_price_id=used.model_price_id,
        provenance=used.provenance,
        occurred_at=used.occurred_at,
        recorded_at=now,
        idempotency_key=f"settle:{run_id}",
    )
