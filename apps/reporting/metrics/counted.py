"""Metrics that count, or add up, rows of one table by the day on which something happened to them."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, ClassVar

from django.db.models import Count, Max, Min, QuerySet
from django.db.models.aggregates import Aggregate
from django.db.models.functions import TruncDate

from apps.core.money import micro_from_minor
from apps.reporting import days
from apps.reporting.days import Period
from apps.reporting.metrics.base import Change, Fact, Family, Slice, StoredMetric
from apps.reporting.metrics.rows import Cell, Column, KeysetRows, Kind, Part, Rows


class CountedMetric(StoredMetric):
    """Rows of a table, counted or added up.

    moment   the column that says when it happened
    columns  what a row shows: column → the row's attribute, which may lead over relations ("account__owner_id")
    minor    whether the total is money in minor units
    """

    moment: ClassVar[str]
    dimensions: ClassVar[Mapping[str, str]] = {}  # dimension → column
    total: ClassVar[Aggregate] = Count("pk")
    columns: ClassVar[Mapping[Column, str]]
    minor: ClassVar[bool] = False

    @abstractmethod
    def source(self) -> QuerySet[Any]:
        """All rows that count, of whatever day."""

    def within(self, period: Period) -> QuerySet[Any]:
        """Those of a period."""
        return self.source().filter(**{f"{self.moment}__gte": period.start, f"{self.moment}__lt": period.end})

    def compute(self, day: date) -> Iterable[Fact]:
        groups = self.within(Period(day, day)).values(*self.dimensions.values()).annotate(sum=self.total)
        for group in groups.order_by() if self.dimensions else [self._whole(day)]:
            named = {name: str(group[column] or "") for name, column in self.dimensions.items()}
            value = int(group["sum"] or 0)
            yield Fact(self.slug, micro_from_minor(value) if self.minor else value, **named)

    def rows(self, part: Slice) -> Rows:
        only = {self.dimensions[name]: value for name, value in part.only.items() if name in self.dimensions}
        found = self.within(part.period).filter(**only)
        return KeysetRows(tuple(self.columns), Part(found, self.moment, self._cells))

    def _whole(self, day: date) -> dict[str, Any]:
        return self.within(Period(day, day)).aggregate(sum=self.total)

    def _cells(self, row: Any) -> tuple[Cell, ...]:  # noqa: ANN401 a row of any table
        return tuple(_cell(column, _value(row, path)) for column, path in self.columns.items())


class CountedFamily(Family):
    """Counted metrics whose rows carry the moment at which they were recorded.

    counted   the metrics whose rows tell what changed
    recorded  metric → the column that says when a row was last written; where that is not known, the moment itself
    """

    counted: ClassVar[tuple[CountedMetric, ...]]
    recorded: ClassVar[Mapping[str, str]] = {}

    def first_day(self) -> date | None:
        firsts = (one.source().aggregate(first=Min(one.moment))["first"] for one in self.counted)
        return min((days.day_of(moment) for moment in firsts if moment), default=None)

    def changes(self, since: datetime | None) -> Iterator[Change]:
        for one in self.counted:
            written = self.recorded.get(one.slug, one.moment)
            recent = one.source().filter(**{f"{written}__gt": since}) if since else one.source()
            by_day = recent.exclude(**{one.moment: None}).annotate(day=TruncDate(one.moment, tzinfo=days.zone()))
            for day, at in by_day.values_list("day").annotate(at=Max(written)).order_by("day"):
                yield Change(day, day, at)

    def source_rows(self, day: date) -> int:
        return sum(one.within(Period(day, day)).count() for one in self.counted)


def _value(row: Any, path: str) -> Any:  # noqa: ANN401 a row of any table
    for name in path.split("__"):
        row = getattr(row, name, None)
    return row


def _cell(column: Column, value: Any) -> Cell:  # noqa: ANN401 a column of any table
    if column.kind is Kind.MONEY and isinstance(value, int):
        return micro_from_minor(value)
    if value is None or isinstance(value, (int, datetime)):
        return value
    return str(value)
