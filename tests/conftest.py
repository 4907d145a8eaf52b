"""Services started once for a whole run: real Postgres, real Valkey; sockets to the loopback only."""

import os
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.cache import cache

from apps.localdev import postgres, valkey
from tests.support.provider import Provider

started = []


def pytest_configure(config):
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    if settings.HAS_OWN_DATABASE:
        started.append(postgres.start(settings.LOCAL_DIR / "postgres"))
    if settings.HAS_OWN_VALKEY:
        folder = settings.LOCAL_DIR / f"valkey-{os.getpid()}"
        started.append(valkey.start(folder, urlsplit(settings.VALKEY_URL).port, keep=False))


def pytest_unconfigure():
    for server in started:
        server.stop() if hasattr(server, "port") else server._cleanup()
    started.clear()


@pytest.fixture(autouse=True)
def empty_valkey():
    """Nothing one test left in Valkey reaches the next."""
    yield
    cache.clear()


@pytest.fixture(scope="session")
def provider_server():
    server = Provider().start()
    yield server
    server.stop()


@pytest.fixture
def provider(provider_server, settings):
    """A scripted model server, empty at the start of each test; the catalogue's back end `local` leads to it."""
    provider_server.reset()
    settings.MODEL_BASE_URL = provider_server.url
    return provider_server
