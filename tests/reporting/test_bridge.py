from datetime import date

import pytest

from apps.reporting import bridge, exchange
from apps.reporting.bridge import Bridge
from apps.reporting.days import Period
from apps.reporting.exchange import Rates
from apps.reporting.facts import Facts
from apps.reporting.models import ExchangeRate

FEBRUARY = Period(date(2026, 2, 1), date(2026, 2, 28))
BEFORE, LAST = date(2026, 1, 31), date(2026, 2, 28)
EURO = 1_000_000
RATES = Rates("usd", {"eur": [(BEFORE, 1_100_000), (date(2026, 2, 10), 1_200_000), (LAST, 1_080_000)]})


def facts(**moved):
    """EUR 10 at the start and what moved since, in whole euros on a day of February."""
    end = 10 + sum(bridge.STEPS[name][1] * value for name, (_day, value) in moved.items())
    sums = {("mrr", "eur"): {BEFORE: 10 * EURO, LAST: end * EURO}}
    for name, (day, value) in moved.items():
        sums[bridge.STEPS[name][0], "eur"] = {date(2026, 2, day): value * EURO}
    return Facts(sums)


def test_start_and_movements_are_the_end_to_the_micro_unit():
    found = bridge.bridge_of(facts(new=(3, 7), churn=(9, 4), expansion=(9, 2)), "eur", FEBRUARY)
    assert (found.start, found.end, found.rest) == (10 * EURO, 15 * EURO, 0)
    assert found.steps["churn"] == -4 * EURO


def test_a_movement_that_is_missing_is_not_hidden():
    assert Bridge(10, {"new": 5}, 17).rest == 2


def test_c17_what_rates_did_is_a_step_of_its_own_and_no_movement():
    found = bridge.bridge_in_all(facts(), ["eur"], FEBRUARY, RATES)
    assert (found.start, found.rest, found.end) == (11 * EURO, -EURO // 5, 10_800_000)
    assert not any(found.steps.values())


def test_a_movement_is_converted_at_its_days_rate():
    found = bridge.bridge_in_all(facts(new=(12, 5)), ["eur"], FEBRUARY, RATES)
    assert found.steps["new"] == 6 * EURO
    assert found.end == found.start + found.steps["new"] + found.rest


@pytest.mark.parametrize(
    ("day", "rate"), [(date(2026, 1, 30), None), (BEFORE, 1_100_000), (date(2026, 2, 9), 1_100_000), (LAST, 1_080_000)]
)
def test_a_rate_holds_until_the_next_one(day, rate):
    assert RATES.at("eur", day) == rate


def test_without_a_rate_there_is_no_sum():
    assert bridge.bridge_in_all(facts(), ["eur"], FEBRUARY, Rates("usd", {})) is None


@pytest.mark.parametrize(("micro", "converted"), [(1, 2), (3, 4), (-1, -2), (-3, -4), (2, 3), (0, 0)])
def test_half_a_micro_unit_goes_to_the_even_side(micro, converted):
    assert Rates("usd", {"eur": [(BEFORE, 1_500_000)]}).convert(micro, "eur", BEFORE) == converted


@pytest.mark.django_db
def test_rates_are_read_as_staff_entered_them():
    ExchangeRate.objects.create(day=BEFORE, currency="eur", rate_micro=1_100_000)
    ExchangeRate.objects.create(day=date(2026, 3, 5), currency="eur", rate_micro=2_000_000)
    rates = exchange.read_rates(["usd", "eur"], reporting_currency="usd", until=LAST)
    assert (rates.at("eur", LAST), rates.at("usd", LAST)) == (1_100_000, 1_000_000)
