from decimal import Decimal

from apps.core import money


def test_price_of_tokens_rounds_upwards_once():
    assert money.price_of_tokens(1, 150_000) == 1
    assert money.price_of_tokens(1_000_000, 150_000) == 150_000
    assert money.price_of_tokens(0, 150_000) == 0


def test_shown_money_rounds_half_up():
    assert money.decimal_from_micro(41_666_667_000) == Decimal("41666.67")
    assert money.decimal_from_micro(5_000) == Decimal("0.01")
