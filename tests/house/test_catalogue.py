"""The catalogue that is shipped can be sold."""

import itertools

import pytest

from apps.billing import catalogue_models, plans
from apps.inference import language_models, token_counts, tokenizer
from apps.inference.providers import PROVIDERS


def test_it_loads_and_its_plans_agree_with_its_models(settings):
    catalogue = plans.load(settings.CATALOGUE_PATH)
    assert catalogue.default_plan == "free"
    assert {model for plan in catalogue.plans.values() for model in plan.models} <= catalogue.models.keys()
    assert set(catalogue.developer.models) <= catalogue.models.keys()


def test_what_the_landing_page_promises_is_for_sale(settings):
    catalogue = plans.load(settings.CATALOGUE_PATH)
    prices = {key: dict(plan.prices) for key, plan in catalogue.plans.items()}
    assert prices["free"] == {}
    assert prices["premium"]["month", "usd"] == 800


@pytest.mark.django_db
def test_every_model_is_offered_priced_once_its_servers_are_set_up(settings):
    settings.MODEL_BASE_URL, settings.OPENAI_API_KEY = "http://127.0.0.1:9/v1", "sk-0"
    models = language_models.offered()
    catalogue = plans.load(settings.CATALOGUE_PATH)
    assert [model.key for model in models] == list(catalogue.models)
    for model, currency in itertools.product(models, catalogue.currencies):
        assert all(min(rates.input, rates.output) > 0 for rates in model.require_rates(currency))


def test_every_protocol_and_way_of_counting_that_it_may_name_is_there():
    assert set(token_counts.READERS) == set(catalogue_models.CONVENTIONS)
    assert set(PROVIDERS) == set(catalogue_models.PROVIDERS)


@pytest.mark.parametrize("name", catalogue_models.TOKENIZERS)
def test_every_tokenizer_that_it_may_name_counts(name):
    assert tokenizer.count(["hello world"], name) == [2]
