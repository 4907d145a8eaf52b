"""Rates of churn and retention from figures worked out on paper; ids are those of metrics.md's vectors."""

from datetime import date

import pytest

from apps.reporting.days import ONE_DAY, Period
from apps.reporting.facts import Facts
from apps.reporting.metrics.families import METRICS

JUNE = Period(date(2026, 6, 1), date(2026, 6, 30))
PERCENT = 10_000


def value(slug, *, start=None, **sums):
    """A derived figure of June, from balances at its start and flows in it."""
    known = {("mrr", "usd"): {JUNE.first - ONE_DAY: start or 0}}
    for name, many in sums.items():
        if name == "customers":
            known["paying_customers", "usd"] = {JUNE.first - ONE_DAY: many}
        else:
            known[name, "usd"] = {date(2026, 6, 12): many}
    return Facts(known).value(METRICS[slug], "usd", JUNE)


V4 = {"start": 100, "mrr_churn": 10, "mrr_contraction": 10, "mrr_expansion": 10, "start_churn": 10,
      "start_contraction": 10, "start_expansion": 10}  # fmt: skip
C22 = {"start": 1000, "mrr_expansion": 120, "mrr_contraction": 30, "mrr_churn": 50, "mrr_reactivation": 40,
       "mrr_new": 200, "start_expansion": 120, "start_contraction": 30, "start_churn": 50}  # fmt: skip
C23 = {"mrr_new": 60, "mrr_expansion": 20, "mrr_reactivation": 10, "mrr_contraction": 15, "mrr_churn": 30}


@pytest.mark.parametrize(
    ("slug", "given", "expected"),
    [
        pytest.param("gross_mrr_churn", V4, 20 * PERCENT, id="V4 gross"),
        pytest.param("net_mrr_churn", V4, 10 * PERCENT, id="V4 net"),
        pytest.param("grr", V4, 80 * PERCENT, id="V4 GRR"),
        pytest.param("nrr", V4, 90 * PERCENT, id="V4 NRR"),
        pytest.param("gross_mrr_churn", {"start": 100, "mrr_churn": 5}, 5 * PERCENT, id="V5a"),
        pytest.param("net_mrr_churn", {"start": 100, "mrr_new": 10, "mrr_expansion": 10}, -10 * PERCENT, id="V5b"),
        pytest.param("customer_churn", {"customers": 100, "lost_of_start": 10, "new_customers": 30}, 10 * PERCENT,
                     id="V7"),
        pytest.param("stripe_churn", {"customers": 100, "churned_customers": 10, "new_customers": 30}, 76_923,
                     id="V7 as Stripe counts"),
        pytest.param("customer_churn", {"customers": 500, "lost_of_start": 50}, 10 * PERCENT, id="V8"),
        pytest.param("customer_churn", {"customers": 400, "lost_of_start": 12, "joined_and_left": 3}, 3 * PERCENT,
                     id="C21"),
        pytest.param("grr", C22, 92 * PERCENT, id="C22 GRR"),
        pytest.param("nrr", C22, 104 * PERCENT, id="C22 NRR"),
        pytest.param("net_mrr_churn", C22, -8 * PERCENT, id="C22 net"),
        pytest.param("quick_ratio", C23, 2_000_000, id="C23"),
        pytest.param("quick_ratio_without", C23, 1_777_778, id="C23 without reactivation"),
        pytest.param("quick_ratio", {"mrr_new": 60}, None, id="nothing lost"),
        pytest.param("customer_churn", {"customers": 0}, None, id="nobody to lose"),
        pytest.param("nrr", {"start": 0, "mrr_new": 5}, None, id="nothing to keep"),
    ],
)  # fmt: skip
def test_a_rate_of_june(slug, given, expected):
    assert value(slug, **given) == expected


@pytest.mark.parametrize(
    ("mrr", "customers", "arr", "arpa"),
    [
        pytest.param(88_560_000, 1, 1_062_720_000, 88_560_000, id="V9a"),
        pytest.param(814_870_000, 1, 9_778_440_000, 814_870_000, id="V9b"),
        pytest.param(833_970_000, 1, 10_007_640_000, 833_970_000, id="V9c"),
        pytest.param(7_000_000, 1, 84_000_000, 7_000_000, id="C1"),
        pytest.param(9_400_000_000, 1200, 112_800_000_000, 7_833_333, id="C3"),
        pytest.param(41_666_667_000, 1000, 500_000_004_000, 41_666_667, id="C34"),
        pytest.param(0, 0, 0, None, id="nobody pays"),
    ],
)
def test_arr_and_arpa_follow_from_the_mrr(mrr, customers, arr, arpa):
    facts = Facts({("mrr", "usd"): {JUNE.last: mrr}, ("paying_customers", "usd"): {JUNE.last: customers}})
    assert facts.value(METRICS["arr"], "usd", JUNE) == arr
    assert facts.value(METRICS["arpa"], "usd", JUNE) == arpa
