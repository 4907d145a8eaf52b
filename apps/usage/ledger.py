"""Reserve before any model is called, settle with what was really used; each answer leaves exactly one ledger row."""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from apps.billing import entitlements
from apps.billing.meters import Meter
from apps.billing.models import BillingAccount
from apps.core import guards
from apps.core.errors import LimitReached, PaymentNeeded, Refusal
from apps.usage import alerts, buckets, charges, credits, errors, history, limits, reservations, roundtrip
from apps.usage.limits import Demand
from apps.usage.models import UsageAlert, UsageLedger, UsageReservation
from apps.usage.reservations import Held
from apps.usage.roundtrip import Statement

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
            case Meter.SPENDING | Meter.USAGE_CHARGES:
                return self.price_micro
        return 0


class Settled(NamedTuple):
    """The one ledger row of a run, and the warnings that its settling raised."""

    row: UsageLedger
    alerts: tuple[UsageAlert, ...] = ()


class _Beaten(Exception):
    """Another worker reserved for this run meanwhile: what was taken here goes back."""


def reserve(account: BillingAccount, run_id: UUID, demand: Demand, *, timeout_s: float, now: datetime) -> None:
    """Set aside what a run may take, or refuse before any model is called.

    timeout_s  how long the request may take; the reservation expires a minute later.
    Effect     a step: one conditional UPDATE per bucket, in sorted order; whole or, by a savepoint, nothing.
    Raises     LimitReached, PaymentNeeded: no room; both carry `code`, `resets_at` (UTC) and `lifted_by`.
    Repeat     same run again → what it holds stays, and its time begins anew; nothing is taken twice.
    """
    guards.inside_transaction()
    expires_at = now + timedelta(seconds=timeout_s + GRACE_S)
    if _reserve_at_once(account, run_id, demand, expires_at=expires_at, now=now):
        return
    if reservations.hold_again(run_id, expires_at=expires_at):
        return
    _refuse_if_not_included(demand)
    if _reserve_in_new_windows(account, run_id, demand, expires_at=expires_at, now=now):
        return
    try:
        with transaction.atomic():
            taken = [
                (buckets.take(account, demand.model, limit, amount, now=now), amount)
                for limit, amount in limits.met_by(demand)
            ]
            if not reservations.write(account, run_id, taken, expires_at=expires_at, now=now):
                raise _Beaten
    except _Beaten:
        reservations.hold_again(run_id, expires_at=expires_at)


def reserve_payment(
    account: BillingAccount, run_id: UUID, amount_micro: int, *, currency: str, timeout_s: float, now: datetime
) -> None:
    """Choose what pays a run, and set it aside: prepaid credit, else the month's end where that is on.

    Effect  a step: one conditional UPDATE of the account's credit, after any bucket; where it has not enough, one of
            what may be charged this month. A run is paid from one of the two.
    Raises  PaymentNeeded `credit_spent`: less is left than the run may cost, or it is in another currency;
            `usage_cap_reached`: credit is spent, and the cap of usage charges as well.
    Repeat  same run again → what it holds stays.
    """
    guards.inside_transaction()
    expires_at = now + timedelta(seconds=timeout_s + GRACE_S)
    paying = Q(bucket=None) | Q(bucket__meter=Meter.USAGE_CHARGES)
    held = UsageReservation.objects.of_run(run_id).filter(paying).first()
    if held is not None and held.state != State.RELEASED:
        return
    if held is not None:
        held.delete()
    try:
        credits.take(account, amount_micro, currency, now=now)
        bucket_id = None
    except PaymentNeeded:
        bucket_id = charges.take(account, amount_micro, currency, now=now)
        if bucket_id is None:
            raise
    UsageReservation.objects.create(
        account=account, run_id=run_id, bucket_id=bucket_id, amount=amount_micro, created_at=now, expires_at=expires_at
    )


