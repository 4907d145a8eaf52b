"""What is left of each limit, and what was used day by day. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Sum
from django.db.models.functions import TruncDate

from apps.billing import entitlements, plans
from apps.billing.meters import Meter
from apps.billing.models import BillingAccount
from apps.billing.plans import Limit, PlanTerms
from apps.core import money
from apps.usage.models import UsageBucket, UsageLedger

WARNING_PERCENT = 80


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


@dataclass(frozen=True)
class Day:
    """What an account used on one day."""

    day: date
    messages: int
    tokens: int
    price_micro: int
    currency: str

    @property
    def price(self) -> Decimal:
        return money.decimal_from_micro(self.price_micro)


def remaining(account: BillingAccount, *, plan: PlanTerms, now: datetime) -> list[Balance]:
    """How each limit of the plan stands now; what running answers have set aside counts as used."""
    buckets = {b.limit_key: b for b in UsageBucket.objects.of(account).running(at=now)}
    return [_balance(limit, buckets.get(limit.key)) for limit in plan.limits]


def shown(account: BillingAccount, *, plan: PlanTerms, now: datetime) -> list[Balance]:
    """What a person is shown of `remaining`: limits of models that nothing here serves are left out."""
    known = plans.catalogue().models

    def is_of_use(balance: Balance) -> bool:
        return not balance.models or any(key in known and plans.is_served(key) for key in balance.models)

    return [balance for balance in remaining(account, plan=plan, now=now) if is_of_use(balance)]


def lifting_plan(plan: PlanTerms, balance: Balance) -> str | None:
    """Key of the cheapest plan with more of what this balance counts; None when there is no more to have."""
    if balance.limit is None:
        return None
    model = next(iter(balance.models or plan.models), "")
    window = None if balance.window_s is None else timedelta(seconds=balance.window_s)
    return entitlements.lifting_plan(model, balance.meter, balance.limit, window=window)


def by_day(account: BillingAccount, *, days: int, zone: ZoneInfo, now: datetime) -> Sequence[Day]:
    """What was settled on each of the last days, in the person's zone, the latest first; empty days are left out."""
    first = (now.astimezone(zone) - timedelta(days=days - 1)).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = (
        UsageLedger.objects.filter(account=account, kind=UsageLedger.Kind.SETTLE, occurred_at__gte=first)
        .annotate(day=TruncDate("occurred_at", tzinfo=zone))
        .values("day", "currency")
        .annotate(
            messages_sum=Sum("messages"),
            tokens_sum=Sum("input_tokens") + Sum("output_tokens"),
            price=Sum("price_micro"),
        )
        .order_by("-day", "currency")
    )
    return [Day(r["day"], r["messages_sum"], r["tokens_sum"], r["price"], r["currency"]) for r in rows]


def _balance(limit: Limit, bucket: UsageBucket | None) -> Balance:
    return Balance(
        meter=limit.meter,
        models=limit.models,
        limit=limit.amount,
        used=bucket.settled + bucket.reserved if bucket else 0,
        resets_at=bucket.window_end if bucket else None,
        window_s=int(limit.window.total_seconds()) if limit.window else None,
    )
