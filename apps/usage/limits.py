"""Which limits of a plan a request meets. Pure: the plan is a value, and nothing here reads or writes."""

from collections.abc import Mapping
from dataclasses import dataclass

from apps.billing.meters import Meter
from apps.billing.plans import Limit, PlanTerms


@dataclass(frozen=True)
class Demand:
    """What a run may take at most.

    ceilings  meter → the most it may take, in the meter's own unit. Empty for a run that is paid from credit: it meets
              no limit of the plan but the number of answers at once.
    """

    plan: PlanTerms
    model: str
    ceilings: Mapping[Meter, int]

    def __post_init__(self) -> None:
        if any(amount < 0 for amount in self.ceilings.values()):
            raise ValueError("A ceiling cannot be negative.")


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


def met_by(demand: Demand) -> tuple[tuple[Limit, int], ...]:
    """The limits that a demand meets with what it takes of each, in the order in which they are locked."""
    wanted = {**demand.ceilings, Meter.CONCURRENCY: 1}
    met = [(limit, wanted[limit.meter]) for limit in limits_of(demand.plan, demand.model) if limit.meter in wanted]
    return tuple(sorted(met, key=lambda pair: pair[0].key))


def is_included(demand: Demand) -> bool:
    """Whether the plan has the model and says how much of it: what no limit speaks of is not included."""
    if not demand.ceilings:
        return True
    has_limit = any(limit.meter != Meter.CONCURRENCY for limit, _amount in met_by(demand))
    return demand.model in demand.plan.models and has_limit
