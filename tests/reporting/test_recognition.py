import itertools
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some

from apps.reporting import recognition
from apps.reporting.days import Period
from apps.reporting.recognition import Service

YEAR = Service(84_00, date(2026, 1, 1), date(2027, 1, 1))


@pytest.mark.parametrize(
    ("first", "last", "minor"),
    [
        (date(2026, 1, 1), date(2026, 1, 31), 7_13),
        (date(2026, 2, 1), date(2026, 2, 28), 6_45),
        (date(2026, 3, 1), date(2026, 3, 31), 7_13),
        (date(2026, 1, 1), date(2026, 12, 31), 84_00),
        (date(2025, 12, 1), date(2025, 12, 31), 0),
        (date(2027, 1, 1), date(2027, 1, 31), 0),
    ],
)
def test_c20_a_year_paid_at_once(first, last, minor):
    assert YEAR.earned_in(Period(first, last)) == minor


def test_a_month_of_premium_ends_exactly_at_eight():
    month = recognition.service_of(
        8_00, datetime(2026, 11, 23, 15, 0, tzinfo=UTC), datetime(2026, 12, 23, 15, 0, tzinfo=UTC)
    )
    assert month == Service(8_00, date(2026, 11, 23), date(2026, 12, 23))
    assert month.earned_in(Period(date(2026, 11, 23), date(2026, 11, 23))) == 27
    assert month.earned_through(date(2026, 12, 22)) == 8_00


@pytest.mark.parametrize("end", [None, datetime(2026, 3, 2, 9, 0, tzinfo=UTC), datetime(2026, 3, 2, 23, 0, tzinfo=UTC)])
def test_what_has_no_length_is_earned_on_its_day(end):
    service = recognition.service_of(5_00, datetime(2026, 3, 2, 9, 0, tzinfo=UTC), end)
    assert service.earned_in(Period(date(2026, 3, 2), date(2026, 3, 2))) == 5_00


def test_a_credit_mirrors_the_charge():
    charge, credit = Service(10_01, YEAR.first, YEAR.stop), Service(-10_01, YEAR.first, YEAR.stop)
    assert credit.earned_through(date(2026, 5, 17)) == -charge.earned_through(date(2026, 5, 17))


@given(
    amount=some.integers(-(10**9), 10**9),
    length=some.integers(1, 400),
    cuts=some.lists(some.integers(0, 400), max_size=6),
)
def test_parts_add_up_to_the_amount_however_they_are_cut(amount, length, cuts):
    service = Service(amount, date(2026, 1, 1), date.fromordinal(date(2026, 1, 1).toordinal() + length))
    edges = sorted({0, *cuts, 400})
    parts = [
        service.earned_in(
            Period(date.fromordinal(service.first.toordinal() + a), date.fromordinal(service.first.toordinal() + b - 1))
        )
        for a, b in itertools.pairwise(edges)
    ]
    assert sum(parts) == amount


@pytest.mark.parametrize(
    ("amount", "total", "tax", "net"),
    [(9_60, 9_60, 1_60, 8_00), (4_80, 9_60, 1_60, 4_00), (3_17, 9_52, 1_52, 2_66), (1, 2, 1, 1), (-1, 2, 1, -1),
     (5_00, 0, 0, 5_00), (0, 9_60, 1_60, 0)],
)  # fmt: skip
def test_a_part_of_an_invoice_bears_its_share_of_the_tax(amount, total, tax, net):
    assert recognition.without_tax(amount, total, tax) == net
