"""The vectors V1 to V3 and C1 to C11 of the metrics design, each worked out by hand."""

from decimal import Decimal
from fractions import Fraction

import pytest

from apps.billing import mrr
from apps.billing.mrr import Discount, Line
from apps.core.money import decimal_from_micro

HALF_OFF = {"percent_off": Fraction(50)}


def month(amount_minor, **fields):
    return Line(amount_minor, "month", **fields)


def year(amount_minor, **fields):
    return Line(amount_minor, "year", **fields)


def active(*lines, discounts=(), **fields):
    return mrr.of_subscription("active", lines, discounts, **fields)


def shown(*subscriptions):
    return str(decimal_from_micro(sum(subscriptions)))


def test_v1_adds_months_and_years():
    assert sum([active(month(100_00))] * 100 + [active(year(600_00))] * 50) == 12_500_000_000


def test_v2a_a_year_is_twelve_months():
    assert active(year(1200_00)) == 100_000_000


def test_v2b_a_forever_coupon_lowers_it():
    assert active(year(1200_00), discounts=[Discount("forever", **HALF_OFF)]) == 50_000_000


@pytest.mark.parametrize("duration", ["once", "repeating"])
def test_v2c_a_finite_coupon_does_not(duration):
    assert active(year(1200_00), discounts=[Discount(duration, **HALF_OFF)]) == 100_000_000


@pytest.mark.parametrize("status", ["trialing", "incomplete", "incomplete_expired", "unpaid", "paused", "canceled"])
def test_v2d_only_active_and_past_due_count(status):
    assert mrr.of_subscription(status, [year(1200_00)]) == 0
    assert mrr.of_subscription("past_due", [year(1200_00)]) == 100_000_000


def test_v3_quantities_and_a_second_product():
    gold, silver = active(year(500_00, quantity=4)), active(month(30_00, quantity=2))
    assert gold == 166_666_667
    assert silver == 60_000_000
    assert shown(gold, silver) == "226.67"
    assert active(month(50_00, quantity=3)) == 150_000_000


def test_c1_premium_yearly():
    assert active(year(84_00)) == 7_000_000


def test_c2_premium_and_premium_plus():
    assert shown(*[active(month(8_00))] * 3, *[active(year(396_00))] * 2) == "90.00"


def test_c3_a_thousand_and_two_hundred():
    total = sum([active(month(8_00))] * 1000 + [active(year(84_00))] * 200)
    assert decimal_from_micro(total) == Decimal("9400.00")
    assert decimal_from_micro(round(Fraction(total, 1200))) == Decimal("7.83")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (Line(5_00, "week"), 21_666_667),
        (Line(1_00, "day"), 30_416_667),
        (Line(30_00, "month", interval_count=3), 10_000_000),
        (Line(480_00, "year", interval_count=2), 20_000_000),
    ],
)
def test_c9_every_interval(line, expected):
    assert active(line) == expected


def test_c10_three_seats():
    assert active(month(8_00, quantity=3)) == 24_000_000


def test_c11_forever_discounts():
    assert active(month(8_00), discounts=[Discount("forever", percent_off=Fraction(25))]) == 6_000_000
    assert active(year(84_00), discounts=[Discount("forever", amount_off_minor=24_00)]) == 5_000_000


def test_an_amount_off_is_split_over_the_lines_and_stops_at_nothing():
    off = Discount("forever", amount_off_minor=10_00)
    assert active(month(30_00), month(10_00), discounts=[off]) == 30_000_000
    assert active(month(6_00), discounts=[off]) == 0


def test_c29_paused_collection_counts_as_nothing():
    assert active(month(8_00), is_collection_paused=True) == 0


def test_metered_and_one_off_lines_stay_out():
    assert active(month(8_00), month(1, usage_type="metered"), Line(5_00, "")) == 8_000_000


def test_c34_is_rounded_once_per_subscription():
    assert sum([active(year(500_00))] * 1000) == 41_666_667_000
