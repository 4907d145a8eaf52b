"""With whom the service earned and for whom it paid in the thirty days up to each day."""

import heapq
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from uuid import UUID

from apps.billing import plans
from apps.core.money import MICRO
from apps.reporting.days import ONE_DAY, Period
from apps.reporting.metrics import account_sums
from apps.reporting.metrics.account_sums import Key, Sums
from apps.reporting.metrics.base import Change, Family
from apps.reporting.models import LossMaker, MarginBand

LENGTH = timedelta(days=30)
MOST = 10
EDGES = (-10, -1, 0, 1, 5, 10, 50)  # of margins, in major units; another list calls for a rebuild
BANDS = tuple(zip((None, *EDGES), (*EDGES, None), strict=True))  # the least, and what is above


class ThirtyDays(Family):
    """Filled from the ledger, and from invoices and what went back of them.

    Kept for each day, since every account's thirty days cannot be added up while somebody waits for a page.
    """

    name = "thirty_days"
    patience = timedelta(hours=1)
    metrics = ()

    def first_day(self) -> date | None:
        return account_sums.first_day()

    def changes(self, since: datetime | None) -> Iterator[Change]:
        """What happened on a day is in the thirty days of the twenty-nine that follow, too."""
        for first, last, at in account_sums.changes(since):
            yield Change(first, last + LENGTH - ONE_DAY, at)

    def source_rows(self, day: date) -> int:
        return sum(MarginBand.objects.filter(day=day).values_list("accounts", flat=True))

    def store(self, day: date) -> None:
        period = Period(day + ONE_DAY - LENGTH, day)
        sums = account_sums.sums_of(period)
        MarginBand.objects.filter(day=day).delete()
        MarginBand.objects.bulk_create(_bands(day, sums))
        LossMaker.objects.filter(day=day).delete()
        LossMaker.objects.bulk_create(_loss_makers(day, sums, account_sums.plans_at(period.end)))


def _bands(day: date, found: dict[Key, Sums]) -> Iterator[MarginBand]:
    counts: dict[tuple[str, int], int] = defaultdict(int)
    totals: dict[tuple[str, int], int] = defaultdict(int)
    edges = [edge * MICRO for edge in EDGES]
    for (_account, currency), sums in found.items():
        margin = sums.margin_micro
        band = currency, bisect_right(edges, margin)
        counts[band] += 1
        totals[band] += margin
    for (currency, number), count in counts.items():
        yield MarginBand(day=day, currency=currency, band=number, accounts=count, margin_micro=totals[currency, number])


def _loss_makers(day: date, found: dict[Key, Sums], of_accounts: dict[UUID, str]) -> Iterator[LossMaker]:
    default = plans.catalogue().default_plan
    for currency in sorted({currency for _account, currency in found}):
        losing = (
            (sums.margin_micro, account, sums)
            for (account, theirs), sums in found.items()
            if theirs == currency and sums.margin_micro < 0
        )
        for margin, account, sums in heapq.nsmallest(MOST, losing, key=lambda loss: loss[:2]):
            yield LossMaker(
                day=day, currency=currency, account_id=account, plan=of_accounts.get(account, default),
                answers=sums.answers, revenue_micro=sums.revenue_micro, model_cost_micro=sums.model_cost_micro,
                margin_micro=margin,
            )  # fmt: skip
