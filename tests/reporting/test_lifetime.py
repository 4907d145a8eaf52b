import pytest

from apps.reporting import lifetime

PERCENT = 10_000
CENT = 10_000


@pytest.mark.parametrize(
    ("arpa", "margin", "churn", "customers", "expected"),
    [
        pytest.param(50_00, 100, 5, 100, 1_000_00, id="V10b"),
        pytest.param(7_83, 60, 3, 100, 156_60, id="C27"),
        pytest.param(7_83, 60, 0, 100, None, id="C28 no churn"),
        pytest.param(7_83, 60, 3, 19, None, id="C28 few customers"),
        pytest.param(7_83, 60, 3, 20, 156_60, id="twenty are enough"),
        pytest.param(7_83, None, 3, 100, None, id="no revenue, no margin"),
        pytest.param(None, 60, 3, 100, None, id="nobody pays"),
        pytest.param(7_83, -10, 3, 100, -26_10, id="a loss for a lifetime"),
    ],
)  # fmt: skip
def test_a_lifetime_brings_what_a_month_brings_over_the_months(arpa, margin, churn, customers, expected):
    arpa_micro = None if arpa is None else arpa * CENT
    margin_micro = None if margin is None else margin * PERCENT
    found = lifetime.ltv(arpa_micro, margin_micro, churn * PERCENT, customers)
    assert found == (None if expected is None else expected * CENT)


@pytest.mark.parametrize(("churn", "months"), [pytest.param(25_000, 40_000_000, id="V10a"), (0, None), (None, None)])
def test_a_customer_stays_for_the_inverse_of_churn(churn, months):
    assert lifetime.months_of(churn) == months


def test_a_mean_needs_all_of_its_months():
    assert (lifetime.mean([1, 2, 4]), lifetime.mean([1, None]), lifetime.mean([])) == (2, None, None)
