"""What is left of each limit of a plan. Reads only."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.billing import entitlements, plans
from apps.billing.meters import Meter
from apps.billing.models import BillingAccount
from apps.billing.plans import Limit, PlanTerms
from apps.core import rows
from apps.usage.models import UsageBucket

WARNING_PERCENT = 80
RUNNING = "SELECT {columns} FROM usage_usagebucket WHERE account_id = %s AND is_open AND window_end > %s"


@dataclass(frozen=True)
class Balance:
    """How one limit stands. `limit` None is no limit, 0 is not included; numbers are in the meter's own unit.

    resets_at  UTC; None while no window is open: the next use opens one.
    """

    meter: Meter
    models: tuple[str, ...]
    limit: int | None
    used: int
    resets_at: datetime | None
    window_s: int | None
    fallback_model: str | None = None  # who answers when this is used up; None: nobody does

    @property
    def left(self) -> int | None:
        return None if self.limit is None else max(0, self.limit - self.used)

    @property
    def used_percent(self) -> int:
        if self.limit is None:
            return 0
        return min(100, self.used * 100 // self.limit) if self.limit else 100

    @property
    def is_low(self) -> bool:
        return self.used_percent >= WARNING_PERCENT


def remaining(account: BillingAccount, *, plan: PlanTerms, now: datetime) -> list[Balance]:
    """How each limit of the plan stands now; what running answers have set aside counts as used."""
    buckets = {b.limit_key: b for b in rows.read(UsageBucket, RUNNING, [account.pk, now])}
    return [_balance(limit, buckets.get(limit.key)) for limit in plan.limits]


def shown(account: BillingAccount, *, plan: PlanTerms, now: datetime) -> list[Balance]:
    """What a person is shown of `remaining`: limits of models that nothing here serves are left out."""
    known = plans.catalogue().models

    def is_of_use(balance: Balance) -> bool:
        return not balance.models or any(key in known and plans.is_served(key) for key in balance.models)

    return [balance for balance in remaining(account, plan=plan, now=now) if is_of_use(balance)]


def by_models(balances: Iterable[Balance]) -> list[tuple[tuple[str, ...], list[Balance]]]:
    """Balances of the same models together, in the order in which the plan names them, the shortest window first."""
    groups: dict[tuple[str, ...], list[Balance]] = {}
    for balance in balances:
        groups.setdefault(balance.models, []).append(balance)
    return [(models, sorted(group, key=lambda b: (b.meter, b.window_s or 0))) for models, group in groups.items()]


def lifting_plan(plan: PlanTerms, balance: Balance) -> str | None:
    """Key of the cheapest plan with more of what this balance counts; None when there is no more to have."""
    if balance.limit is None:
        return None
    model = next(iter(balance.models or plan.models), "")
    window = None if balance.window_s is None else timedelta(seconds=balance.window_s)
    return entitlements.lifting_plan(model, balance.meter, balance.limit, window=window)


def _balance(limit: Limit, bucket: UsageBucket | None) -> Balance:
    return Balance(
        meter=limit.meter,
        models=limit.models,
        limit=limit.amount,
        used=bucket.settled + bucket.reserved if bucket else 0,
        resets_at=bucket.window_end if bucket else None,
        window_s=int(limit.window.total_seconds()) if limit.window else None,
        fallback_model=limit.fallback_model,
    )
