"""What a metric is: a class that states its unit and formula, computes a day's facts and opens the rows behind them."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from django.utils.functional import Promise

from apps.reporting.days import Period
from apps.reporting.metrics.rows import Rows

DIMENSIONS = (
    "plan", "interval", "currency", "country", "age", "model", "backend", "channel", "provenance", "reason",
)  # fmt: skip
# A source row may be committed this long after the moment it carries; nearby days are filled twice rather than missed.
LATE_COMMIT = timedelta(minutes=2)
WHOLE = 1_000_000  # a ratio of 1 (100 %): ratios are integers in millionths


class Unit(StrEnum):
    """What the integer of a fact counts. Money is in micro-units of its currency, a ratio in millionths."""

    COUNT = "count"
    TOKENS = "tokens"
    MONEY = "money"
    MONEY_A_MONTH = "money_a_month"
    RATIO = "ratio"
    TIMES = "times"  # a ratio that is said as a number: 2.00, not 200 %
    MILLISECONDS = "milliseconds"

    @property
    def is_money(self) -> bool:
        return self in (Unit.MONEY, Unit.MONEY_A_MONTH)


@dataclass(frozen=True)
class Fact:
    """One metric on one day for one combination of dimensions; unused dimensions are empty."""

    metric: str
    value: int
    plan: str = ""
    interval: str = ""
    currency: str = ""
    country: str = ""
    age: str = ""
    model: str = ""
    backend: str = ""
    channel: str = ""
    provenance: str = ""
    reason: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        return (self.metric, *(getattr(self, name) for name in DIMENSIONS))


@dataclass(frozen=True)
class Slice:
    """The part of a metric that is asked for: a period, and of some dimensions one value each."""

    period: Period
    only: Mapping[str, str] = field(default_factory=dict)  # dimension → value; a dimension that is absent: all of it

    @property
    def currency(self) -> str:
        """The one currency that is asked for; empty: every one."""
        return self.only.get("currency", "")


class Metric(ABC):
    """One figure. A balance is true at the end of a day, a flow is a sum over the day.

    dimensions  by which it can be split and filtered.
    more_is     whether more of it is "good" news, "bad" news or neither ("").
    """

    slug: ClassVar[str]
    title: ClassVar[str | Promise]
    unit: ClassVar[Unit]
    is_balance: ClassVar[bool] = False
    dimensions: ClassVar[Collection[str]] = ()
    more_is: ClassVar[str] = "good"
    formula: ClassVar[str | Promise]  # printed under the "?"

    @property
    def has_currency(self) -> bool:
        """Whether it is a figure of each currency for itself."""
        return self.unit.is_money

    def is_split_by(self, dimension: str) -> bool:
        """Whether its facts know a dimension."""
        return dimension in self.dimensions


class StoredMetric(Metric):
    """A metric that leaves facts."""

    @abstractmethod
    def rows(self, part: Slice) -> Rows:
        """The rows behind the figure: of a balance those at the end of the last day, of a flow all of the period."""

    @abstractmethod
    def compute(self, day: date) -> Iterable[Fact]:
        """The day's facts, from the sources and nothing else; combinations that are zero do not occur."""


class Parts(ABC):
    """The figures that a derived one is made of, over one period."""

    @abstractmethod
    def end(self, slug: str) -> int:
        """A balance at the end of the period."""

    @abstractmethod
    def start(self, slug: str) -> int:
        """A balance just before the period began."""

    @abstractmethod
    def sum(self, slug: str) -> int:
        """A flow, summed over the period."""


class DerivedMetric(Metric):
    """A figure worked out from others over the period that is looked at; never stored itself."""

    parts: ClassVar[tuple[type[StoredMetric], ...]]

    @property
    def has_currency(self) -> bool:
        return any(part.unit.is_money for part in self.parts)

    def is_split_by(self, dimension: str) -> bool:
        return all(dimension in part.dimensions for part in self.parts)

    @abstractmethod
    def combine(self, parts: Parts) -> int | None:
        """The figure; None is "n/a": a ratio to nothing."""


def ratio(part: int, whole: int) -> int | None:
    """A part of a whole in millionths, rounded half up; None (n/a) where there is no whole."""
    return None if whole <= 0 else (2 * part * WHOLE + whole) // (2 * whole)


@dataclass(frozen=True)
class Change:
    """Sources changed at a moment, so that the facts of some days may differ; `last` None means up to today."""

    first: date
    last: date | None
    at: datetime


class Family(ABC):
    """Metrics that share their sources, and so are filled together.

    patience  how old what is kept of the open day may be: it is filled no more often
    """

    name: ClassVar[str]
    patience: ClassVar[timedelta] = timedelta(0)
    metrics: ClassVar[tuple[StoredMetric, ...]]

    @abstractmethod
    def first_day(self) -> date | None:
        """The day of the oldest source row; None when there is none."""

    @abstractmethod
    def changes(self, since: datetime | None) -> Iterable[Change]:
        """What changed since a moment (None: ever), found by when it was recorded, not by when it happened."""

    @abstractmethod
    def source_rows(self, day: date) -> int:
        """How many source rows the day's facts are made of: what filling it costs."""

    def compute(self, day: date) -> list[Fact]:
        """All facts of a day."""
        return [fact for metric in self.metrics for fact in metric.compute(day) if fact.value]

    def renew(self, day: date) -> list[Fact]:
        """Compute a day's facts, and store what the family keeps besides them; a step."""
        facts = self.compute(day)
        self.store(day)
        return facts

    def store(self, day: date) -> None:  # noqa: B027 most families keep facts and nothing else
        """Put what the family keeps of a day besides its facts in the place of what it kept before; a step."""
