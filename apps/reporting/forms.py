"""What a report's address asks for: read strictly, refused in words."""

from datetime import date, datetime, timedelta

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from apps.core.errors import Invalid
from apps.reporting import days
from apps.reporting.days import ONE_DAY, Period
from apps.reporting.metrics.base import DIMENSIONS, Slice
from apps.reporting.scope import Comparison, Scope

LONGEST_DAYS = 366
DEFAULT_DAYS = 30
LONGEST_VALUE = 64
FIRST, LAST = date(2000, 1, 1), date(2100, 1, 1)


def read_scope(query: QueryDict, filters: tuple[str, ...], *, reporting_currency: str, now: datetime) -> Scope:
    """What a page shows: `days`, or `from` and `to`; `compare`; and each of the page's filters by its name.

    Raises  Invalid: days that are none, or a comparison that there is not.
    """
    return Scope(
        period=_period(query, days.day_of(now)),
        now=now,
        reporting_currency=reporting_currency,
        comparison=_comparison(query),
        only=_only(query, filters),
    )


def read_slice(query: QueryDict, *, today: date) -> Slice:
    """The part of a figure whose rows are asked for: `day`, or `from` and `to`, and dimensions by their names."""
    if "day" in query:
        day = _day(query, "day", today)
        return Slice(Period(day, day), _only(query, DIMENSIONS))
    return Slice(_between(query, today), _only(query, DIMENSIONS))


def read_day(query: QueryDict, *, today: date) -> date:
    """The day that something is written on; today, where none is named."""
    return _day(query, "day", today)


def _period(query: QueryDict, today: date) -> Period:
    if "days" not in query and ("from" in query or "to" in query):
        return _between(query, today)
    text = query.get("days", str(DEFAULT_DAYS))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= LONGEST_DAYS):
        raise Invalid(_("Please ask for 1 to 366 days."), field="days")
    return Period(today - (int(text) - 1) * ONE_DAY, today)


def _between(query: QueryDict, today: date) -> Period:
    last = _day(query, "to", today)
    first = _day(query, "from", last)
    if first > last or last - first >= timedelta(days=LONGEST_DAYS):
        raise Invalid(_("Please let “from” come before “to”, at most a year apart."), field="from")
    return Period(first, last)


def _comparison(query: QueryDict) -> Comparison:
    try:
        return Comparison(query.get("compare") or Comparison.PREVIOUS)
    except ValueError:
        raise Invalid(
            _("A period is compared with the one before it, or with the year before."), field="compare"
        ) from None


def _only(query: QueryDict, names: tuple[str, ...]) -> dict[str, str]:
    asked = {name: query.get(name, "").strip()[:LONGEST_VALUE] for name in names}
    lowered = {"currency": str.lower, "country": str.upper}
    return {name: lowered.get(name, str)(value) for name, value in asked.items() if value}


def _day(query: QueryDict, name: str, default: date) -> date:
    if not query.get(name):
        return default
    try:
        day = date.fromisoformat(query.get(name, ""))
    except ValueError:
        day = date.min
    if not FIRST <= day <= LAST:
        raise Invalid(_("Please write a day as 2026-11-23."), field=name)
    return day
