"""What a metric is: a class that states its unit and formula, computes a day's facts and opens the rows behind them."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from django.utils.functional import Promise

from apps.reporting.days import Period
from apps.reporting.metrics.rows import Rows

DIMENSIONS = ("plan", "interval", "currency", "model", "backend", "channel", "provenance")


class Unit(StrEnum):
    """What the integer of a fact counts. Money is in micro-units of the fact's currency."""

    COUNT = "count"
    TOKENS = "tokens"
    MONEY = "money"
    MONEY_A_MONTH = "money_a_month"

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
    model: str = ""
    backend: str = ""
    channel: str = ""
    provenance: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        return (self.metric, *(getattr(self, name) for name in DIMENSIONS))


@dataclass(frozen=True)
class Slice:
    """The part of a metric whose rows are asked for; an empty dimension means all of it."""

    period: Period
    plan: str = ""
    currency: str = ""


class Metric(ABC):
    """One figure. A balance is true at the end of a day, a flow is a sum over the day."""

    slug: ClassVar[str]
    title: ClassVar[str | Promise]
    unit: ClassVar[Unit]
    is_balance: ClassVar[bool] = False
    formula: ClassVar[str | Promise]  # printed under the "?"

    @abstractmethod
    def rows(self, part: Slice) -> Rows:
        """The rows behind the figure: of a balance those at the end of the last day, of a flow all of the period."""


class StoredMetric(Metric):
    """A metric that leaves facts."""

    @abstractmethod
    def compute(self, day: date) -> Iterable[Fact]:
        """The day's facts, from the sources and nothing else; combinations that are zero do not occur."""


@dataclass(frozen=True)
class Change:
    """Sources changed at a moment, so that the facts of some days may differ; `last` None means up to today."""

    first: date
    last: date | None
    at: datetime


class Family(ABC):
    """Metrics that share their sources, and so are filled together."""

    name: ClassVar[str]
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
