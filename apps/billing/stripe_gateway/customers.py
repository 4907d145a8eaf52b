"""Customers and what they pay with."""

from apps.billing import stripe_facts as facts
from apps.billing.stripe_gateway.calls import Calls


class CustomerCalls(Calls):
    """Customers and what they pay with."""

    def create_customer(self, email: str, account: str, *, key: str) -> str:
        """Make a customer; its id."""
        params = {"email": email, "metadata": {"account_id": account}}
        return str(self._ask(self._client.v1.customers.create, params, key=key)["id"])

    def fetch_customer(self, customer: str) -> facts.Customer:
        """Read a customer, also one that was deleted."""
        return facts.read_customer(self._ask(self._client.v1.customers.retrieve, {}, customer))

    def fetch_card(self, method: str) -> facts.Card:
        """Read what may be shown of a payment method."""
        return facts.read_card(self._ask(self._client.v1.payment_methods.retrieve, {}, method))
