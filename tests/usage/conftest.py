"""What the tests of credit need of Stripe: the same local one as the tests of billing."""

from tests.billing.conftest import account, ana, published, sandbox, sandbox_server, stripe

__all__ = ["account", "ana", "published", "sandbox", "sandbox_server", "stripe"]
