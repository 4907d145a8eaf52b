"""With whom the service earned and for whom it paid in the thirty days up to each day."""

import heapq
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from uuid import UUID

from apps.billing import plans
from apps.core.money import MICRO, MICRO_PER_MINOR
from apps.reporting.days import ONE_DAY, Period
from apps.reporting.metrics import account_sums
from apps.reporting.metrics.account_sums import Sums
from apps.reporting.metrics.base import Change, Family
from apps.reporting.models import LossMaker, MarginBand

LENGTH = timedelta(days=30)
MOST = 10
EDGES = (-10, -1, 0, 1, 5, 10, 50)  # of margins, in major units; another list calls for a rebuild
EDGES_MICRO = [edge * MICRO for edge in EDGES]
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
        scale = Scale()
        for account_id, of_currencies in account_sums.sums_of(period):
            scale.add(account_id, of_currencies)
        MarginBand.objects.filter(day=day).delete()
        MarginBand.objects.bulk_create(scale.bands(day))
        LossMaker.objects.filter(day=day).delete()
        LossMaker.objects.bulk_create(scale.loss_makers(day, account_sums.plans_at(period.end)))


class Scale:
    """Gathers, account by account, how many lie where, and the ten that lose most; in each currency."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, int], int] = defaultdict(int)
        self._totals: dict[tuple[str, int], int] = defaultdict(int)
        self._worst: dict[str, list[tuple[int, UUID, Sums]]] = defaultdict(list)  # heaps, the least loss first

    def add(self, account_id: UUID, of_currencies: Mapping[str, Sums]) -> None:
        """Count one account. Who pays in one currency and costs in another is no loss maker: nobody can tell."""
        pays_in = {currency for currency, sums in of_currencies.items() if sums.revenue_micro > 0}
        for currency, sums in of_currencies.items():
            margin = sums.margin_micro
            band = currency, bisect_right(EDGES_MICRO, margin)
            self._counts[band] += 1
            self._totals[band] += margin
            if margin <= -MICRO_PER_MINOR and pays_in <= {currency}:
                push = heapq.heappush if len(self._worst[currency]) < MOST else heapq.heappushpop
                push(self._worst[currency], (-margin, account_id, sums))

    def bands(self, day: date) -> Iterator[MarginBand]:
        """The parts of the scale in which anybody is."""
        for (currency, number), count in self._counts.items():
            total = self._totals[currency, number]
            yield MarginBand(day=day, currency=currency, band=number, accounts=count, margin_micro=total)

    def loss_makers(self, day: date, of_accounts: Mapping[UUID, str]) -> Iterator[LossMaker]:
        """At most ten in each currency."""
        default = plans.catalogue().default_plan
        for currency, worst in self._worst.items():
            for loss, account_id, sums in worst:
                yield LossMaker(
                    day=day, currency=currency, account_id=account_id, plan=of_accounts.get(account_id, default),
                    answers=sums.answers, revenue_micro=sums.revenue_micro, model_cost_micro=sums.model_cost_micro,
                    margin_micro=-loss,
                )  # fmt: skip
