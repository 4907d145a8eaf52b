"""The only door to Stripe: our values go in and come out, our exceptions are raised, every POST carries our key."""

import json
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

import stripe
import structlog
from django.conf import settings

from apps.billing import stripe_facts as facts
from apps.billing.errors import ForgedEvent, MissingAtStripe, PaymentRefused, PaymentsAway
from apps.core import guards

log = structlog.get_logger(__name__)
SLOW_DOWN_S = 0.5
API_VERSION = str(stripe.api_version)  # what this SDK is made for, and what the endpoint should send
PAGE = 100
BURST = 40  # requests that a quiet job may make at once
SKEW_S = 300
SERVER_FAULT = 500
PORTAL_MARK = {"managed_by": "causerie"}
CHARGES = "data.payments.data.payment.payment_intent.latest_charge"
Found = TypeVar("Found")
Params = Mapping[str, Any]  # Any: what the SDK's own TypedDicts describe


@dataclass(frozen=True)
class Patience:
    """How long a caller waits. `per_s` bounds background work, after a burst; 0 does not."""

    connect_s: float
    answer_s: float
    repeats: int  # of the SDK: lost connections, 409 and 5xx, with the same key
    slow_downs: int  # of ours: 429, which the SDK does not repeat
    per_s: float


PATIENT = Patience(connect_s=3, answer_s=20, repeats=2, slow_downs=3, per_s=0)
BRISK = Patience(connect_s=1, answer_s=3, repeats=0, slow_downs=1, per_s=0)
BACKGROUND = Patience(connect_s=3, answer_s=20, repeats=2, slow_downs=3, per_s=10)


def patient() -> "Gateway":
    """For people's clicks that must succeed."""
    return _gateway(settings.STRIPE_API_BASE, settings.STRIPE_SECRET_KEY, PATIENT)


def brisk() -> "Gateway":
    """For a page that would rather say “confirming” than wait."""
    return _gateway(settings.STRIPE_API_BASE, settings.STRIPE_SECRET_KEY, BRISK)


def background() -> "Gateway":
    """For jobs: they leave room for people."""
    return _gateway(settings.STRIPE_API_BASE, settings.STRIPE_SECRET_KEY, BACKGROUND)


