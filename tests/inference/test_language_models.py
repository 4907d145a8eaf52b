"""apps/inference/language_models.py: what is offered depends on what is set up."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from apps.inference import language_models
from apps.inference.errors import ModelMissing, ModelUnpriced
from apps.inference.language_models import LanguageModel, Rates
from tests import build

RATES = Rates(1, 1)


def keys(models):
    return [model.key for model in models]


def test_a_model_has_its_names_limits_and_rates():
    model = language_models.get_model("chat-small")
    assert (model.name, model.context_tokens, model.currency) == ("Causerie Small", 2048, "usd")
    assert (model.cost, model.price) == (Rates(20_000, 60_000), Rates(50_000, 150_000))


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


@pytest.mark.parametrize("rates", [{"cost": None, "price": RATES}, {"cost": RATES, "price": None}])
def test_a_model_without_cost_or_price_is_refused(rates):
    model = LanguageModel("m", "M", 100, "usd", backends={}, **rates)
    with pytest.raises(ModelUnpriced) as refused:
        model.require_rates()
    assert (refused.value.code, refused.value.status) == ("model_unpriced", 503)


def test_a_setting_that_does_not_exist_is_named(settings):
    del settings.MODEL_BASE_URL
    with pytest.raises(ImproperlyConfigured, match="MODEL_BASE_URL"):
        language_models.offered()
