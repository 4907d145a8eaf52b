"""What each account brought and cost in each month: whom the service earns with, and whom it pays for."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Count, Max, Min, Sum
from django.db.models.functions import TruncDate

from apps.billing import plans
from apps.billing.models import DisputeMirror, InvoiceMirror, PaymentMirror, RefundMirror
from apps.core.money import micro_from_minor
from apps.reporting import days
from apps.reporting.days import ONE_DAY, Period
from apps.reporting.metrics.base import Change
from apps.reporting.metrics.cash import PaymentFees
from apps.reporting.metrics.cost import earning, infrastructure_micro
from apps.reporting.metrics.earnings import earned_by_account
from apps.reporting.metrics.monthly import MonthlyFamily
from apps.reporting.metrics.revenue import largest_states
from apps.reporting.metrics.usage import settled
from apps.reporting.models import AccountMonth
from apps.usage.models import UsageLedger

BATCH = 1000
Key = tuple[UUID, str]  # account, currency


@dataclass
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


class Accounts(MonthlyFamily):
    """Filled from the ledger, and from invoices and what went back of them."""

    name = "accounts"

    def first_day(self) -> date | None:
        firsts = (
            UsageLedger.objects.aggregate(first=Min("occurred_at"))["first"],
            InvoiceMirror.objects.aggregate(first=Min("period_start"))["first"],
        )
        return min((days.day_of(moment) for moment in firsts if moment), default=None)

    def changes(self, since: datetime | None) -> Iterator[Change]:
        """Whatever changed within a month is told on its last day; today is told by itself."""
        for first, last, at in _changes(since):
            month = days.month_of(first)
            while month.first <= last:
                yield Change(month.last, month.last, at)
                month = days.month_of(month.last + ONE_DAY)

    def source_rows(self, day: date) -> int:
        return AccountMonth.objects.filter(month=day.replace(day=1)).count()

    def keep(self, day: date) -> None:
        month = Period(day.replace(day=1), day)
        of_accounts = dict(largest_states(month.end).values_list("account_id", "plan_id"))
        default = plans.catalogue().default_plan
        rows = (
            AccountMonth(
                month=month.first,
                account_id=account_id,
                currency=currency,
                plan=of_accounts.get(account_id) or default,
                margin_micro=sums.margin_micro,
                **vars(sums),
            )
            for (account_id, currency), sums in _sums(month).items()
        )
        AccountMonth.objects.filter(month=month.first).delete()
        AccountMonth.objects.bulk_create(rows, batch_size=BATCH)


def _sums(month: Period) -> dict[Key, Sums]:
    """Everything that happened in a month, by account and currency."""
    found: dict[Key, Sums] = defaultdict(Sums)
    reporting_currency, each_micro = plans.catalogue().currencies[0], infrastructure_micro()
    used = settled(month).values("account_id", "cost_currency").annotate(
        answers=Count("pk"), messages=Sum("messages"), cost=Sum("cost_micro"),
        days=Count(TruncDate("occurred_at", tzinfo=days.zone()), distinct=True),
    )  # fmt: skip
    for row in used.order_by().iterator():
        sums = found[row["account_id"], row["cost_currency"]]
        sums.answers, sums.messages, sums.active_days = row["answers"], row["messages"], row["days"]
        sums.model_cost_micro = row["cost"]
        found[row["account_id"], reporting_currency].infrastructure_micro += row["answers"] * each_micro
    of_api = earning(month).values("account_id", "currency").annotate(total=Sum("earned_micro")).order_by()
    for earned in of_api.iterator():
        found[earned["account_id"], earned["currency"]].revenue_micro += earned["total"]
    fees = PaymentFees().within(month).values("account_id", "fee_currency").annotate(total=Sum("fee_minor"))
    for fee in fees.order_by().iterator():
        found[fee["account_id"], fee["fee_currency"]].fees_micro += micro_from_minor(fee["total"])
    for account_id, currency, minor in earned_by_account(month):
        found[account_id, currency].revenue_micro += micro_from_minor(minor)
    return found


def _changes(since: datetime | None) -> Iterator[tuple[date, date, datetime]]:
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
