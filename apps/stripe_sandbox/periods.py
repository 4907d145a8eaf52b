"""Months and years from an anchor: the anchor's day is clamped to the month's end, and comes back."""

import calendar
from datetime import UTC, datetime, timedelta


def step(anchor: int, interval: str, count: int) -> int:
    """Give the boundary `count` intervals after the anchor (seconds since 1970; UTC).

    Counting always from the anchor, never from the last boundary, is what lets the 31st come back after February.
    """
    begin = datetime.fromtimestamp(anchor, UTC)
    if interval in ("day", "week"):
        return int((begin + timedelta(days=count * (7 if interval == "week" else 1))).timestamp())
    months = begin.year * 12 + begin.month - 1 + count * (12 if interval == "year" else 1)
    year, month = divmod(months, 12)
    day = min(begin.day, calendar.monthrange(year, month + 1)[1])
    return int(begin.replace(year=year, month=month + 1, day=day).timestamp())


def boundary_after(anchor: int, moment: int, interval: str, interval_count: int) -> int:
    """Give the first boundary of the anchor's rhythm strictly after a moment."""
    number = 0
    if moment >= anchor:
        longest = {"day": 86400, "week": 604800, "month": 31 * 86400, "year": 366 * 86400}[interval] * interval_count
        number = (moment - anchor) // longest
    while step(anchor, interval, number * interval_count) <= moment:
        number += 1
    return step(anchor, interval, number * interval_count)
