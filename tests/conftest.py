"""Services started once for a whole run: real Postgres, real Valkey; sockets to the loopback only."""

import os
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from apps.localdev import postgres, valkey

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
    from django.core.cache import cache

    cache.clear()
