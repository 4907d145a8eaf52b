"""Days of the reports: cut in the reporting time zone, compared as UTC instants."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

ONE_DAY = timedelta(days=1)
BEGINNING = date(2000, 1, 1)  # before anything was sold


def zone() -> ZoneInfo:
    """The zone in which days and months are cut; changing it calls for a full rebuild."""
    return ZoneInfo(settings.REPORTING_TIMEZONE)


def day_of(moment: datetime) -> date:
    """The reporting day in which a moment lies."""
    return moment.astimezone(zone()).date()


def start_of(day: date) -> datetime:
    """The first instant of a day, in UTC."""
    return datetime.combine(day, time.min, tzinfo=zone()).astimezone(UTC)


def end_of(day: date) -> datetime:
    """The first instant after a day, in UTC."""
    return start_of(day + ONE_DAY)


def each(first: date, last: date) -> Iterator[date]:
    """Every day from `first` to `last`, both included."""
    day = first
    while day <= last:
        yield day
        day += ONE_DAY


def month_of(day: date) -> "Period":
    """The whole calendar month of a day."""
    following = (day.replace(day=1) + 31 * ONE_DAY).replace(day=1)
    return Period(day.replace(day=1), following - ONE_DAY)


@dataclass(frozen=True)
class Period:
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    @property
    def start(self) -> datetime:
        return start_of(self.first)

    @property
    def end(self) -> datetime:
        return end_of(self.last)

    @property
    def length(self) -> int:
        return (self.last - self.first).days + 1

    def before(self) -> "Period":
        """The period of the same length that ends where this one begins."""
        return Period(self.first - self.length * ONE_DAY, self.first - ONE_DAY)

    def months(self) -> list["Period"]:
        """Its calendar months; the first and the last may be parts of one."""
        found = [Period(self.first, min(month_of(self.first).last, self.last))]
        while found[-1].last < self.last:
            following = found[-1].last + ONE_DAY
            found.append(Period(following, min(month_of(following).last, self.last)))
        return found

    def days(self) -> list[date]:
        return list(each(self.first, self.last))
