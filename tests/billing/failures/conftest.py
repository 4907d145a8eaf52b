"""The product at its own address, and a Stripe that shuffles what it sends and sends one in ten twice."""

from dataclasses import replace

import pytest

from apps.billing import stripe_gateway
from tests.support import storm as weather


@pytest.fixture(scope="session")
def storm_server(tmp_path_factory, live_server):
    server = weather.start(tmp_path_factory.mktemp("storm"), live_server.url)
    yield server
    server.stop()


@pytest.fixture
def storm(storm_server, transactional_db, settings, monkeypatch):
    """Stripe in rough weather, with our products; its letters go to the real view over HTTP."""
    unhurried = replace(stripe_gateway.BACKGROUND, per_s=0)  # ten requests a second are for the real one
    monkeypatch.setattr(stripe_gateway, "BACKGROUND", unhurried)
    found = weather.Storm(storm_server)
    found.begin(settings)
    yield found
    found.end()
    assert storm_server.violations() == []
