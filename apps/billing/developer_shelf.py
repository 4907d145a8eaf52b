"""What the API sells, at Stripe: the product and prices of credit, the meter, and the metered prices of usage.

Credit is one price of one unit of each currency, bought so many times. Usage is counted in micro-units of the
account's currency, a ten-thousandth of a minor unit each, so that Stripe's total follows our ledger.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial

from django.db import transaction

from apps.billing import mirror
from apps.billing.models import Price as PriceRow
from apps.billing.stripe_facts import Meter, Price, Product
from apps.billing.stripe_gateway import Gateway, Params
from apps.billing.terms import MINOR, Catalogue, DeveloperTerms

CREDIT, USAGE = "api_credit", "api_usage"  # what a product sells, as its metadata says
NAMES = {CREDIT: "API credit", USAGE: "API usage"}
EVENT_NAME = "causerie_api_usage"
MINOR_PER_MICRO = "0.0001"
Act = Callable[[datetime], None]
Wanted = Mapping[str, Params]  # lookup key → what a price must be


def credit_key(currency: str) -> str:
    """The name by which the Price of credit is found."""
    return f"{CREDIT}_{currency}"


def usage_key(currency: str) -> str:
    """The name by which the metered Price is found."""
    return f"{USAGE}_{currency}"


class DeveloperShelf:
    """One comparison of what the catalogue sells to developers with Stripe."""

    def __init__(self, terms: DeveloperTerms, gateway: Gateway) -> None:
        self.terms, self.gateway = terms, gateway
        self._read()

    def changes(self) -> Iterator[tuple[str, Act]]:
        """What must be made or archived at Stripe, in the order in which it is made."""
        if self.terms.most_usage_micro and self.meter is None:
            yield f"new meter {EVENT_NAME}", self._create_meter
        for sells, wanted in ((CREDIT, self._wanted_credit()), (USAGE, self._wanted_usage())):
            if wanted and sells not in self.products:
                yield f"new product {NAMES[sells]}", partial(self._create_product, sells)
            yield from self._prices(sells, wanted)

    def has_new_rows(self) -> bool:
        """Whether our rows of these prices differ from what Stripe has."""
        known = {row.pk: (row.is_active, row.lookup_key) for row in PriceRow.objects.filter(plan=None)}
        listed = [price for prices in self.prices.values() for price in prices]
        return any(known.get(price.id) != (price.is_active, price.lookup_key) for price in listed)

    def write_rows(self) -> None:
        """Mirror these prices. An act, after another look."""
        self._read()
        with transaction.atomic(durable=True):
            for prices in self.prices.values():
                for price in prices:
                    mirror.write_price(price, plan=None)

    def _read(self) -> None:
        products: dict[str, Product] = {}
        for product in sorted(self.gateway.list_products(), key=lambda product: product.is_active):
            if product.sells in NAMES:
                products[product.sells] = product
        self.products = products
        self.prices = {sells: list(self.gateway.list_prices(product.id)) for sells, product in products.items()}
        self.meter: Meter | None = self.gateway.find_meter(EVENT_NAME) if self.terms.most_usage_micro else None

    def _wanted_credit(self) -> Wanted:
        return {credit_key(currency): {"currency": currency, "unit_amount": MINOR} for currency in self.terms.credit}

    def _wanted_usage(self) -> Wanted:
        return {
            usage_key(currency): {
                "currency": currency,
                "unit_amount_decimal": MINOR_PER_MICRO,
                "recurring": {"interval": "month", "usage_type": "metered"},
            }
            for currency in self.terms.most_usage_micro
        }

    def _prices(self, sells: str, wanted: Wanted) -> Iterator[tuple[str, Act]]:
        active = {price.lookup_key: price for price in self.prices.get(sells, []) if price.is_active}
        for lookup_key, params in wanted.items():
            if not self._is(active.get(lookup_key), params):
                yield f"new price {lookup_key}", partial(self._create_price, sells, lookup_key, params)
        for lookup_key, price in active.items():
            if not self._is(price, wanted.get(lookup_key)):
                yield f"archive price {lookup_key or price.id}", partial(self._archive, price)

    def _is(self, price: Price | None, params: Params | None) -> bool:
        if price is None or params is None or price.currency != params["currency"]:
            return False
        if "recurring" not in params:
            return not price.interval and price.unit_amount_minor == params["unit_amount"]
        is_counted = self.meter is not None and (price.usage_type, price.meter) == ("metered", self.meter.id)
        return is_counted and Decimal(price.unit_amount_decimal or 0) == Decimal(params["unit_amount_decimal"])

    def _create_meter(self, now: datetime) -> None:
        key = f"cat-meter:{EVENT_NAME}:{now.isoformat()}"
        self.meter = self.gateway.create_meter(EVENT_NAME, NAMES[USAGE], key=key)

    def _create_product(self, sells: str, now: datetime) -> None:
        key = f"cat-product:{sells}:{now.isoformat()}"
        self.products[sells] = self.gateway.create_marked_product({"sells": sells}, NAMES[sells], key=key)

    def _create_price(self, sells: str, lookup_key: str, params: Params, now: datetime) -> None:
        asked = {**params, "product": self.products[sells].id, "lookup_key": lookup_key, "transfer_lookup_key": True}
        if "recurring" in params and self.meter is not None:
            asked["recurring"] = {**params["recurring"], "meter": self.meter.id}
        self.gateway.create_price(
            {**asked, "tax_behavior": "exclusive"}, key=f"cat-price:{lookup_key}:{now.isoformat()}"
        )

    def _archive(self, price: Price, now: datetime) -> None:
        self.gateway.archive_price(price.id, key=f"cat-archive:{price.id}:{now.isoformat()}")


def of(catalogue: Catalogue, gateway: Gateway | None) -> DeveloperShelf | None:
    """The comparison for a catalogue; None where nothing is sold."""
    return DeveloperShelf(catalogue.developer, gateway) if gateway is not None and catalogue.sells else None
