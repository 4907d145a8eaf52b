"""The offer in words."""

import pytest

from apps.billing import offers
from apps.billing.meters import Meter
from tests import build


@pytest.mark.parametrize(
    ("amount_minor", "currency", "text"),
    [
        (800, "usd", "$8"),
        (8400, "eur", "€84"),
        (799, "usd", "$7.99"),
        (123450, "usd", "$1,234.50"),
        (500, "chf", "5 CHF"),
    ],
)
def test_money(amount_minor, currency, text):
    assert offers.money(amount_minor, currency) == text


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "20 messages every 3 hours with Causerie Small"),
        ({"amount": 1, "window": "1d"}, "1 message every day with Causerie Small"),
        ({"amount": None}, "Messages without limit with Causerie Small"),
        ({"amount": 0}, "Messages: not included"),
        ({"models": ()}, "20 messages every 3 hours"),
        ({"meter": Meter.TOKENS, "amount": 1500, "window": "7d"}, "1,500 tokens every 7 days with Causerie Small"),
        (
            {"models": ("chat-large",), "fallback_model": "chat-small"},
            "20 messages every 3 hours with Causerie Large, then Causerie Small answers",
        ),
    ],
)
def test_a_limit(fields, text):
    assert offers._limit(build.limit(**fields)) == text


def test_plans_come_by_rank():
    assert [offer.key for offer in offers.offers("month", "usd")] == ["free", "premium", "premium_plus"]
    assert [offer.is_sold for offer in offers.offers("year", "eur")] == [False, True, True]
