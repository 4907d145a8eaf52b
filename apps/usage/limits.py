"""Which limits a request meets. Pure: plan and caps are values, and nothing here reads or writes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from apps.billing.meters import Meter
from apps.billing.plans import Limit, PlanTerms

MONTH = "month"
NEVER = datetime(9999, 1, 1, tzinfo=UTC)  # the end of a bucket without a window
DECEMBER = 12


@dataclass(frozen=True)
class Cap(Limit):
    """What a person lets an account, or one of its keys, spend in a calendar month (UTC). A limit on money.

    key_id    the API key it is for; None: all of the account.
    currency  of `amount`, which is in micro-units.
    """

    key_id: UUID | None = None
    currency: str = ""

    @property
    def key(self) -> str:
        """What names its bucket."""
        return f"{self.meter}:{self.key_id or '*'}:{self.window_text}"


@dataclass(frozen=True)
class Demand:
    """What a run may take at most.

    ceilings  meter → the most it may take, in the meter's own unit. A run that is paid from credit meets no limit of
              the plan but the number of answers at once: it names no meter of plans.
    caps      what the person lets be spent; they are met by `Meter.SPENDING`.
    """

    plan: PlanTerms
    model: str
    ceilings: Mapping[Meter, int]
    caps: tuple[Cap, ...] = ()

    def __post_init__(self) -> None:
        if any(amount < 0 for amount in self.ceilings.values()):
            raise ValueError("A ceiling cannot be negative.")

    @property
    def is_paid_by_plan(self) -> bool:
        """Whether the plan's own limits count it."""
        return any(meter is not Meter.SPENDING for meter in self.ceilings)


def paying_as_they_go(plan: PlanTerms, developer: PlanTerms) -> PlanTerms:
    """The terms by which an account that bought credit calls the API: of its own plan and the developers', the larger.

    Its limits, models and key stay its plan's: what the chat gives does not change.
    """
    return replace(
        plan,
        queue=developer.queue,
        concurrency=max(plan.concurrency, developer.concurrency),
        output_tokens=max(plan.output_tokens, developer.output_tokens),
        api_requests_per_minute=max(plan.api_requests_per_minute, developer.api_requests_per_minute),
        api_tokens_per_minute=max(plan.api_tokens_per_minute, developer.api_tokens_per_minute),
    )


def limits_of(plan: PlanTerms, model: str) -> tuple[Limit, ...]:
    """Every limit of the plan that concerns the model, and how many answers it writes at once."""
    counted = tuple(limit for limit in plan.limits if not limit.models or model in limit.models)
    return (*counted, concurrency_limit(plan))


def concurrency_limit(plan: PlanTerms) -> Limit:
    """The number of answers at once, as a limit without a window."""
    return Limit(
        meter=Meter.CONCURRENCY,
        models=(),
        amount=plan.concurrency,
        window=None,
        window_text="",
        when_spent="refuse",
        fallback_model=None,
    )


def spending_cap(amount_micro: int | None, currency: str, key_id: UUID | None = None) -> Cap:
    """A person's cap as a limit: a calendar month of money. None counts and never refuses."""
    return Cap(Meter.SPENDING, (), amount_micro, None, MONTH, "refuse", None, key_id=key_id, currency=currency)


def usage_cap(amount_micro: int, currency: str) -> Cap:
    """What may be charged at the month's end, as a limit; it is locked after the caps of spending."""
    return Cap(Meter.USAGE_CHARGES, (), amount_micro, None, MONTH, "refuse", None, currency=currency)


def met_by(demand: Demand) -> tuple[tuple[Limit, int], ...]:
    """The limits that a demand meets with what it takes of each, in the order in which they are locked."""
    wanted = {**demand.ceilings, Meter.CONCURRENCY: 1}
    all_limits = (*limits_of(demand.plan, demand.model), *demand.caps)
    met = [(limit, wanted[limit.meter]) for limit in all_limits if limit.meter in wanted]
    return tuple(sorted(met, key=lambda pair: pair[0].key))


def is_included(demand: Demand) -> bool:
    """Whether the plan has the model and says how much of it: what no limit speaks of is not included."""
    if not demand.is_paid_by_plan:
        return True
    has_limit = any(limit.meter not in (Meter.CONCURRENCY, Meter.SPENDING) for limit, _amount in met_by(demand))
    return demand.model in demand.plan.models and has_limit


def window_at(limit: Limit, now: datetime) -> tuple[datetime, datetime]:
    """The window that a first use opens: start and end, UTC.

    Windows of plans begin with the use that opens them; a person's month is the calendar's; slots have none.
    """
    if isinstance(limit, Cap):
        return month_of(now)
    return now, NEVER if limit.window is None else now + limit.window


def month_of(moment: datetime) -> tuple[datetime, datetime]:
    """The calendar month of a moment in UTC: its first instant, and that of the next."""
    start = moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    is_last = start.month == DECEMBER
    return start, start.replace(year=start.year + is_last, month=1 if is_last else start.month + 1)
