"""How many people come to the public pages, and from where."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import ClassVar

from django.db.models import Max, Min, QuerySet
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import VisitDay
from apps.reporting.metrics.base import Change, Fact, Family, Slice, StoredMetric, Unit
from apps.reporting.metrics.rows import Cell, Column, KeysetRows, Kind, Part, Rows

COLUMNS = (
    Column("day", _("Day"), Kind.DAY),
    Column("source", _("Came from")),
    Column("visits", _("Visits"), Kind.COUNT),
)


class Visits(StoredMetric):
    """Visitors of the landing page."""

    slug = "visits"
    title = _("Visitors")
    unit = Unit.COUNT
    dimensions: ClassVar[tuple[str, ...]] = ("reason",)  # where they came from
    page = VisitDay.Page.HOME
    formula = _(
        "People who saw the landing page, each once a day, told apart without a cookie for that day alone. Left out: "
        "machines, who is signed in, and who asks not to be followed (Do Not Track, Global Privacy Control)."
    )

    def compute(self, day: date) -> Iterable[Fact]:
        for source, visits in self._days(day, day).values_list("source", "visits"):
            yield Fact(self.slug, visits, reason=source)

    def rows(self, part: Slice) -> Rows:
        only = {"source": part.only["reason"]} if "reason" in part.only else {}
        return KeysetRows(COLUMNS, Part(self._days(part.period.first, part.period.last).filter(**only), "day", _cells))

    def _days(self, first: date, last: date) -> QuerySet[VisitDay]:
        return VisitDay.objects.filter(page=self.page, day__range=(first, last))


class PricingVisits(Visits):
    """Visitors of the page of prices."""

    slug = "pricing_visits"
    title = _("Visitors of the prices")
    page = VisitDay.Page.PRICING
    formula = _("The same for the page of prices: people without an account, each once a day.")


class Visiting(Family):
    """Filled from the numbers that `accounts.visits` keeps."""

    name = "visits"
    metrics = (Visits(), PricingVisits())

    def first_day(self) -> date | None:
        first: date | None = VisitDay.objects.aggregate(first=Min("day"))["first"]
        return first

    def changes(self, since: datetime | None) -> Iterator[Change]:
        recent = VisitDay.objects.filter(changed_at__gt=since) if since else VisitDay.objects.all()
        for day, at in recent.values_list("day").annotate(at=Max("changed_at")).order_by("day"):
            yield Change(day, day, at)

    def source_rows(self, day: date) -> int:
        return VisitDay.objects.filter(day=day).count()


def _cells(row: VisitDay) -> tuple[Cell, ...]:
    return (row.day, row.source, row.visits)