def settle(run_id: UUID, used: Used, *, now: datetime) -> Settled:
    """Book what a run really took in the buckets that reserved for it, and write its one ledger row.

    Effect  a step. What was set aside and still is, is given back; what expired or was released was given back before.
    Raises  UsageReservation.DoesNotExist: the run never reserved anything.
    Repeat  the first row is the answer; nothing is booked twice.
    """
    guards.inside_transaction()
    held = reservations.lock(run_id)
    if not held or held[0].state == State.SETTLED:  # settling moves all of them together
        settled_before = UsageLedger.objects.filter(idempotency_key=f"settle:{run_id}").first()
        if settled_before is not None:
            return Settled(settled_before)
    if not held:
        raise UsageReservation.DoesNotExist(f"Run {run_id} has reserved nothing.")
    entry, spent = _entry(held[0].account_id, run_id, used, now=now), credits.Spent()
    credit = next((row for row in held if row.bucket_id is None), None)
    if any(row.meter == Meter.USAGE_CHARGES for row in held):
        entry.charged_micro = entry.earned_micro = used.price_micro
    if credit is None:
        levels = buckets.move(held, used.of, then=_booking(held, entry))
    else:
        levels = buckets.move(held, used.of)
        spent = credits.spend(credit.account_id, credit.open_amount, used.price_micro)
        entry.credit_micro, entry.earned_micro = spent.debt_micro - used.price_micro, spent.bought_micro
        roundtrip.ask(_booking(held, entry))
    if spent.debt_micro:
        credits.record_debt(entry, spent.debt_micro)
    return Settled(entry, tuple(alerts.raise_alerts(levels, run_id, used.currency, now=now)))


def release(run_id: UUID, *, now: datetime) -> None:
    """Give back what a run set aside, when nothing was consumed. A step; again, or after settle, it changes nothing."""
    guards.inside_transaction()
    give_back([row for row in reservations.lock(run_id) if row.state == State.OPEN], State.RELEASED)


def give_back(held: list[Held], state: str) -> None:
    """Return what locked, open reservations hold and leave them in `state`: all buckets first, credit last. A step."""
    guards.inside_transaction()
    buckets.move(held, lambda _meter: 0)
    for row in sorted(held, key=lambda row: row.account_id):
        if row.bucket_id is None:
            credits.spend(row.account_id, row.amount, 0)
    if held:
        roundtrip.ask([reservations.closing(held, state)])


def fallback_model(error: LimitReached) -> str | None:
    """The smaller model that the spent limit falls back to; None where it refuses, and for slots."""
    limit = error.limit if isinstance(error, errors.LimitSpent) else None
    return limit.fallback_model if limit else None


def _reserve_at_once(
    account: BillingAccount, run_id: UUID, demand: Demand, *, expires_at: datetime, now: datetime
) -> bool:
    """The usual case in one round trip: every window is open and has the room. Else nothing is taken."""
    met = limits.met_by(demand)
    is_too_much = any(limit.amount is not None and amount > limit.amount for limit, amount in met)
    if is_too_much or not limits.is_included(demand):
        return False
    amounts = [amount for _limit, amount in met]
    row_ids, writing = reservations.writing(account, run_id, amounts, expires_at=expires_at, now=now)
    [[(*found, written)]] = roundtrip.ask([buckets.taking(account, met, then=writing, now=now)])
    if written == len(met):
        return True
    if written:
        reservations.forget(row_ids)
    buckets.put_back((bucket, amount) for bucket, amount in zip(found, amounts, strict=True) if bucket)
    return False


def _reserve_in_new_windows(
    account: BillingAccount, run_id: UUID, demand: Demand, *, expires_at: datetime, now: datetime
) -> bool:
    """The first use in a while: what windows are missing is opened. Where there is no room, no window stays open."""
    savepoint = transaction.savepoint()
    is_new = buckets.open_windows(account, [limit for limit, _amount in limits.met_by(demand)], now=now)
    if is_new and _reserve_at_once(account, run_id, demand, expires_at=expires_at, now=now):
        transaction.savepoint_commit(savepoint)
        return True
    transaction.savepoint_rollback(savepoint)
    return False


def _refuse_if_not_included(demand: Demand) -> None:
    if not limits.is_included(demand):
        meter = next(meter for meter in demand.ceilings if meter is not Meter.SPENDING)
        lifted_by = entitlements.lifting_plan(demand.model, meter, 0)
        raise errors.payment_needed(Refusal(errors.NOT_INCLUDED, 0, 0, None, lifted_by, str(meter)))


def _entry(account_id: UUID, run_id: UUID, used: Used, *, now: datetime) -> UsageLedger:
    facts = {field.name: getattr(used, field.name) for field in fields(used)}
    return UsageLedger(
        account_id=account_id,
        run_id=run_id,
        kind=UsageLedger.Kind.SETTLE,
        recorded_at=now,
        idempotency_key=f"settle:{run_id}",
        **facts,
    )


def _booking(held: list[Held], entry: UsageLedger) -> list[Statement]:
    return [
        reservations.closing(held, State.SETTLED),
        roundtrip.writing(entry),
        *history.counting(entry),
        *charges.reporting(entry),
    ]
