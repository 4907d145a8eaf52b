"""Facts by calendar month: what tables of months are read from."""

from collections.abc import Collection, Mapping
from datetime import date

from django.db.models import Q, Sum
from django.db.models.functions import TruncMonth

from apps.reporting.days import ONE_DAY, Period, month_of
from apps.reporting.facts import Facts, facts_of, stored_slugs
from apps.reporting.metrics.families import METRICS

MONTHS_SHOWN = 13  # a year, and the month that is open


def months_to(last: date, many: int = MONTHS_SHOWN) -> list[Period]:
    """So many months, the latest last; that one ends on `last`."""
    found = [Period(last.replace(day=1), last)]
    while len(found) < many:
        found.insert(0, month_of(found[0].first - ONE_DAY))
    return found


def read_months(months: list[Period], slugs: Collection[str], only: Mapping[str, str]) -> Facts:
    """Facts that are right for whole months of the list and for the balance before the first. Two queries.

    A flow is summed over its month and stands on the month's last day, a balance on the last day itself.
    """
    wanted = stored_slugs(slugs)
    balances = [slug for slug in wanted if METRICS[slug].is_balance]
    ends = {months[0].first - ONE_DAY, *(month.last for month in months)}
    last_days = {month.first: month.last for month in months}
    sums: dict[tuple[str, str], dict[date, int]] = {}
    stood = facts_of(only).filter(metric__in=balances, day__in=ends)
    for metric, currency, day, total in (
        stood.values_list("metric", "currency", "day").annotate(Sum("value")).order_by()
    ):
        sums.setdefault((metric, currency), {})[day] = int(total)
    flowed = facts_of(only).filter(~Q(metric__in=balances), metric__in=wanted)
    flowed = flowed.filter(day__range=(months[0].first, months[-1].last)).annotate(month=TruncMonth("day"))
    by_month = flowed.values_list("metric", "currency", "month").annotate(Sum("value"))
    for metric, currency, month, total in by_month.order_by():
        sums.setdefault((metric, currency), {})[last_days[month]] = int(total)
    return Facts(sums)
