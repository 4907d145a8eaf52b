"""How every call to Stripe is made: with our key, our patience, our exceptions. The only file that imports `stripe`."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import stripe
import structlog

from apps.billing.errors import MissingAtStripe, PaymentRefused, PaymentsAway
from apps.core import guards

log = structlog.get_logger(__name__)
SLOW_DOWN_S = 0.5
API_VERSION = str(stripe.api_version)  # what this SDK is made for, and what the endpoint should send
PAGE = 100
BURST = 40  # requests that a quiet job may make at once
SERVER_FAULT = 500
Params = Mapping[str, Any]  # Any: what the SDK's own TypedDicts describe


@dataclass(frozen=True)
class Patience:
    """How long a caller waits. `per_s` bounds background work, after a burst; 0 does not."""

    connect_s: float
    answer_s: float
    repeats: int  # of the SDK: lost connections, 409 and 5xx, with the same key
    slow_downs: int  # of ours: 429, which the SDK does not repeat
    per_s: float


class Calls:
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

    def _pages(self, call: Callable[..., Any], params: Params, *path: str) -> Iterator[Params]:
        """Walk a list to its end."""
        asked: dict[str, Any] = {"limit": PAGE, **params}
        while True:
            page = self._ask(call, asked, *path)
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


def is_signed(raw_body: bytes, signature: str, secret: str) -> bool:
    """Whether a delivery was signed with this secret, whenever that was."""
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
