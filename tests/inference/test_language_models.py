"""apps/inference/language_models.py: what is offered depends on what is set up."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from apps.inference import language_models
from apps.inference.errors import ModelMissing, ModelUnpriced
from apps.inference.language_models import LanguageModel, Rates
from tests import build

pytestmark = pytest.mark.django_db

RATES = Rates.of({"input": 1, "output": 1})


def keys(models):
    return [model.key for model in models]


def test_a_model_has_its_names_limits_and_rates():
    model = language_models.get_model("chat-small")
    assert (model.name, model.context_tokens, model.currency) == ("Causerie Small", 2048, "usd")
    assert model.cost == Rates(20_000, 60_000, cached_input=20_000, cache_write=20_000, image_input=20_000)
    assert model.prices == dict.fromkeys(["usd", "eur"], Rates(50_000, 150_000, 50_000, 50_000, 50_000))
    assert model.tokenizer == "o200k_base"


def test_a_kind_of_input_without_a_rate_of_its_own_is_plain_input():
    stated = {"input": 400, "output": 3000, "cached_input": 0, "image_input": 700}
    assert Rates.of(stated) == Rates(400, 3000, cached_input=0, cache_write=400, image_input=700)


def test_a_model_whose_server_lacks_a_key_is_not_there(settings):
    settings.OPENAI_API_KEY = ""
    assert keys(language_models.offered()) == ["chat-small"]
    with pytest.raises(ModelMissing):
        language_models.get_model("chat-large")


def test_with_its_key_it_is_and_its_server_is_called_by_the_names_in_use_there(settings):
    settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = "sk-real", "https://models.example/v1/"
    assert keys(language_models.offered()) == ["chat-small", "chat-large"]
    (server,) = language_models.servers_of(language_models.get_model("chat-large"))
    assert (server.base_url, server.api_key) == ("https://models.example/v1", "sk-real")
    assert (server.model_name, server.limit_parameter) == ("gpt-5-mini", "max_completion_tokens")
    assert "sk-real" not in repr(server)


def test_without_an_address_nothing_is_offered(settings):
    settings.MODEL_BASE_URL, settings.OPENAI_API_KEY = "", ""
    assert language_models.offered() == ()


def test_a_plan_sees_only_its_models(settings):
    settings.OPENAI_API_KEY = "sk-real"
    assert keys(language_models.offered(build.plan(models=("chat-large",)))) == ["chat-large"]


@pytest.mark.parametrize(
    "rates",
    [
        {"cost": None, "prices": {"usd": RATES}},
        {"cost": RATES, "prices": {}},
        {"cost": RATES, "prices": {"eur": RATES}},
    ],
)
def test_a_model_without_cost_or_price_in_the_currency_is_refused(rates):
    model = LanguageModel("m", "M", 100, "usd", backends={}, **rates)
    with pytest.raises(ModelUnpriced) as refused:
        model.require_rates("usd")
    assert (refused.value.code, refused.value.status) == ("model_unpriced", 503)


@pytest.mark.parametrize(
    "stated",
    [None, {}, {"input": 1}, {"output": 1}, {"input": -1, "output": 1}, {"input": 1, "output": 1, "cached_input": -1}],
)
def test_rates_that_make_no_sense_are_none(stated):
    assert Rates.of(stated) is None


def test_a_setting_that_does_not_exist_is_named(settings):
    del settings.MODEL_BASE_URL
    with pytest.raises(ImproperlyConfigured, match="MODEL_BASE_URL"):
        language_models.offered()
