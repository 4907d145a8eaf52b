"""What each account brought and cost over some days, added up from the ledger, invoices and payments."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Min, Sum
from django.db.models.functions import TruncDate

from apps.billing import plans
from apps.billing.models import DisputeMirror, InvoiceMirror, PaymentMirror, RefundMirror
from apps.core.money import micro_from_minor
from apps.reporting import days
from apps.reporting.days import Period
from apps.reporting.metrics.cash import PaymentFees
from apps.reporting.metrics.cost import earning, infrastructure_micro
from apps.reporting.metrics.earnings import earned_by_account
from apps.reporting.metrics.revenue import largest_states
from apps.reporting.metrics.usage import settled
from apps.usage.models import UsageLedger


@dataclass(slots=True)
class Sums:
    """Of one account in one currency. Money in micro-units."""

    answers: int = 0
    messages: int = 0
    active_days: int = 0
    revenue_micro: int = 0
    model_cost_micro: int = 0
    fees_micro: int = 0
    infrastructure_micro: int = 0

    @property
    def margin_micro(self) -> int:
        return self.revenue_micro - self.model_cost_micro - self.fees_micro - self.infrastructure_micro


OfCurrencies = defaultdict[str, Sums]


def sums_of(period: Period) -> Iterator[tuple[UUID, OfCurrencies]]:
    """Everything that happened in a period, account by account, in each currency.

    Held in memory are those who paid, and of the others one at a time: most of a million accounts pay nothing.
    """
    paid = _paid(period)
    for account_id, rows in groupby(_used(period), key=itemgetter("account_id")):
        sums = paid.pop(account_id, None) or defaultdict(Sums)
        _add_use(sums, rows)
        yield account_id, sums
    yield from paid.items()


def _used(period: Period) -> Iterator[Mapping[str, Any]]:  # Any: one value for each column
    used = settled(period).values("account_id", "cost_currency").annotate(
        answers=Count("pk"), messages=Sum("messages"), cost=Sum("cost_micro"),
        days=Count(TruncDate("occurred_at", tzinfo=days.zone()), distinct=True),
    )  # fmt: skip
    return used.order_by("account_id").iterator()


def _add_use(sums: OfCurrencies, rows: Iterable[Mapping[str, Any]]) -> None:
    reporting_currency, each_micro = plans.catalogue().currencies[0], infrastructure_micro()
    for row in rows:
        one = sums[row["cost_currency"]]
        one.answers, one.messages, one.active_days = row["answers"], row["messages"], row["days"]
        one.model_cost_micro = row["cost"]
        sums[reporting_currency].infrastructure_micro += row["answers"] * each_micro


def _paid(period: Period) -> dict[UUID, OfCurrencies]:
    found: dict[UUID, OfCurrencies] = defaultdict(lambda: defaultdict(Sums))
    of_api = earning(period).values("account_id", "currency").annotate(total=Sum("earned_micro")).order_by()
    for earned in of_api.iterator():
        found[earned["account_id"]][earned["currency"]].revenue_micro += earned["total"]
    fees = PaymentFees().within(period).values("account_id", "fee_currency").annotate(total=Sum("fee_minor"))
    for fee in fees.order_by().iterator():
        found[fee["account_id"]][fee["fee_currency"]].fees_micro += micro_from_minor(fee["total"])
    for account_id, currency, minor in earned_by_account(period):
        found[account_id][currency].revenue_micro += micro_from_minor(minor)
    return found


def plans_at(moment: datetime) -> dict[UUID, str]:
    """Of each account that pays, the plan that it pays most for."""
    return {account: plan for account, plan in largest_states(moment).values_list("account_id", "plan_id") if plan}


def first_day() -> date | None:
    """The day of the oldest row that counts here."""
    firsts = (
        UsageLedger.objects.aggregate(first=Min("occurred_at"))["first"],
        InvoiceMirror.objects.aggregate(first=Min("period_start"))["first"],
    )
    return min((days.day_of(moment) for moment in firsts if moment), default=None)


def changes(since: datetime | None) -> Iterator[tuple[date, date, datetime]]:
    """The days of which something was recorded since a moment: the first, the last, and when it was."""
    rows = UsageLedger.objects.filter(recorded_at__gt=since) if since else UsageLedger.objects.all()
    by_day = rows.values(day=TruncDate("occurred_at", tzinfo=days.zone())).annotate(at=Max("recorded_at"))
    for found in by_day.order_by("day"):
        yield found["day"], found["day"], found["at"]
    invoices = InvoiceMirror.objects.filter(synced_at__gt=since) if since else InvoiceMirror.objects.all()
    for start, end, at in invoices.values_list("period_start", "period_end", "synced_at").iterator():
        if start is not None:
            yield days.day_of(start), days.day_of(end or start), at
    for table in (PaymentMirror, RefundMirror, DisputeMirror):
        back = table.objects.filter(synced_at__gt=since) if since else table.objects.all()
        for moment, at in back.values_list("created", "synced_at").iterator():
            yield days.day_of(moment), days.day_of(moment), at
