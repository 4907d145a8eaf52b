"""The engine and what it needs: a catalogue, an account with credit, tasks that are counted and not sent."""

import re
from pathlib import Path

import pytest

from apps.inference import engine
from tests import build
from tests.support.answers import Course


@pytest.fixture(autouse=True, scope="session")
def end_the_engine():
    """Its connections do not outlive the Valkey of the tests."""
    yield
    engine.stop()


@pytest.fixture
def two_backends(settings, tmp_path, provider):
    """The small model is served by `local`, where nobody listens, and then by `spare`, the scripted server."""
    catalogue = Path(settings.CATALOGUE_PATH).read_text(encoding="utf-8")
    catalogue = catalogue.replace(
        '{ local = "SmolLM2-135M-Instruct" }', '{ local = "SmolLM2-135M-Instruct", spare = "scripted" }'
    )
    catalogue += f'\n[backends.spare]\nprovider = "openai"\nbase_url = "{provider.url}"\napi_key = "none"\nweight = 0\n'
    settings.CATALOGUE_PATH = tmp_path / "catalogue.toml"
    settings.CATALOGUE_PATH.write_text(catalogue, encoding="utf-8")
    settings.MODEL_BASE_URL = "http://127.0.0.1:9/v1"
    return provider


@pytest.fixture
def dear_spare(two_backends, settings):
    """`spare` costs whole units a token where `local` costs next to nothing."""
    catalogue = settings.CATALOGUE_PATH.read_text(encoding="utf-8")
    rates = "backend_cost.spare = { input = 7_000_000, output = 9_000_000 }"
    catalogue = catalogue.replace("[models.chat-large]", f"{rates}\n\n[models.chat-large]")
    settings.CATALOGUE_PATH.write_text(catalogue, encoding="utf-8")


@pytest.fixture
def one_place(settings, tmp_path):
    """`local` writes one answer at once."""
    catalogue = Path(settings.CATALOGUE_PATH).read_text(encoding="utf-8")
    settings.CATALOGUE_PATH = tmp_path / "catalogue.toml"
    limited = catalogue.replace("[backends.local]", "[backends.local]\nmax_concurrency = 1")
    settings.CATALOGUE_PATH.write_text(limited, encoding="utf-8")


@pytest.fixture
def small_fallback(settings, tmp_path, provider):
    """When the small model's messages are spent, Free falls back to one that is smaller still."""
    catalogue = Path(settings.CATALOGUE_PATH).read_text(encoding="utf-8")
    before, free, rest = re.split(r"^(?=\[plans\.(?:free|premium)\])", catalogue, flags=re.MULTILINE)
    free = free.replace('models = ["chat-small"]\nqueue', 'models = ["chat-small", "chat-tiny"]\nqueue')
    free = free.replace('when_spent = "refuse"', 'when_spent = "fallback:chat-tiny"')
    free += '[[plans.free.limit]]\nmeter = "messages"\nmodels = ["chat-tiny"]\namount = 5\nwindow = "3h"\n'
    free += 'when_spent = "refuse"\n\n'
    tiny = '[models.chat-tiny]\nname = "Tiny"\nbackends = { local = "tiny" }\ncontext_tokens = 2048\ncurrency = "usd"\n'
    tiny += "cost = { input = 1, output = 1 }\n"
    tiny += "price = { usd = { input = 1, output = 1 }, eur = { input = 1, output = 1 } }\n\n"
    settings.CATALOGUE_PATH = tmp_path / "catalogue.toml"
    settings.CATALOGUE_PATH.write_text(before + free + rest + "\n" + tiny, encoding="utf-8")


@pytest.fixture
def account():
    return build.account()


@pytest.fixture
def course():
    return Course()
