"""A local Stripe with our products, for those who leave while they are subscribed."""

import pytest
from django.core.management import call_command

from tests.support import shop
from tests.support.stripe import start_sandbox


@pytest.fixture
def published(db, settings, tmp_path):
    """Stripe over HTTP. What it sent is checked against Stripe's own description of its API."""
    server = start_sandbox(tmp_path / "stripe")
    settings.STRIPE_API_BASE = server.base
    settings.STRIPE_SECRET_KEY = server.secret_key
    call_command("catalogue", "apply", "--yes", stdout=shop.Quiet())
    yield server
    server.stop()
