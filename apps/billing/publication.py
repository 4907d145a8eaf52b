"""The catalogue brought here and to Stripe: what would change, and changing it. Archives, never deletes."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction

from apps.billing import developer_shelf, leases, mirror, model_prices, plan_versions, plans, price_moves, terms_changes
from apps.billing.models import Plan, PlanGrant, SubscriptionMirror
from apps.billing.models import Price as PriceRow
from apps.billing.price_moves import Move
from apps.billing.stripe_facts import Price, Product
from apps.billing.stripe_gateway import Gateway, Params
from apps.billing.terms import Catalogue, PlanTerms

HERE, STRIPE = "here", "Stripe"
Act = Callable[[datetime], None]


@dataclass(frozen=True)
class Change:
    """One thing that differs from the catalogue. `place` is where."""

    place: str
    text: str
    perform: Act

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


class Publication:
    """One comparison of a catalogue with our tables and with Stripe; `changes` in the order in which they are made."""

    def __init__(self, catalogue: Catalogue, gateway: Gateway | None) -> None:
        self.catalogue = catalogue
        self.gateway = gateway if catalogue.sells else None
        self.products: dict[str, Product] = {}
        self.prices: dict[str, list[Price]] = {}
        self.moves = price_moves.due(catalogue) if self.gateway is not None else []
        self.developer = developer_shelf.of(catalogue, self.gateway)
        if self.gateway is not None:
            self._read(self.gateway)

    def changes(self) -> list[Change]:
        """What `apply` would do now; empty when all is as the catalogue says."""
        found = [*self._plans_here(), *self._model_prices_here()]
        if self.gateway is not None:
            at_stripe = [*self._on_sale(self.gateway), *self._off_sale(self.gateway)]
            found += [*at_stripe, *self._rows_here(self.gateway, has_more=bool(at_stripe)), *self._moves()]
            found += [*self._portal(self.gateway, has_more=bool(at_stripe)), *self._for_developers()]
        return found

    # --- plans and their terms: our own rows ---
    def _plans_here(self) -> Iterator[Change]:
        rows = {row.pk: row for row in Plan.objects.all()}
        for terms in self.catalogue.plans.values():
            if text := self._difference(rows.get(terms.key), terms):
                yield Change(HERE, text, self._write_terms(terms))
        for key, row in rows.items():
            if key not in self.catalogue.plans and row.left_at is None:
                yield Change(HERE, f"plan {key} leaves the catalogue; who has it keeps it", self._let_go(key))

    def _difference(self, row: Plan | None, terms: PlanTerms) -> str:
        latest = plan_versions.find_latest(terms.key)
        if row is None or latest is None:
            return f"new plan {terms.key}"
        texts = []
        if row.left_at is not None:
            texts.append(f"plan {terms.key} is back in the catalogue")
        if row.is_default != (terms.key == self.catalogue.default_plan):
            texts.append(f"{terms.key} is {'no longer ' if row.is_default else ''}the default plan")
        if latest.digest != terms.digest():
            changed = terms_changes.describe(PlanTerms.from_json(latest.terms), terms)
            texts.append(f"terms of {terms.key}: {changed or 'the same, written in a new form'}")
        return "; ".join(texts)

    def _let_go(self, plan: str) -> Act:
        def perform(now: datetime) -> None:
            with transaction.atomic(durable=True):
                Plan.objects.filter(pk=plan, left_at=None).update(left_at=now, is_default=False)

        return perform

    def _write_terms(self, terms: PlanTerms) -> Act:
        def perform(now: datetime) -> None:
            with transaction.atomic(durable=True):
                _version, is_new = plan_versions.ensure(self.catalogue, terms, now=now)
                if is_new and self.catalogue.moves_subscribers:
                    paying = SubscriptionMirror.objects.live().filter(plan_id=terms.key)
                    given = PlanGrant.objects.open(at=now).filter(plan_id=terms.key)
                    for account_id in paying.values_list("account_id").union(given.values_list("account_id")):
                        leases.want_sync(*account_id)

        return perform

    # --- what models cost and are sold for: our own rows ---
    def _model_prices_here(self) -> Iterator[Change]:
        for model, stated in self.catalogue.models.items():
            if not model_prices.is_newest(model, stated):
                yield Change(HERE, f"prices of {model}", partial(_write_model_price, model, stated))

    # --- products and prices at Stripe ---
    def _read(self, gateway: Gateway) -> None:
        self.products = {}
        for product in sorted(gateway.list_products(), key=lambda product: product.is_active):
            if product.plan_key:
                self.products[product.plan_key] = product  # of two with the same key, one that is active
        self.prices = {key: list(gateway.list_prices(product.id)) for key, product in self.products.items()}

    def _on_sale(self, gateway: Gateway) -> Iterator[Change]:
        for terms in self.catalogue.plans.values():
            if not terms.prices:
                continue
            product = self.products.get(terms.key)
            if product is None:
                yield Change(STRIPE, f"new product {terms.name}", self._create_product(gateway, terms))
            elif product.name != terms.name or not product.is_active:
                params = {"name": terms.name, "active": True}
                yield Change(STRIPE, f"product {terms.name} on sale", self._update_product(gateway, product, params))
            yield from self._new_prices(gateway, terms)

    def _new_prices(self, gateway: Gateway, terms: PlanTerms) -> Iterator[Change]:
        for (interval, currency), amount_minor in terms.prices.items():
            lookup_key = plans.lookup_key(terms.key, interval, currency)
            active = [price for price in self.prices.get(terms.key, []) if price.is_active]
            named = [price for price in active if price.lookup_key == lookup_key]
            if not any(_is(price, interval, currency, amount_minor) for price in named):
                params = {
                    "currency": currency,
                    "unit_amount": amount_minor,
                    "recurring": {"interval": interval},
                    "lookup_key": lookup_key,
                    "transfer_lookup_key": True,
                    "tax_behavior": "exclusive",
                }
                text = f"new price {lookup_key}: {amount_minor} {currency} a {interval}"
                yield Change(STRIPE, text, self._create_price(gateway, terms.key, params))
                for price in named:
                    yield self._archive(gateway, price)

    def _off_sale(self, gateway: Gateway) -> Iterator[Change]:
        for plan, product in self.products.items():
            terms = self.catalogue.plans.get(plan)
            sold = {plans.lookup_key(plan, *pair) for pair in terms.prices} if terms else set()
            for price in self.prices[plan]:
                if price.is_active and price.lookup_key not in sold:
                    yield self._archive(gateway, price)
            if not sold and product.is_active:
                archive = self._update_product(gateway, product, {"active": False})
                yield Change(STRIPE, f"archive product {product.name}", archive)

    def _create_product(self, gateway: Gateway, terms: PlanTerms) -> Act:
        def perform(now: datetime) -> None:
            key = f"cat-product:{terms.key}:{now.isoformat()}"
            self.products[terms.key] = gateway.create_product(terms.key, terms.name, key=key)

        return perform

    def _update_product(self, gateway: Gateway, product: Product, params: Params) -> Act:
        return lambda now: gateway.update_product(product.id, params, key=f"cat-product:{product.id}:{now.isoformat()}")

    def _create_price(self, gateway: Gateway, plan: str, params: Params) -> Act:
        def perform(now: datetime) -> None:
            key = f"cat-price:{params['lookup_key']}:{params['unit_amount']}:{now.isoformat()}"
            gateway.create_price({**params, "product": self.products[plan].id}, key=key)

        return perform

    def _archive(self, gateway: Gateway, price: Price) -> Change:
        text = f"archive price {price.lookup_key or price.id}: {price.unit_amount_minor} {price.currency}"
        if number := price_moves.staying(price.id, self.moves):
            text += f"; {number} subscription{' stays' if number == 1 else 's stay'} on it"
        key = f"cat-archive:{price.id}"
        return Change(STRIPE, text, lambda now: gateway.archive_price(price.id, key=f"{key}:{now.isoformat()}"))

    # --- our rows of what Stripe has ---
    def _rows_here(self, gateway: Gateway, *, has_more: bool) -> Iterator[Change]:
        known = {row.pk: (row.is_active, row.plan_id, row.lookup_key) for row in PriceRow.objects.all()}
        ours = {
            price.id: (price.is_active, plan, price.lookup_key)
            for plan, prices in self.prices.items()
            for price in prices
            if plan in self.catalogue.plans or price.id in known
        }
        products = dict(Plan.objects.values_list("key", "stripe_product_id"))
        has_new_product = any(products.get(plan, product.id) != product.id for plan, product in self.products.items())
        if has_more or has_new_product or any(known.get(key) != facts for key, facts in ours.items()):
            yield Change(HERE, "products and prices as Stripe has them", lambda _now: self._write_rows(gateway))

    def _write_rows(self, gateway: Gateway) -> None:
        self._read(gateway)
        with transaction.atomic(durable=True):
            for plan, product in self.products.items():
                row = Plan.objects.filter(pk=plan).first()
                if row is not None:
                    Plan.objects.filter(pk=plan).update(stripe_product_id=product.id)
                    for price in self.prices[plan]:
                        mirror.write_price(price, plan=row)

    # --- what the API sells ---
    def _for_developers(self) -> Iterator[Change]:
        if self.developer is None:
            return
        at_stripe = [Change(STRIPE, text, perform) for text, perform in self.developer.changes()]
        yield from at_stripe
        if at_stripe or self.developer.has_new_rows():
            shelf = self.developer
            yield Change(HERE, "prices of the API as Stripe has them", lambda _now: shelf.write_rows())

    # --- subscribers who pay an old price ---
    def _moves(self) -> Iterator[Change]:
        for move in self.moves:
            yield Change(STRIPE, str(move), partial(_want, move))

    # --- the portal ---
    def _portal(self, gateway: Gateway, *, has_more: bool) -> Iterator[Change]:
        found = gateway.find_portal_configuration()
        if found is None or has_more or not _says(found[1], self._features()):
            yield Change(STRIPE, "what the customer portal offers", self._save_portal(gateway, found and found[0]))

    def _save_portal(self, gateway: Gateway, configuration: str | None) -> Act:
        def perform(now: datetime) -> None:
            gateway.save_portal_configuration(configuration, self._features(), key=f"cat-portal:{now.isoformat()}")

        return perform

    def _features(self) -> Params:
        """Cancel at the period's end; more at once and paid at once, less at the period's end."""
        sold = [key for key, terms in self.catalogue.plans.items() if terms.prices and key in self.products]
        products = [
            {
                "product": self.products[key].id,
                "prices": sorted(price.id for price in self.prices.get(key, []) if price.is_active),
            }
            for key in sold
        ]
        conditions = [{"type": "decreasing_item_amount"}, {"type": "shortening_interval"}]
        return {
            "customer_update": {"enabled": True, "allowed_updates": ["email", "name", "address"]},
            "invoice_history": {"enabled": True},
            "payment_method_update": {"enabled": True},
            "subscription_cancel": {"enabled": True, "mode": "at_period_end", "proration_behavior": "none"},
            "subscription_update": {
                "enabled": True,
                "default_allowed_updates": ["price"],
                "products": products,
                "proration_behavior": "always_invoice",
                "schedule_at_period_end": {"conditions": conditions},
            },
        }


def _want(move: Move, now: datetime) -> None:
    price_moves.want(move, now=now)


def publish(changes: Iterable[Change], *, now: datetime) -> None:
    """Make every change in order. Each is whole in itself: a second run goes on where one broke off.

    Raises  PaymentsAway, PaymentRefused.
    """
    for change in changes:
        change.perform(now)


def _write_model_price(model: str, stated: Mapping[str, Any], now: datetime) -> None:
    with transaction.atomic(durable=True):
        model_prices.publish(model, stated, now=now)


def _is(price: Price, interval: str, currency: str, amount_minor: int) -> bool:
    facts = (price.interval, price.interval_count, price.currency, price.unit_amount_minor, price.usage_type)
    return facts == (interval, 1, currency, amount_minor, "licensed")


def _says(found: object, wanted: object) -> bool:
    """Whether Stripe's answer says all that is wanted; it may say more."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(_says(found.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        if not isinstance(found, list) or len(found) != len(wanted):
            return False
        return sorted(map(str, found)) == sorted(map(str, wanted)) or all(map(_says, found, wanted))
    return found == wanted
