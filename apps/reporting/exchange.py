"""What other currencies were worth in the reporting currency, day by day, as staff entered it."""

from bisect import bisect_right
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from apps.reporting.metrics.base import WHOLE
from apps.reporting.models import ExchangeRate


@dataclass(frozen=True)
class Rates:
    """Rates by currency, each a list of days and millionths in order; a rate holds until the next one."""

    reporting_currency: str
    known: Mapping[str, list[tuple[date, int]]]

    def at(self, currency: str, day: date) -> int | None:
        """The rate at the end of a day; None: none is known yet."""
        if currency == self.reporting_currency:
            return WHOLE
        found = self.known.get(currency, [])
        place = bisect_right(found, day, key=lambda one: one[0])
        return found[place - 1][1] if place else None

    def convert(self, micro: int, currency: str, day: date) -> int:
        """An amount in the reporting currency, rounded half to even.

        Raises  LookupError: no rate is known.
        """
        rate = self.at(currency, day)
        if rate is None:
            raise LookupError(currency)
        whole, rest = divmod(micro * rate, WHOLE)
        return whole + (2 * rest > WHOLE or (2 * rest == WHOLE and whole % 2 == 1))


def read_rates(currencies: Collection[str], *, reporting_currency: str, until: date) -> Rates:
    """Read what is known up to a day. One query; none where there is no other currency."""
    others = [currency for currency in currencies if currency != reporting_currency]
    known: dict[str, list[tuple[date, int]]] = {}
    rows = ExchangeRate.objects.filter(currency__in=others, day__lte=until).order_by("day") if others else ()
    for row in rows:
        known.setdefault(row.currency, []).append((row.day, row.rate_micro))
    return Rates(reporting_currency, known)
