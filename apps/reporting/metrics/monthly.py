"""What is kept by the calendar month, in a table of its own, and not as daily facts."""

from abc import abstractmethod
from datetime import date, timedelta
from typing import ClassVar

from apps.reporting import days
from apps.reporting.metrics.base import Family, StoredMetric
from apps.reporting.models import FillState


class MonthlyFamily(Family):
    """Filled at the end of each month, and of the open one again and again."""

    metrics: ClassVar[tuple[StoredMetric, ...]] = ()
    patience = timedelta(hours=1)

    def store(self, day: date) -> None:
        """Put the month in place as it stands at the end of a day, unless a later day of it said so already."""
        later = FillState.objects.filter(family=self.name, day__gt=day, day__lte=days.month_of(day).last)
        if not later.exclude(filled_at=None).exists():
            self.keep(day)

    @abstractmethod
    def keep(self, day: date) -> None:
        """Replace what is kept of a day's month; a step."""
