"""What is on sale: products and prices."""

from collections.abc import Iterator

from apps.billing import stripe_facts as facts
from apps.billing.stripe_gateway.calls import Calls, Params


class ShelfCalls(Calls):
    """What is on sale: products and prices."""

    def list_products(self) -> Iterator[facts.Product]:
        """Read all products, archived ones too."""
        return map(facts.read_product, self._pages(self._client.v1.products.list, {}))

    def create_product(self, plan: str, name: str, *, key: str) -> facts.Product:
        """Make the product of a plan."""
        return self.create_marked_product({"plan_key": plan}, name, key=key)

    def create_marked_product(self, mark: Params, name: str, *, key: str) -> facts.Product:
        """Make a product that is found again by its mark."""
        params = {"name": name, "metadata": mark}
        return facts.read_product(self._ask(self._client.v1.products.create, params, key=key))

    def update_product(self, product: str, params: Params, *, key: str) -> None:
        """Rename, archive or bring back a product."""
        self._ask(self._client.v1.products.update, params, product, key=key)

    def list_prices(self, product: str) -> Iterator[facts.Price]:
        """Read all prices of a product, archived ones too."""
        return map(facts.read_price, self._pages(self._client.v1.prices.list, {"product": product}))

    def create_price(self, params: Params, *, key: str) -> facts.Price:
        """Make a price; it takes its lookup key from the one that had it."""
        return facts.read_price(self._ask(self._client.v1.prices.create, params, key=key))

    def archive_price(self, price: str, *, key: str) -> None:
        """Take a price off sale; its subscribers keep it."""
        self._ask(self._client.v1.prices.update, {"active": False}, price, key=key)
