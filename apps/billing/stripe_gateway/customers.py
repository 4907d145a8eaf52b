"""Customers and what they pay with."""

from collections.abc import Iterator

from apps.billing import stripe_facts as facts
from apps.billing.stripe_gateway.calls import Calls


class CustomerCalls(Calls):
    """Customers and what they pay with."""

    def create_customer(self, email: str, account: str, *, key: str) -> str:
        """Make a customer; its id."""
        params = {"email": email, "metadata": {"account_id": account}}
        return str(self._ask(self._client.v1.customers.create, params, key=key)["id"])

    def tell_address(self, customer: str, email: str, *, key: str) -> None:
        """Let invoices and receipts go to another address."""
        self._ask(self._client.v1.customers.update, {"email": email}, customer, key=key)

    def say_whose(self, thing: str, account: str, *, key: str) -> None:
        """Let a customer, or a subscription, name the account that it belongs to."""
        calls = self._client.v1.subscriptions if thing.startswith("sub_") else self._client.v1.customers
        self._ask(calls.update, {"metadata": {"account_id": account}}, thing, key=key)

    def fetch_customer(self, customer: str) -> facts.Customer:
        """Read a customer, also one that was deleted."""
        return facts.read_customer(self._ask(self._client.v1.customers.retrieve, {}, customer))

    def list_customers(self, *, email: str | None = None, after: str = "") -> Iterator[facts.Customer]:
        """Read customers that are not deleted, with their live subscriptions, the newest first.

        email  of one person. `after`: go on behind this customer.
        """
        narrowed = {"email": email} if email else {}
        begin = {"starting_after": after} if after else {}
        params = {"expand": ["data.subscriptions"], **narrowed, **begin}
        return map(facts.read_customer, self._pages(self._client.v1.customers.list, params))

    def fetch_card(self, method: str) -> facts.Card:
        """Read what may be shown of a payment method."""
        return facts.read_card(self._ask(self._client.v1.payment_methods.retrieve, {}, method))
