from datetime import date, timedelta

import pytest

from apps.reporting import wording
from apps.reporting.days import Period
from apps.reporting.facts import Facts
from apps.reporting.figures import Figure
from apps.reporting.metrics.families import METRICS

LAST = date(2026, 3, 10)
PERIOD = Period(LAST - timedelta(days=4), LAST)


def figure(slug, *, before, now, currency=""):
    return figure_of(slug, {PERIOD.before().last: before, LAST: now}, currency=currency)


def figure_of(slug, by_day, *, currency=""):
    return Figure(METRICS[slug], currency, PERIOD, PERIOD.before(), Facts({(slug, currency): by_day}))


def test_one_row_keeps_every_decimal():
    assert wording.exact_money(123, "usd") == "USD 0.000123"
    assert wording.exact_money(-8_000_000, "eur") == "−EUR 8.00"


@pytest.mark.parametrize(
    ("before", "now", "says"),
    [(8, 12, "+4 (+50.0 %)"), (10, 5, "−5 (−50.0 %)"), (0, 3, "+3"), (3, 3, "no change"), (3, 5, "+2 (+66.7 %)")],
)
def test_a_change_is_against_the_period_before_and_na_is_no_percentage(before, now, says):
    assert wording.change(figure("free_accounts", before=before, now=now)) == says


def test_a_ratio_is_rounded_and_not_cut_off():
    assert wording.total(969_500, METRICS["margin_ratio"], "usd") == "97.0 %"
    assert wording.total(969_499, METRICS["margin_ratio"], "usd") == "96.9 %"


def test_a_flow_is_the_sum_of_its_period_and_a_balance_its_last_day():
    flow = figure_of("messages", dict.fromkeys(PERIOD.days(), 2) | {PERIOD.before().last: 3})
    assert (flow.value, flow.previous, flow.today) == (10, 3, 2)
    balance = figure("mrr", before=5, now=9, currency="usd")
    assert (balance.value, balance.previous) == (9, 5)
