import re
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


@pytest.mark.parametrize(
    ("text", "micro"), [("5", 5_000_000), (" 5.00 ", 5_000_000), ("5,50", 5_500_000), ("0", 0), ("0.000001", 1)]
)
def test_an_amount_is_read_exactly(text, micro):
    assert money.micro_from_text(text) == micro


@pytest.mark.parametrize("text", ["", "five", "-1", "NaN", "Infinity", "0.0000001", "1.000,50", "5 €"])
def test_what_is_no_amount_is_not_guessed(text):
    with pytest.raises(ValueError, match="^" + re.escape(text)):
        money.micro_from_text(text)


def test_cents_become_micro_units_exactly():
    assert money.micro_from_minor(800) == 8_000_000
    assert money.micro_from_minor(1) == money.MICRO_PER_MINOR == 10_000


@pytest.mark.parametrize(
    ("micro", "shown"),
    [
        (8_000_000, "USD 8.00"),
        (1_234_567_890_000, "USD 1,234,567.89"),
        (-1_755_000, "−USD 1.76"),
        (4_999, "< USD 0.01"),
        (-1, "> −USD 0.01"),
        (0, "USD 0.00"),
    ],
)
def test_money_has_its_currency_and_two_decimals(micro, shown):
    assert money.in_words(micro, "usd") == shown
