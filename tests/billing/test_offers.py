"""The offer in words."""

import pytest

from apps.billing import offers, plans
from apps.billing.offers import ApiRate
from tests import build


@pytest.mark.parametrize(
    ("amount_minor", "currency", "text"),
    [
        (800, "usd", "$8"),
        (8400, "eur", "€84"),
        (799, "usd", "$7.99"),
        (123450, "usd", "$1,234.50"),
        (-850, "usd", "−$8.50"),
        (500, "chf", "5 CHF"),
    ],
)
def test_money(amount_minor, currency, text):
    assert offers.money(amount_minor, currency) == text


def test_plans_come_by_rank():
    assert [offer.key for offer in offers.offers("month", "usd")] == ["free", "premium", "premium_plus"]
    assert [offer.is_sold for offer in offers.offers("year", "eur")] == [False, True, True]


def test_the_plans_of_guests_and_of_developers_are_not_on_the_shelf(settings):
    assert {"guest", "developer"} <= set(plans.load(settings.CATALOGUE_PATH).plans)
    shown = {offer.key for interval in ("month", "year") for offer in offers.offers(interval, "usd")}
    assert shown == {"free", "premium", "premium_plus"}


def test_what_premium_gives(settings):
    settings.OPENAI_API_KEY = "sk-set-up"
    assert list(offers.gives(plans.catalogue().plans["premium"])) == [
        "300 messages every 3 hours and 1,500 a week with Causerie Small",
        "100 messages every 3 hours and 500 a week with Causerie Large, then Causerie Small answers",
        "Goes first when many people are waiting",
        "Longer answers",
    ]


def test_what_nobody_serves_is_not_promised(settings):
    settings.OPENAI_API_KEY = ""
    lines = list(offers.gives(plans.catalogue().plans["premium"]))
    assert lines[0] == "300 messages every 3 hours and 1,500 a week with Causerie Small"
    assert not [line for line in lines if "Large" in line]


def test_old_terms_stay_readable_when_their_models_and_features_are_gone():
    old = build.plan(
        models=("chat-old", "chat-older"),
        features=("magic",),
        limits=(build.limit(models=("chat-old",), fallback_model="chat-older"),),
    )
    assert list(offers.gives(old)) == ["20 messages every 3 hours with chat-old, then chat-older answers"]


def test_what_the_api_costs(settings):
    settings.OPENAI_API_KEY = "sk-set-up"
    assert offers.api_rates("eur") == [
        ApiRate("Causerie Small", "€0.05", "€0.15"),
        ApiRate("Causerie Large", "€0.40", "€3.00"),
    ]
    settings.OPENAI_API_KEY = ""
    assert [rate.model for rate in offers.api_rates("usd")] == ["Causerie Small"]


@pytest.mark.parametrize(
    ("currency", "found"),
    [("usd", ("$0.000001", "$2.00")), ("eur", ("€0.125", "€3.50")), ("gbp", ("$0.000001", "$2.00"))],
)
def test_api_rates_may_differ_by_currency(currency, found):
    price = {"usd": {"input": 1, "output": 2_000_000}, "eur": {"input": 125_000, "output": 3_500_000}}
    rate = offers._api_rate({"name": "Small", "price": price}, currency)
    assert (rate.input, rate.output) == found


def test_who_sells_nothing_names_no_api_prices(settings, tmp_path):
    path = tmp_path / "internal.toml"
    path.write_text(settings.CATALOGUE_PATH.read_text().replace('mode = "freemium"', 'mode = "internal"', 1))
    settings.CATALOGUE_PATH = path
    assert offers.api_rates("usd") == []
