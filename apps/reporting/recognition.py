"""Revenue is earned evenly over the days it was paid for: the parts add up to the amount exactly."""

from dataclasses import dataclass
from datetime import date, datetime

from apps.reporting import days


@dataclass(frozen=True)
class Service:
    """What was billed for days from `first` up to, but not including, `stop`. Minor units; negative for a credit."""

    amount_minor: int
    first: date
    stop: date

    def earned_through(self, day: date) -> int:
        """Minor units earned by the end of a day: a running total, rounded half away from zero."""
        served = min(max((day - self.first).days + 1, 0), self.length)
        sign = -1 if self.amount_minor < 0 else 1
        return sign * ((2 * abs(self.amount_minor) * served + self.length) // (2 * self.length))

    def earned_in(self, period: days.Period) -> int:
        """Minor units earned in a period of days."""
        return self.earned_through(period.last) - self.earned_through(period.first - days.ONE_DAY)

    @property
    def length(self) -> int:
        return (self.stop - self.first).days


def without_tax(amount_minor: int, total_minor: int, tax_minor: int) -> int:
    """What of a part of an invoice is not tax, rounded half away from zero; of the whole it is all but the tax."""
    if not total_minor:
        return amount_minor
    net = amount_minor * (total_minor - tax_minor)
    sign = -1 if (net < 0) != (total_minor < 0) else 1
    return sign * ((2 * abs(net) + abs(total_minor)) // (2 * abs(total_minor)))


def service_of(amount_minor: int, start: datetime, end: datetime | None) -> Service:
    """Cut a service period into days; one that ends on the day it starts, or has no end, is earned on that day."""
    first = days.day_of(start)
    stop = days.day_of(end) if end is not None else first
    return Service(amount_minor, first, max(stop, first + days.ONE_DAY))
