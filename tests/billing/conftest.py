"""A local Stripe over HTTP, and our catalogue published to it where a test asks."""

import pytest
from django.core.management import call_command

from apps.billing import entitlements, stripe_gateway
from apps.billing.models import Plan, PlanVersion, Price
from tests import build, cast
from tests.support import shop
from tests.support import storm as weather
from tests.support.stripe import start_sandbox
from tests.support.stripe_names import unknown_names

SHELF = (Plan, PlanVersion, Price)


@pytest.fixture(scope="session")
def sandbox_server(tmp_path_factory):
    server = start_sandbox(tmp_path_factory.mktemp("stripe"))
    server.shelf = None
    yield server
    server.stop()


@pytest.fixture
def stripe(sandbox_server, settings):
    """The product talks to the sandbox; what that sends is held to Stripe's own description of its API."""
    settings.STRIPE_API_BASE = sandbox_server.base
    settings.STRIPE_SECRET_KEY = sandbox_server.secret_key
    sandbox_server.http.request("DELETE", "/_sandbox/api/faults", json={})
    yield sandbox_server
    sandbox_server.require_no_violations()


@pytest.fixture(autouse=True)
def drifted(monkeypatch):
    """The names that the gateway sent and the official client does not have; each test must leave it empty."""
    found, ask = [], stripe_gateway.Gateway._ask

    def watched(gateway, call, params, *path, **options):
        found.extend(f"{call.__name__}: {name}" for name in unknown_names(call, params))
        return ask(gateway, call, params, *path, **options)

    monkeypatch.setattr(stripe_gateway.Gateway, "_ask", watched)
    yield found
    assert found == []


@pytest.fixture
def sandbox(stripe):
    """Stripe with nothing in it."""
    stripe.empty()
    stripe.shelf = None
    return stripe


@pytest.fixture
def published(stripe, db):
    """Stripe with our products and prices. They are made once; each test begins with its own people."""
    if stripe.shelf is None:
        stripe.empty()
        call_command("catalogue", "apply", "--yes", stdout=shop.Quiet())
        stripe.shelf = [list(table.objects.all()) for table in SHELF]
    else:
        for table, rows in zip(SHELF, stripe.shelf, strict=True):
            table.objects.bulk_create(rows)
    return stripe


@pytest.fixture
def ana(db):
    return cast.ana()


@pytest.fixture
def account(ana):
    return entitlements.account_for(ana, now=build.NOW)


@pytest.fixture(scope="session")
def storm_server(tmp_path_factory, live_server):
    server = weather.start(tmp_path_factory.mktemp("storm"), live_server.url)
    yield server
    server.stop()


@pytest.fixture
def storm(storm_server, transactional_db, settings):
    """Stripe in rough weather, with our products; its letters go to the real view over HTTP."""
    found = weather.Storm(storm_server)
    found.begin(settings)
    yield found
    found.end()
    assert storm_server.violations() == []


@pytest.fixture
def silence(sandbox_server, transactional_db, settings):
    """The same Stripe without letters: for those who look by themselves."""
    found = weather.Storm(sandbox_server)
    found.begin(settings)
    yield found
    assert sandbox_server.violations() == []
