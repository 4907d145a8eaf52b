"""What each account brought and cost in each month: whom the service earns with, and whom it pays for."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, datetime
from itertools import islice

from apps.billing import plans
from apps.reporting import days
from apps.reporting.days import ONE_DAY, Period
from apps.reporting.metrics import account_sums
from apps.reporting.metrics.base import Change
from apps.reporting.metrics.monthly import MonthlyFamily
from apps.reporting.models import AccountMonth

BATCH = 1000


class Accounts(MonthlyFamily):
    """Filled from the ledger, and from invoices and what went back of them."""

    name = "accounts"

    def first_day(self) -> date | None:
        return account_sums.first_day()

    def changes(self, since: datetime | None) -> Iterator[Change]:
        """Whatever changed within a month is told on its last day; today is told by itself."""
        for first, last, at in account_sums.changes(since):
            month = days.month_of(first)
            while month.first <= last:
                yield Change(month.last, month.last, at)
                month = days.month_of(month.last + ONE_DAY)

    def source_rows(self, day: date) -> int:
        return AccountMonth.objects.filter(month=day.replace(day=1)).count()

    def keep(self, day: date) -> None:
        month = Period(day.replace(day=1), day)
        of_accounts, default = account_sums.plans_at(month.end), plans.catalogue().default_plan
        rows = (
            AccountMonth(
                month=month.first,
                account_id=account_id,
                currency=currency,
                plan=of_accounts.get(account_id, default),
                margin_micro=sums.margin_micro,
                **asdict(sums),
            )
            for account_id, of_currencies in account_sums.sums_of(month)
            for currency, sums in of_currencies.items()
        )
        AccountMonth.objects.filter(month=month.first).delete()
        while some := list(islice(rows, BATCH)):  # given all of them, Django would hold all of them
            AccountMonth.objects.bulk_create(some)
