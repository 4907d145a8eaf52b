"""A local Stripe over HTTP, empty at the start of each test, and the catalogue published to it where a test asks."""

import pytest
from django.core.management import call_command

from apps.billing import entitlements
from tests import build, cast
from tests.support import shop
from tests.support.stripe import start_sandbox


@pytest.fixture(scope="session")
def sandbox_server(tmp_path_factory):
    server = start_sandbox(tmp_path_factory.mktemp("stripe"))
    yield server
    server.stop()


@pytest.fixture
def sandbox(sandbox_server, settings):
    """Stripe, empty. What it sent is checked against Stripe's own description of its API."""
    sandbox_server.empty()
    settings.STRIPE_API_BASE = sandbox_server.base
    settings.STRIPE_SECRET_KEY = sandbox_server.secret_key
    yield sandbox_server
    assert sandbox_server.violations() == []


@pytest.fixture
def published(sandbox, db):
    """Stripe with our products and prices."""
    call_command("catalogue", "apply", "--yes", stdout=shop.Quiet())
    return sandbox


@pytest.fixture
def ana(db):
    return cast.ana()


@pytest.fixture
def account(ana):
    return entitlements.account_for(ana, now=build.NOW)