class Gateway:
    """Calls of one patience. Every method raises PaymentsAway (try again), PaymentRefused, or MissingAtStripe."""

    def __init__(self, base: str, key: str, patience: Patience) -> None:
        self._client = stripe.StripeClient(
            key,
            base_addresses={"api": base, "meter_events": base},
            max_network_retries=patience.repeats,
            http_client=stripe.RequestsClient(timeout=(patience.connect_s, patience.answer_s)),
        )
        self._patience = patience
        self._room, self._room_at = float(BURST), time.monotonic()  # a token bucket
        self._turn = threading.Lock()

    def __repr__(self) -> str:
        return "<Gateway to Stripe>"

    # --- customers and what they have ---
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

    def list_subscriptions(self, customer: str | None = None) -> Iterator[facts.Subscription]:
        """Read all subscriptions, of one customer or of all, ended ones too, the newest first."""
        narrowed = {"customer": customer} if customer else {}
        params = {"status": "all", "expand": ["data.default_payment_method"], **narrowed}
        for raw in self._pages(self._client.v1.subscriptions.list, params):
            yield facts.read_subscription(self._with_discounts(raw))

    def list_invoices(self, customer: str) -> Iterator[facts.Invoice]:
        """Read all invoices of a customer with the last charge of each payment."""
        params = {"customer": customer, "expand": [CHARGES]}
        return map(facts.read_invoice, self._pages(self._client.v1.invoices.list, params))

    def list_refunds(self, payment_intent: str) -> Iterator[facts.Refund]:
        """Read the refunds of one payment."""
        return map(facts.read_refund, self._pages(self._client.v1.refunds.list, {"payment_intent": payment_intent}))

    def list_disputes(self, payment_intent: str) -> Iterator[facts.Dispute]:
        """Read the disputes of one payment."""
        return map(facts.read_dispute, self._pages(self._client.v1.disputes.list, {"payment_intent": payment_intent}))

    def fetch_invoice_url(self, invoice: str) -> str:
        """The page on which Stripe shows an invoice: a bearer credential; empty while it is a draft."""
        return self._ask(self._client.v1.invoices.retrieve, {}, invoice).get("hosted_invoice_url") or ""

    def cancel_subscription(self, subscription: str, *, key: str) -> None:
        """End a subscription at once, without another invoice."""
        params = {"invoice_now": False, "prorate": False}
        self._ask(self._client.v1.subscriptions.cancel, params, subscription, key=key)

    def move_price(self, subscription: str, item: str, prices: tuple[str, str], *, key: str) -> bool:
        """Let an item pay another price from its next renewal on; False where something else happens to it meanwhile.

        prices  the one it pays now, and the one it shall pay. Nothing is charged or given back now.
        """
        found = facts.read_subscription(self._ask(self._client.v1.subscriptions.retrieve, {}, subscription))
        pays = next((one.price.id for one in found.items if one.id == item), None)
        if pays == prices[1]:
            return True  # we did it before, and did not hear the answer
        if pays != prices[0] or not found.is_steady:
            return False
        params = {"items": [{"id": item, "price": prices[1]}], "proration_behavior": "none"}
        self._ask(self._client.v1.subscriptions.update, params, subscription, key=key)
        return True

    # --- pages that Stripe hosts ---
    def create_session(self, params: Params, *, key: str) -> facts.Session:
        """Open a checkout session; the same key gives the same session."""
        return facts.read_session(self._ask(self._client.v1.checkout.sessions.create, params, key=key))

    def fetch_session(self, session: str) -> facts.Session:
        """Read a checkout session."""
        return facts.read_session(self._ask(self._client.v1.checkout.sessions.retrieve, {}, session))

    def expire_session(self, session: str, *, key: str) -> facts.Session:
        """Close a checkout session that is open."""
        return facts.read_session(self._ask(self._client.v1.checkout.sessions.expire, {}, session, key=key))

    def create_portal_session(self, params: Params, *, key: str) -> str:
        """Let a customer into the portal: an address that is a bearer credential."""
        return str(self._ask(self._client.v1.billing_portal.sessions.create, params, key=key)["url"])

    def find_portal_configuration(self) -> tuple[str, Params] | None:
        """The portal's settings that publication made: id and features."""
        listed = self._pages(self._client.v1.billing_portal.configurations.list, {"active": True})
        ours = (raw for raw in listed if PORTAL_MARK.items() <= (raw.get("metadata") or {}).items())
        return next(((str(raw["id"]), raw["features"]) for raw in ours), None)

    def save_portal_configuration(self, configuration: str | None, features: Params, *, key: str) -> None:
        """Make or change the portal's settings."""
        calls = self._client.v1.billing_portal.configurations
        if configuration is None:
            self._ask(calls.create, {"features": features, "metadata": PORTAL_MARK}, key=key)
        else:
            self._ask(calls.update, {"features": features}, configuration, key=key)

    # --- the catalogue ---
    def list_products(self) -> Iterator[facts.Product]:
        """Read all products, archived ones too."""
        return map(facts.read_product, self._pages(self._client.v1.products.list, {}))

    def create_product(self, plan: str, name: str, *, key: str) -> facts.Product:
        """Make the product of a plan."""
        params = {"name": name, "metadata": {"plan_key": plan}}
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

    def list_events(self, *, since: datetime) -> Iterator[facts.Event]:
        """Read the events of the last hours, the newest first."""
        params = {"created": {"gte": int(since.timestamp())}}
        return map(facts.read_event, self._pages(self._client.v1.events.list, params))

    # --- how every call is made ---
    def _with_discounts(self, raw: Params) -> Params:
        if not any(isinstance(discount, str) for discount in raw.get("discounts") or []):
            return raw
        params = {"expand": ["default_payment_method", "discounts.source.coupon"]}
        return self._ask(self._client.v1.subscriptions.retrieve, params, str(raw["id"]))

    def _pages(self, call: Callable[..., Any], params: Params) -> Iterator[Params]:
        """Walk a list to its end."""
        asked: dict[str, Any] = {"limit": PAGE, **params}
        while True:
            page = self._ask(call, asked)
            yield from page["data"]
            if not page["has_more"]:
                return
            asked["starting_after"] = page["data"][-1]["id"]

    def _ask(self, call: Callable[..., Any], params: Params, *path: str, key: str | None = None) -> Params:
        guards.outside_transaction()
        options = {"idempotency_key": key} if key else {}
        for attempt in range(self._patience.slow_downs + 1):
            self._wait_for_turn()
            try:
                return _plain(call(*path, params=dict(params), options=options))
            except stripe.RateLimitError:
                if attempt < self._patience.slow_downs:
                    time.sleep(SLOW_DOWN_S * 2**attempt * random.uniform(0.5, 1.5))  # noqa: S311 jitter, no secret
            except stripe.StripeError as error:
                log.warning("stripe.refused", error=type(error).__name__, code=error.code, status=error.http_status)
                raise _translated(error) from error
        raise PaymentsAway(cause="RateLimitError")

    def _wait_for_turn(self) -> None:
        if not self._patience.per_s:
            return
        with self._turn:
            now = time.monotonic()
            self._room = min(BURST, self._room + (now - self._room_at) * self._patience.per_s) - 1
            self._room_at = now
            wait_s = -self._room / self._patience.per_s
        if wait_s > 0:
            time.sleep(wait_s)


def read_event(raw_body: bytes, signature: str, secrets: Iterable[str], *, now: datetime) -> facts.Event:
    """Verify and read a delivered event, signed with any of the secrets, not more than five minutes off either way.

    Raises  ForgedEvent: anything else; nobody is told what.
    """
    try:
        signed_at = int(next(part for part in signature.split(",") if part.startswith("t="))[2:])
        if abs(now.timestamp() - signed_at) > SKEW_S or not any(
            _is_signed(raw_body, signature, secret) for secret in secrets
        ):
            raise ForgedEvent
        return facts.read_event(json.loads(raw_body))
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration, OverflowError) as error:
        raise ForgedEvent from error


def _is_signed(raw_body: bytes, signature: str, secret: str) -> bool:
    try:
        return bool(stripe.WebhookSignature.verify_header(raw_body, signature, secret, None))
    except stripe.SignatureVerificationError:
        return False


def _translated(error: stripe.StripeError) -> Exception:
    """Stripe's refusal as ours. The text may be shown; keys and ids of requests stay out of it."""
    if isinstance(error, stripe.CardError):
        return PaymentRefused(error.user_message or "", code=error.code or "card_declined")
    if isinstance(error, stripe.InvalidRequestError):
        if error.code == "resource_missing":
            return MissingAtStripe(error.param or "")
        return PaymentRefused(error.user_message or "", code=error.code or "refused", param=error.param or "")
    if isinstance(error, stripe.IdempotencyError):
        return PaymentRefused(error.user_message or "", code="idempotency_error")
    return PaymentsAway(cause=type(error).__name__, spends_key=(error.http_status or 0) >= SERVER_FAULT)


def _plain(answer: Any) -> Params:  # noqa: ANN401 an SDK object of any kind
    found: Params = answer.to_dict(for_json=True)  # decimals as text, as Stripe sends them
    return found


@cache
def _gateway(base: str, key: str, patience: Patience) -> Gateway:
    return Gateway(base, key, patience)
