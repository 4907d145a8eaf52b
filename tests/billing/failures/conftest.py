"""The product at its own address, and a Stripe that shuffles what it sends and sends one in ten twice."""

import pytest

from tests.support import storm as weather


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
