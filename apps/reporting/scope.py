"""What a page of the reports is asked to show: which days, compared with which, and of which part of the customers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from apps.reporting.days import Period, day_of


class Comparison(StrEnum):
    """What a period is compared with."""

    PREVIOUS = "previous"  # the period of the same length before it
    YEAR = "year"  # the same days a year earlier


@dataclass(frozen=True)
class Scope:
    """What is asked. `only`: dimension → value; a dimension that is absent: all of it."""

    period: Period
    now: datetime
    reporting_currency: str
    comparison: Comparison = Comparison.PREVIOUS
    only: Mapping[str, str] = field(default_factory=dict)

    @property
    def today(self) -> date:
        """The open day."""
        return day_of(self.now)

    @property
    def before(self) -> Period:
        """The period that it is compared with."""
        if self.comparison is Comparison.PREVIOUS:
            return self.period.before()
        return Period(_a_year_earlier(self.period.first), _a_year_earlier(self.period.last))


def _a_year_earlier(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:  # 29 February
        return day.replace(year=day.year - 1, day=28)
