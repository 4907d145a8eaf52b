from decimal import Decimal

import pytest

from apps.core import money


@pytest.mark.parametrize(
    ("tokens", "micro_per_million", "expected"),
    [
        (0, 150_000, 0),
        (1, 150_000, 1),
        (6, 150_000, 1),
        (7, 150_000, 2),
        (1_000_000, 150_000, 150_000),
        (10**12, 1, 10**6),
    ],
)
def test_price_of_tokens_rounds_upwards_once(tokens, micro_per_million, expected):
    assert money.price_of_tokens(tokens, micro_per_million) == expected


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
