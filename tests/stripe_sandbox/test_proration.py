"""S1 to S10 of the design, worked out by hand."""

from fractions import Fraction

import pytest

from apps.stripe_sandbox import proration
from apps.stripe_sandbox.proration import Part, Settlement


@pytest.mark.parametrize(
    ("old", "new", "left", "credits", "debits"),
    [
        pytest.param([Part(1000)], [Part(500)], Fraction(2, 3), [-667], [333], id="S1"),
        pytest.param([Part(500, 2)], [Part(1000, 3)], Fraction(1, 400), [-3], [7], id="S4"),
        pytest.param([Part(800)], [Part(4000)], Fraction(15, 30), [-400], [2000], id="S5"),
        pytest.param([Part(800)], [Part(4000)], Fraction(20, 30), [-534], [2666], id="S6"),
        pytest.param([Part(4000)], [Part(800)], Fraction(15, 30), [-2000], [400], id="S7"),
    ],
)
def test_floors_each_line_by_itself(old, new, left, credits, debits):
    assert proration.lines(old, new, left) == (credits, debits)


def test_floors_a_credit_of_half_a_cent_away_from_zero():
    assert proration.credit(5, Fraction(1, 2)) == -3  # S2


def test_floors_a_debit_of_half_a_cent_towards_zero():
    assert proration.debit(9, Fraction(1, 2)) == 4  # S3


@pytest.mark.parametrize(
    ("moment", "left"),
    [(0, Fraction(1)), (10, Fraction(2, 3)), (30, Fraction(0)), (45, Fraction(0)), (-5, Fraction(1))],
)
def test_says_which_part_of_a_period_is_left(moment, left):
    assert proration.fraction_left(0, 30, moment) == left


@pytest.mark.parametrize(
    ("total", "balance", "expected"),
    [
        pytest.param(800, 0, Settlement(0, 800, 0), id="plain"),
        pytest.param(-1600, 0, Settlement(0, 0, -1600), id="S7"),
        pytest.param(800, -1600, Settlement(-1600, 0, -800), id="S8"),
        pytest.param(30, 0, Settlement(0, 0, 30), id="S10"),
        pytest.param(50, 0, Settlement(0, 50, 0), id="just enough"),
        pytest.param(800, 30, Settlement(30, 830, 0), id="what was too little before"),
        pytest.param(800, -300, Settlement(-300, 500, 0), id="some credit"),
    ],
)
def test_lays_a_total_on_the_balance(total, balance, expected):
    assert proration.settle(total, balance) == expected


@pytest.mark.parametrize(
    ("discount", "amounts", "shares"),
    [
        pytest.param(500, [1000, 2000], [166, 334], id="S9"),
        pytest.param(500, [1000, 2000, 0], [166, 334, 0], id="never on a zero line"),
        pytest.param(5000, [100, 200], [100, 200], id="not more than the total"),
        pytest.param(500, [0, 0], [0, 0], id="nothing to discount"),
    ],
)
def test_shares_a_discount_and_gives_the_rest_to_the_last_line(discount, amounts, shares):
    assert proration.split_discount(discount, amounts) == shares
