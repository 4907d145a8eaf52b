"""Services started once for a whole run: real Postgres, real Valkey; sockets to the loopback only."""

import os
import shutil
from dataclasses import replace
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings
from django.core.cache import cache
from django.utils import timezone, translation
from hypothesis import settings as hypothesis_settings
from psycopg import sql

from apps.billing import stripe_gateway
from apps.localdev import postgres, valkey
from tests.support.oidc import start_oidc
from tests.support.product import running
from tests.support.provider import Provider

LOOPBACK = ("127.0.0.1", "localhost", "::1")
CONNECTIONS = 300
started = []
if os.environ.get("CI"):  # the same examples each time: what fails there must fail again here
    hypothesis_settings.register_profile("ci", derandomize=True)
    hypothesis_settings.load_profile("ci")


@pytest.hookimpl(tryfirst=True)  # before pytest-socket reads its options
def pytest_configure(config):
    hosts = {host for url in (settings.DATABASE_URL, settings.VALKEY_URL) if (host := urlsplit(url).hostname)}
    config.option.allow_hosts = ",".join((*LOOPBACK, *sorted(host for host in hosts if "%2f" not in host)))
    config.option.allow_unix_socket = True
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    if settings.HAS_OWN_DATABASE:
        started.append(start_postgres())
        trade_safety_for_speed()
    if settings.HAS_OWN_VALKEY:
        folder = settings.LOCAL_DIR / f"valkey-{os.getpid()}"
        started.append(valkey.start(folder, urlsplit(settings.VALKEY_URL).port, keep=False))


def start_postgres():
    """The embedded server, with room for the races: 200 threads, each with its connection."""
    server = postgres.start(settings.LOCAL_DIR / "postgres")
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as connection:
        if connection.execute("SELECT current_setting('max_connections')::int").fetchone()[0] >= CONNECTIONS:
            return server
        connection.execute(f"ALTER SYSTEM SET max_connections = {CONNECTIONS}")
        others = "SELECT count(*) FROM pg_stat_activity WHERE datname IS NOT NULL AND pid <> pg_backend_pid()"
        if connection.execute(others).fetchone()[0]:
            return server  # another run is using it: the next start has the room
    server.cleanup()
    return postgres.start(settings.LOCAL_DIR / "postgres")


def trade_safety_for_speed():
    """The tests' own server need not survive a power cut: emptying its tables is three times faster."""
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as connection:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(name)))
        connection.execute("SELECT pg_reload_conf()")


def pytest_unconfigure(config):
    for server in started:
        server.stop() if hasattr(server, "port") else server.cleanup()
    started.clear()
    shutil.rmtree(settings.EMAIL_FILE_PATH, ignore_errors=True)
    shutil.rmtree(settings.LOCAL_DIR / f"valkey-{os.getpid()}", ignore_errors=True)


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="also run the tests that take minutes")


@pytest.hookimpl(wrapper=True)  # before xdist reads the groups
def pytest_collection_modifyitems(config, items):
    """One worker of xdist has the running product: its tests stay together. What takes minutes waits for --long."""
    for item in items:
        if item.get_closest_marker("long") and not config.getoption("--long"):
            item.add_marker(pytest.mark.skip(reason="takes minutes: runs with --long"))
        if {"running_product", "product_processes"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("flow")
            item.add_marker(pytest.mark.xdist_group("product"))
    yield
    if config.getoption("loadgroup", default=False) and any(is_split(item) for item in items):
        pytest.exit("xdist does not keep the running product's tests together: is pytest newer than it knows?", 1)


def is_split(item):
    """Whether xdist did not take up the group; each of its workers would start a product then."""
    return item.get_closest_marker("xdist_group") is not None and "@" not in item.nodeid


@pytest.fixture(autouse=True)
def unhurried(monkeypatch):
    """Jobs may ask as often as they like: ten requests a second are for the real Stripe."""
    monkeypatch.setattr(stripe_gateway, "BACKGROUND", replace(stripe_gateway.BACKGROUND, per_s=0))


@pytest.fixture(autouse=True)
def empty_valkey():
    """Nothing one test left in Valkey reaches the next."""
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def speak_english():
    """The language and the zone of a page that one test asked for do not reach the next."""
    yield
    translation.deactivate()
    timezone.deactivate()


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


@pytest.fixture(scope="session")
def oidc():
    """Where the people of the running product have accounts elsewhere."""
    server = start_oidc()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def product_processes(oidc):
    """The product's processes, started once; see `running_product`."""
    provider = Provider().start()
    with running("flow", provider, oidc.environment()) as product:
        yield product
    provider.stop()


@pytest.fixture
def running_product(product_processes):
    """The whole product as processes of their own, with its provider as a test left nothing of it."""
    product_processes.provider.reset()
    yield product_processes
    product_processes.part_with_people()
