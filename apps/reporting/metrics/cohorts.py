"""What becomes of the people who signed up in one month: kept as a table of its own, not as daily facts."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, F, Min, QuerySet, Sum
from django.db.models.functions import TruncMonth

from apps.billing.models import BillingAccount, SubscriptionState
from apps.reporting import days, population
from apps.reporting.metrics.base import LATE_COMMIT, Change
from apps.reporting.metrics.monthly import MonthlyFamily
from apps.reporting.metrics.revenue import states_in_force
from apps.reporting.models import CohortMonth, FillState, MrrMovement

NO_CURRENCY = ""  # the row that counts people
SOON = timedelta(days=30)
MOVEMENTS = "movements"  # the family that says who began to pay


class Cohorts(MonthlyFamily):
    """Filled from accounts, states of subscriptions, and movements."""

    name = "cohorts"

    def first_day(self) -> date | None:
        first = BillingAccount.objects.aggregate(first=Min("created_at"))["first"]
        return days.day_of(first) if first else None

    def changes(self, since: datetime | None) -> Iterator[Change]:
        """A state that was seen late changes every month end from then on, and so do movements that were filled."""
        filled = FillState.objects.filter(family=MOVEMENTS, **({"filled_at__gt": since} if since else {}))
        for day, at in filled.values_list("day", "filled_at").order_by("day"):
            if at is not None:
                yield Change(day, None, at - LATE_COMMIT)  # it was committed at that moment, and not later
        recent = SubscriptionState.objects.filter(observed_at__gt=since) if since else SubscriptionState.objects.all()
        for happened, seen in recent.values_list("effective_at", "observed_at").order_by("effective_at")[:1]:
            yield Change(days.day_of(happened), None, seen)

    def source_rows(self, day: date) -> int:
        return BillingAccount.objects.filter(created_at__lt=days.end_of(day)).count()

    def keep(self, day: date) -> None:
        """Put in place how each month's people stand at the end of a day."""
        found = list(_cohorts_at(day))
        stale = CohortMonth.objects.filter(pk__in=[row.pk for row in CohortMonth.objects.all() if _ends(row, day)])
        stale.delete()
        CohortMonth.objects.bulk_create(found)


def _cohorts_at(day: date) -> Iterator[CohortMonth]:
    end = days.end_of(day)
    accounts = BillingAccount.objects.filter(population.counted(), is_guest=False, created_at__lt=end)
    in_force = states_in_force(end)
    signed_up = _by_month(accounts, "created_at", Count("pk"))
    paying = _by_month(in_force, "account__created_at", Count("account", distinct=True))
    first_paid = MrrMovement.objects.filter(type=MrrMovement.Type.NEW, at__lt=end)
    ever_paid = _by_month(first_paid, "account__created_at", Count("account", distinct=True))
    soon = first_paid.filter(at__lte=F("account__created_at") + SOON)
    paid_soon = _by_month(soon, "account__created_at", Count("account", distinct=True))
    for month, count in sorted(signed_up.items()):
        k = 12 * (day.year - month.year) + day.month - month.month
        kept = {"accounts": count, "ever_paid": ever_paid.get(month, 0), "paying": paying.get(month, 0),
                "paid_soon": paid_soon.get(month, 0)}  # fmt: skip
        yield CohortMonth(signup_month=month, k=k, currency=NO_CURRENCY, mrr_micro=0, **kept)
    for currency in sorted(set(in_force.values_list("currency", flat=True))):
        mrr = _by_month(in_force.filter(currency=currency), "account__created_at", Sum("mrr_micro"))
        for month, micro in sorted(mrr.items()):
            k = 12 * (day.year - month.year) + day.month - month.month
            counts = {"accounts": 0, "ever_paid": 0, "paying": 0}
            yield CohortMonth(signup_month=month, k=k, currency=currency, mrr_micro=micro, **counts)


def _by_month(rows: QuerySet[Any], moment: str, total: Any) -> dict[date, int]:  # noqa: ANN401 an aggregate
    grouped = rows.annotate(month=TruncMonth(moment, tzinfo=days.zone())).values_list("month").annotate(total=total)
    return {month.date(): int(value) for month, value in grouped.order_by()}


def _ends(row: CohortMonth, day: date) -> bool:
    return 12 * (day.year - row.signup_month.year) + day.month - row.signup_month.month == row.k
