"""What the tests of accuracy need of Stripe: the same local one as the tests of billing."""

from tests.billing.conftest import published, sandbox_server, stripe

__all__ = ["published", "sandbox_server", "stripe"]
