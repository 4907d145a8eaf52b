"""How much is used: settled ledger rows and their quantities."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import ClassVar

from django.db.models import Count, Max, Min, QuerySet, Sum
from django.db.models.aggregates import Aggregate
from django.db.models.functions import TruncDate
from django.utils.translation import gettext_lazy as _

from apps.reporting import days, population
from apps.reporting.days import Period
from apps.reporting.metrics.base import Change, Fact, Family, Slice, StoredMetric, Unit
from apps.reporting.metrics.rows import Column, KeysetRows, Kind, Part, Rows
from apps.usage.models import UsageLedger

LEDGER_COLUMNS = (
    Column("occurred_at", _("When"), Kind.TIME),
    Column("account", _("Account")),
    Column("plan", _("Plan")),
    Column("model", _("Model")),
    Column("backend", _("Back end")),
    Column("channel", _("Channel")),
    Column("provenance", _("Known from")),
)
DIMENSIONS = {
    "plan": "plan_key",
    "model": "model",
    "backend": "backend",
    "channel": "channel",
    "provenance": "provenance",
}
_ROW_DIMENSIONS = (*DIMENSIONS, "currency")


def settled(period: Period) -> QuerySet[UsageLedger]:
    """The counted answers of a period: one row each."""
    return UsageLedger.objects.filter(
        population.counted("account__"),
        kind=UsageLedger.Kind.SETTLE,
        occurred_at__gte=period.start,
        occurred_at__lt=period.end,
    )


class LedgerSum(StoredMetric):
    """A sum over one column of the ledger's settled rows."""

    column: ClassVar[str]  # empty: each row counts one
    dimensions: ClassVar[dict[str, str]] = DIMENSIONS

    def source(self, period: Period) -> QuerySet[UsageLedger]:
        """Which of the settled rows count: all, where a metric says nothing else."""
        return settled(period)

    def compute(self, day: date) -> Iterable[Fact]:
        total: Aggregate = Sum(self.column) if self.column else Count("pk")
        found = self.source(Period(day, day))
        for group in found.values(*self.dimensions.values()).annotate(total=total).order_by():
            named = {name: group[column] for name, column in self.dimensions.items()}
            yield Fact(self.slug, int(group["total"] or 0), **named)

    def rows(self, part: Slice) -> Rows:
        known = {*_ROW_DIMENSIONS, *self.dimensions}
        chosen = {self._column_of(name): value for name, value in part.only.items() if name in known}
        found = self.source(part.period).filter(**chosen)
        return KeysetRows((*LEDGER_COLUMNS, *self.value_columns()), Part(found, "occurred_at", self._cells))

    def value_columns(self) -> tuple[Column, ...]:
        """What is summed, and what it is counted in."""
        return (Column(self.column, self.title, Kind.COUNT),) if self.column else ()

    def _column_of(self, name: str) -> str:
        """The ledger's column behind a name: price and cost are each in a currency of their own."""
        return self.dimensions.get(name, name)

    def _cells(self, row: UsageLedger) -> tuple[str | int | datetime, ...]:
        where = (row.plan_key, row.model, row.backend, row.channel, row.provenance)
        values = (getattr(row, self._column_of(column.name)) for column in self.value_columns())
        return (row.occurred_at, str(row.account_id), *where, *values)


class Answers(LedgerSum):
    """Answers given."""

    slug = "answers"
    title = _("Answers")
    unit = Unit.COUNT
    column = ""
    formula = _(
        "Answers that were settled on the day they were given, in chat and API, stopped and failed ones included."
    )


class Messages(LedgerSum):
    """Messages that plans count."""

    slug = "messages"
    title = _("Messages")
    unit = Unit.COUNT
    column = "messages"
    formula = _(
        "Messages that were counted against a plan's limits, on the day they were answered. API calls count none."
    )


class InputTokens(LedgerSum):
    """Tokens read."""

    slug = "input_tokens"
    title = _("Tokens read")
    unit = Unit.TOKENS
    column = "input_tokens"
    formula = _("Tokens of prompts: as the back end reported them, or as we estimated them where it reported nothing.")


class OutputTokens(LedgerSum):
    """Tokens written."""

    slug = "output_tokens"
    title = _("Tokens written")
    unit = Unit.TOKENS
    column = "output_tokens"
    formula = _("Tokens of answers: as the back end reported them, or as we estimated them where it reported nothing.")


class LedgerFamily(Family):
    """Filled from the ledger: a row changes the day on which it happened, whenever it was recorded."""

    def first_day(self) -> date | None:
        first = UsageLedger.objects.aggregate(first=Min("occurred_at"))["first"]
        return days.day_of(first) if first else None

    def changes(self, since: datetime | None) -> Iterator[Change]:
        recent = UsageLedger.objects.filter(recorded_at__gt=since) if since else UsageLedger.objects.all()
        by_day = recent.values(day=TruncDate("occurred_at", tzinfo=days.zone())).annotate(at=Max("recorded_at"))
        for found in by_day.order_by("day"):
            yield Change(found["day"], found["day"], found["at"])

    def source_rows(self, day: date) -> int:
        return settled(Period(day, day)).count()


class Usage(LedgerFamily):
    """Answers and tokens."""

    name = "usage"
    metrics = (Answers(), Messages(), InputTokens(), OutputTokens())
