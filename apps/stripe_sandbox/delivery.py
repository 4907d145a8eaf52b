"""How letters are delivered: signed anew at each attempt, repeated when they are not accepted."""

from concurrent.futures import ThreadPoolExecutor

import httpx
from django.db import connections, transaction

from apps.stripe_sandbox import clock, signatures, store
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.models import Delivery

TIMEOUT_S = 10
# Seconds until the next attempt, by the number of attempts made; then hourly up to twelve times.
WAITS_S = (2, 10, 60, 300, *(3600,) * 12)
ROLLED_S = 24 * 3600


def due(limit: int = 20) -> list[Delivery]:
    """List the letters whose moment has come."""
    return list(Delivery.objects.filter(state="pending", next_at__lte=clock.precise_now()).order_by("next_at")[:limit])


def pending() -> list[Delivery]:
    """List all letters that wait, in the order in which the weather would bring them."""
    return list(Delivery.objects.filter(state="pending").order_by("next_at", "id"))


def is_waiting() -> bool:
    """Say whether any letter waits."""
    return Delivery.objects.filter(state="pending").exists()


def attempt(letter: Delivery, http: httpx.Client) -> Delivery:
    """Send one letter and write down what came back. Redirects are not followed; anything but 2xx is a failure."""
    endpoint = store.find("webhook_endpoint", letter.endpoint)
    if endpoint is None or endpoint.get("_deleted"):
        return _close(letter, Delivery.State.FAILED)
    moment = clock.now()
    secrets = ["whsec_wrong"] if letter.has_wrong_signature else _secrets(endpoint, moment)
    letter.signature = signatures.header(letter.body, moment + letter.skew_s, secrets)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Stripe/1.0 (local sandbox; not Stripe)",
        "Stripe-Signature": letter.signature,
    }
    letter.attempts += 1
    try:
        answer = http.post(endpoint["url"], content=letter.body.encode(), headers=headers)
        letter.answer_status, letter.answer_text = answer.status_code, answer.text[:2000]
    except httpx.HTTPError as problem:
        letter.answer_status, letter.answer_text = None, type(problem).__name__
    accepted = letter.answer_status is not None and 200 <= letter.answer_status < 300  # noqa: PLR2004  HTTP's own numbers
    if accepted:
        return _close(letter, Delivery.State.SUCCEEDED)
    if letter.attempts > len(WAITS_S):
        return _close(letter, Delivery.State.FAILED)
    letter.next_at = clock.precise_now() + WAITS_S[letter.attempts - 1]
    return _write(letter)


def _secrets(endpoint: Document, moment: int) -> list[str]:
    if "_rolled_secret" in endpoint and moment < endpoint["_rolled_at"] + ROLLED_S:
        return [endpoint["_secret"], endpoint["_rolled_secret"]]
    return [endpoint["_secret"]]


@transaction.atomic
def _close(letter: Delivery, state: Delivery.State) -> Delivery:
    letter.state = state
    _write(letter)
    event = store.find("event", letter.event)
    others = Delivery.objects.filter(event=letter.event, endpoint=letter.endpoint, state="succeeded").exclude(
        id=letter.id
    )
    if event and state == Delivery.State.SUCCEEDED and not others.exists():
        store.save({**event, "pending_webhooks": max(0, event["pending_webhooks"] - 1)})
    return letter


def _write(letter: Delivery) -> Delivery:
    """Write what an attempt changed; a letter that was forgotten meanwhile stays forgotten."""
    names = ("state", "attempts", "next_at", "signature", "answer_status", "answer_text")
    Delivery.objects.filter(id=letter.id).update(**{name: getattr(letter, name) for name in names})
    return letter


def open_client() -> httpx.Client:
    """Make the client that carries the letters: no proxies, no redirects."""
    return httpx.Client(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False)


def deliver_now(limit: int | None = None) -> list[Delivery]:
    """Attempt every waiting letter once, whatever its moment, in the order of the weather."""
    with open_client() as http:
        return [attempt(letter, http) for letter in pending()[:limit]]


def deliver_due(http: httpx.Client, pool: ThreadPoolExecutor) -> int:
    """Attempt the letters that are due, a few at a time, and say how many there were."""

    def carry(letter: Delivery) -> None:
        try:
            attempt(letter, http)
        finally:
            connections.close_all()

    letters = due()
    list(pool.map(carry, letters))
    return len(letters)
