"""S11 and S12 of the design."""

from datetime import UTC, datetime

import pytest

from apps.stripe_sandbox import periods


def at(year, month, day, hour=0):
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp())


def test_clamps_the_31st_and_comes_back():
    anchor = at(2027, 1, 31)
    steps = [periods.step(anchor, "month", count) for count in range(1, 5)]
    assert steps == [at(2027, 2, 28), at(2027, 3, 31), at(2027, 4, 30), at(2027, 5, 31)]  # S11


def test_clamps_the_leap_day_and_comes_back():
    anchor = at(2028, 2, 29)
    steps = [periods.step(anchor, "year", count) for count in range(1, 5)]
    assert steps == [at(2029, 2, 28), at(2030, 2, 28), at(2031, 2, 28), at(2032, 2, 29)]  # S12


def test_keeps_the_hour():
    assert periods.step(at(2026, 12, 15, 13), "month", 1) == at(2027, 1, 15, 13)


@pytest.mark.parametrize(
    ("moment", "interval", "count", "boundary"),
    [
        (at(2027, 1, 31), "month", 1, at(2027, 2, 28)),
        (at(2027, 2, 28), "month", 1, at(2027, 3, 31)),
        (at(2027, 3, 1), "month", 3, at(2027, 4, 30)),
        (at(2029, 6, 1), "year", 1, at(2030, 1, 31)),
        (at(2027, 2, 1), "week", 1, at(2027, 2, 7)),
        (at(2027, 2, 1), "day", 1, at(2027, 2, 2)),
        (at(2027, 1, 1), "month", 1, at(2027, 1, 31)),
    ],
)
def test_finds_the_next_boundary_strictly_after_a_moment(moment, interval, count, boundary):
    assert periods.boundary_after(at(2027, 1, 31), moment, interval, count) == boundary
