"""The movements of a day, worked out from the states of the accounts that changed on it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from apps.billing.models import SubscriptionState
from apps.reporting import days, netting, population
from apps.reporting.days import Period
from apps.reporting.metrics.revenue import states_in_force
from apps.reporting.netting import Movement, State

Row = dict[str, Any]  # a state's columns, by name


@dataclass(frozen=True)
class Moved:
    """One movement, and of its account what is counted.

    paid_at_start  whether the account had any MRR when the month began
    is_first_loss  whether it is the account's first churn of the month
    """

    account_id: UUID
    country: str
    created_at: datetime
    currency: str
    movement: Movement
    paid_at_start: bool
    is_first_loss: bool

    def named(self) -> dict[str, str]:
        """The dimensions of its facts."""
        at = self.movement.at
        return {
            "plan": self.movement.plan,
            "interval": self.movement.interval,
            "currency": self.currency,
            "country": self.country,
            "age": "new" if self.created_at >= at - population.NEW_FOR else "old",
            "reason": self.movement.cause,
        }


def moved_on(day: date) -> Iterator[Moved]:
    """The movements of a day.

    Their month is read from its beginning, which says who paid at its start and who was lost in it before.
    """
    start, end = days.start_of(day.replace(day=1)), days.end_of(day)
    touched = states_on(day).values("account_id")
    held = states_in_force(start).filter(account_id__in=touched)
    since = SubscriptionState.objects.filter(account_id__in=touched, effective_at__gte=start, effective_at__lt=end)
    known = [*_read(held), *_read(since)]
    pays = {row["account_id"] for row in known if row["effective_at"] < start}
    has_paid = pays | _paid_once(touched, pays, start)
    for account_id, rows in _by_account(known):
        yield from _moved_by(account_id, rows, start=start, day=day, has_paid=account_id in has_paid)


def states_on(day: date) -> QuerySet[SubscriptionState]:
    """The states of counted accounts that became true on a day."""
    period = Period(day, day)
    return SubscriptionState.objects.filter(
        population.counted("account__"), effective_at__gte=period.start, effective_at__lt=period.end
    )


def _paid_once(touched: QuerySet[Any, Any], pays: set[UUID], at: datetime) -> set[UUID]:  # rows of one column
    """Of the accounts that changed and had no MRR at a moment, those that had some earlier which remained.

    Only who may come back is read from the beginning: what was given back within the hour was no movement.
    """
    earlier = SubscriptionState.objects.filter(effective_at__lt=at)
    billed = earlier.filter(account_id__in=touched, mrr_micro__gt=0).values_list("account_id", flat=True)
    histories = _read(earlier.filter(account_id__in=set(billed.distinct()) - pays))
    return {key for key, rows in _by_account(histories) if any(_movements(rows, start=days.start_of(days.BEGINNING)))}


def _moved_by(account_id: UUID, rows: list[Row], *, start: datetime, day: date, has_paid: bool) -> Iterator[Moved]:
    found = list(_movements(rows, start=start, has_paid=has_paid))
    paid = any(row["effective_at"] < start for row in rows)
    losses = [movement for _currency, movement in found if movement.type == netting.CHURN]
    first_loss = min(losses, key=lambda one: one.at, default=None)
    for currency, movement in found:
        if days.day_of(movement.at) == day:
            country, created_at = rows[0]["account__owner__country"], rows[0]["account__created_at"]
            yield Moved(account_id, country, created_at, currency, movement, paid, movement is first_loss)


def _movements(rows: list[Row], *, start: datetime, has_paid: bool = False) -> Iterator[tuple[str, Movement]]:
    """The movements of one account since a moment, each with its currency; what came before is held by then."""
    for currency in sorted({row["currency"] for row in rows}):
        own = [row for row in rows if row["currency"] == currency]
        held = {row["subscription_id"]: _state(row) for row in own if row["effective_at"] < start}
        states = [_state(row) for row in own if row["effective_at"] >= start]
        for movement in netting.movements_of(held, states, has_paid=has_paid, day_of=days.day_of):
            yield currency, movement


def _by_account(rows: Iterable[Row]) -> Iterator[tuple[UUID, list[Row]]]:
    """The states of each account, in the order in which they became true."""
    for account_id, own in groupby(sorted(rows, key=_order), key=lambda row: row["account_id"]):
        yield account_id, list(own)


def _read(states: QuerySet[SubscriptionState]) -> QuerySet[Any, Any]:  # rows as dictionaries
    return states.values(
        "pk", "account_id", "subscription_id", "effective_at", "observed_at", "mrr_micro", "plan_id", "interval",
        "currency", "cause", "account__owner__country", "account__created_at",
    )  # fmt: skip


def _order(row: Row) -> tuple[Any, ...]:
    return (str(row["account_id"]), row["effective_at"], row["observed_at"], row["pk"])


def _state(row: Row) -> State:
    return State(
        at=row["effective_at"],
        subscription=row["subscription_id"],
        mrr_micro=row["mrr_micro"],
        plan=row["plan_id"] or "",
        interval=row["interval"],
        cause=row["cause"],
    )
