"""apps/inference/probes.py: servers are asked whether they are up, without a run."""

import asyncio

import pytest

from apps.inference import probes
from apps.inference.calls import Server
from apps.inference.models import Backend
from tests import build

pytestmark = pytest.mark.django_db(transaction=True)


def outcome(url, probe="/models"):
    server = Server("asked", "openai", url, "", "m", probe=probe)
    [found] = asyncio.run(probes.ask_all([server]))
    return found.error


def test_a_server_that_lists_its_models_is_up(provider):
    assert outcome(provider.url) is None


def test_a_server_that_has_no_such_list_is_up(provider):
    assert outcome(provider.url, "/nothing-here") is None


def test_nobody_there_is_unreachable():
    assert outcome("http://127.0.0.1:9/v1").reason == "unreachable"


def test_what_was_said_is_kept(provider, settings):
    settings.MODEL_BASE_URL, settings.OPENAI_API_KEY = provider.url, ""
    assert probes.probe_all(clock=lambda: build.NOW) == 0
    row = Backend.objects.get()
    assert (row.key, row.last_probe_at, row.failures_in_row) == ("local", build.NOW, 0)
    assert row.probe_ms is not None


def test_a_server_that_is_down_is_counted(settings):
    settings.MODEL_BASE_URL, settings.OPENAI_API_KEY = "http://127.0.0.1:9/v1", ""
    assert probes.probe_all(clock=lambda: build.NOW) == 1
    assert Backend.objects.get().failures_in_row == 1
