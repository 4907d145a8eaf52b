"""Why a subscription changed: named by comparing what it was with what it is."""

from dataclasses import replace

import pytest

from apps.billing.movements import Shape, cause_of

MONTH = Shape("active", "premium", "month", (("price_1", 1),), 8_000_000, is_paused=False)
PLUS = replace(MONTH, plan="premium_plus", lines=(("price_2", 1),), mrr_micro=40_000_000)
YEAR = replace(MONTH, interval="year", lines=(("price_3", 1),), mrr_micro=7_000_000)


@pytest.mark.parametrize(
    ("before", "after", "reason", "cause"),
    [
        (None, MONTH, "", "checkout"),
        (replace(MONTH, status="incomplete", mrr_micro=0), MONTH, "", "checkout"),
        (replace(MONTH, status="trialing", mrr_micro=0), MONTH, "", "checkout"),
        (MONTH, PLUS, "", "upgrade"),
        (PLUS, MONTH, "", "downgrade"),
        (MONTH, YEAR, "", "downgrade"),
        (MONTH, replace(MONTH, lines=(("price_9", 1),), mrr_micro=9_000_000), "", "price_migration"),
        (MONTH, replace(MONTH, lines=(("price_1", 3),), mrr_micro=24_000_000), "", "quantity"),
        (MONTH, replace(MONTH, mrr_micro=6_000_000), "", "coupon"),
        (MONTH, replace(MONTH, status="past_due"), "", "payment_failed"),
        (replace(MONTH, status="past_due"), MONTH, "", "recovered"),
        (MONTH, replace(MONTH, status="unpaid", mrr_micro=0), "", "payment_failed"),
        (replace(MONTH, status="unpaid", mrr_micro=0), MONTH, "", "recovered"),
        (replace(MONTH, status="unpaid", mrr_micro=0), PLUS, "", "recovered"),
        (replace(MONTH, status="past_due"), PLUS, "", "upgrade"),
        (replace(MONTH, status="past_due"), replace(MONTH, mrr_micro=6_000_000), "", "coupon"),
        (MONTH, replace(MONTH, status="canceled", mrr_micro=0), "cancellation_requested", "voluntary"),
        (MONTH, replace(MONTH, status="canceled", mrr_micro=0), "payment_failed", "payment_failed"),
        (MONTH, replace(MONTH, status="canceled", mrr_micro=0), "payment_disputed", "dispute"),
        (MONTH, replace(MONTH, status="canceled", mrr_micro=0), "", "voluntary"),
        (MONTH, replace(MONTH, is_paused=True, mrr_micro=0), "", "paused"),
        (replace(MONTH, is_paused=True, mrr_micro=0), MONTH, "", "resumed"),
    ],
)
def test_the_cause(before, after, reason, cause):
    assert cause_of(before, after, reason) == cause


def test_equal_shapes_have_one_name():
    assert MONTH.digest() == replace(MONTH).digest()
    assert MONTH.digest() != PLUS.digest()
