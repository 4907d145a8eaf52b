"""Changes of subscriptions become movements of a customer's MRR: what happens within an hour is one of them. Pure."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

WINDOW = timedelta(minutes=60)
NEW, REACTIVATION, EXPANSION, CONTRACTION, CHURN = "new", "reactivation", "expansion", "contraction", "churn"


@dataclass(frozen=True)
class State:
    """What one subscription bills from a moment on. Micro-units a month."""

    at: datetime
    subscription: str
    mrr_micro: int
    plan: str = ""
    interval: str = ""
    cause: str = ""


@dataclass(frozen=True)
class Movement:
    """One change of one customer's MRR in one currency; the sum of them is the MRR."""

    at: datetime
    type: str
    cause: str
    delta_micro: int
    after_micro: int
    subscription: str
    from_plan: str = ""
    to_plan: str = ""
    interval: str = ""  # of the larger side

    @property
    def plan(self) -> str:
        """The plan that it is counted under: what the customer has from then on, or had."""
        return self.to_plan or self.from_plan


Held = dict[str, State]  # subscription → what it bills


def movements_of(
    held: Held, states: Iterable[State], *, has_paid: bool, day_of: Callable[[datetime], date]
) -> Iterator[Movement]:
    """Net the changes of one customer in one currency.

    held      what each subscription billed before; states: what changed since, in order
    has_paid  whether an MRR of the customer ever remained before: what was given back within a window is none
    day_of    the day of a moment: nothing is netted over its end, so that movements sum to the MRR of every day
    """
    held = dict(held)
    window: list[State] = []
    for state in states:
        if window and not _is_with(window[0], state, day_of):
            yield from _closed(held, window, has_paid)
            has_paid, window = has_paid or _total(held) > 0, []
        if window or _bills(held, state.subscription) != state.mrr_micro:
            window.append(state)
        else:
            held[state.subscription] = state
    yield from _closed(held, window, has_paid)


def _closed(held: Held, window: list[State], has_paid: bool) -> Iterator[Movement]:  # noqa: FBT001 one fact of two
    """What the changes of a window come to; `held` is moved on."""
    before, from_plan = _total(held), _largest(held)
    changes: list[tuple[int, State]] = []
    for state in window:
        changes.append((state.mrr_micro - _bills(held, state.subscription), state))
        held[state.subscription] = state
        has_paid = has_paid or before > 0
    delta = _total(held) - before
    if not delta:
        return
    deciding = [state for change, state in changes if change and (change > 0) == (delta > 0)][-1]
    to_plan = _largest(held)
    yield Movement(
        at=deciding.at,
        type=_type_of(before, before + delta, has_paid=has_paid),
        cause=deciding.cause,
        delta_micro=delta,
        after_micro=before + delta,
        subscription=deciding.subscription,
        from_plan=from_plan.plan if from_plan else "",
        to_plan=to_plan.plan if to_plan else "",
        interval=(to_plan or from_plan or deciding).interval,
    )


def _type_of(before: int, after: int, *, has_paid: bool) -> str:
    if before == 0:
        return REACTIVATION if has_paid else NEW
    if after == 0:
        return CHURN
    return EXPANSION if after > before else CONTRACTION


def _is_with(first: State, state: State, day_of: Callable[[datetime], date]) -> bool:
    return state.at - first.at < WINDOW and day_of(state.at) == day_of(first.at)


def _bills(held: Held, subscription: str) -> int:
    return held[subscription].mrr_micro if subscription in held else 0


def _total(held: Held) -> int:
    return sum(state.mrr_micro for state in held.values())


def _largest(held: Held) -> State | None:
    billing = [state for state in held.values() if state.mrr_micro]
    return max(billing, key=lambda state: (state.mrr_micro, state.subscription), default=None)
