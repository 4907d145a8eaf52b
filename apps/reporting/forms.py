"""What a report's address asks for: read strictly, refused in words."""

from datetime import date, timedelta

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from apps.core.errors import Invalid
from apps.reporting.days import Period
from apps.reporting.metrics.base import Slice

LONGEST_DAYS = 366
FIRST, LAST = date(2000, 1, 1), date(2100, 1, 1)


def read_length(query: QueryDict, *, default: int) -> int:
    """How many days a page shows."""
    text = query.get("days", str(default))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= LONGEST_DAYS):
        raise Invalid(_("Please ask for 1 to 366 days."), field="days")
    return int(text)


def read_slice(query: QueryDict, *, today: date) -> Slice:
    """The part of a figure whose rows are asked for: `day`, or `from` and `to`, narrowed by `plan` and `currency`."""
    if "day" in query:
        first = last = _day(query, "day", today)
    else:
        last = _day(query, "to", today)
        first = _day(query, "from", last)
    if first > last or last - first >= timedelta(days=LONGEST_DAYS):
        raise Invalid(_("Please let “from” come before “to”, at most a year apart."), field="from")
    return Slice(Period(first, last), plan=query.get("plan", "")[:32], currency=query.get("currency", "").lower()[:3])


def _day(query: QueryDict, name: str, default: date) -> date:
    if name not in query:
        return default
    try:
        day = date.fromisoformat(query.get(name, ""))
    except ValueError:
        day = date.min
    if not FIRST <= day <= LAST:
        raise Invalid(_("Please write a day as 2026-11-23."), field=name)
    return day
