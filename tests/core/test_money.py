from decimal import Decimal

import pytest

from apps.core import money


@pytest.mark.parametrize(
    ("micro", "expected"),
    [
        (41_666_667_000, "41666.67"),
        (5_000, "0.01"),
        (4_999, "0.00"),
        (0, "0.00"),
        (-5_000, "-0.01"),
        (-8_000_000, "-8.00"),
    ],
)
def test_shown_money_rounds_half_away_from_zero(micro, expected):
    assert money.decimal_from_micro(micro) == Decimal(expected)


def test_cents_become_micro_units_exactly():
    assert money.micro_from_minor(800) == 8_000_000
    assert money.micro_from_minor(1) == money.MICRO_PER_MINOR == 10_000
