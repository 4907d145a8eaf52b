"""The local Stripe, as billing's tests know it."""

from tests.billing.conftest import published, sandbox, sandbox_server

__all__ = ["published", "sandbox", "sandbox_server"]
