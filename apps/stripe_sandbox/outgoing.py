"""Which letters are owed to whom, and when: the weather between the sandbox and the product."""

import json
import threading
from urllib.parse import urlsplit

from django.db import transaction

from apps.stripe_sandbox import clock, environment, faults, ids, store
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.models import Delivery

SHUFFLE_S = 0.8
DUPLICATES = 0.1
LOOPBACK = {"127.0.0.1", "localhost", "::1"}

awake = threading.Event()  # set when a letter is waiting, so that the worker need not look all the time


def is_loopback(url: str) -> bool:
    """Say whether an address is on this machine: nothing is ever sent anywhere else."""
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and parts.hostname in LOOPBACK


def endpoints_for(kind: str) -> list[Document]:
    """List the endpoints that want events of this type; those that take the thin form name it with `v1.` before it."""
    return [
        body
        for body in store.documents(store.select("webhook_endpoint", body__status="enabled"))
        if not {"*", f"v1.{kind}" if body.get("_is_thin") else kind}.isdisjoint(body["enabled_events"])
    ]


def post_thin(event: Document) -> None:
    """Owe an event that has no snapshot to each endpoint that takes the thin form."""
    for endpoint in endpoints_for(event["type"].removeprefix("v1.")):
        if endpoint.get("_is_thin"):
            post(json.dumps(event, indent=2), {**event, "_customer": None}, endpoint)


def post(text: str, event: Document, endpoint: Document) -> None:
    """Owe an endpoint this letter: later and perhaps twice, as the weather is; or not at all, as a fault says."""
    subjects = (event["type"], event["_customer"])
    if faults.take("webhook_drop", *subjects):
        return
    copies = 2 if faults.take("webhook_duplicate", *subjects) or (_is_rough() and ids.chance(DUPLICATES)) else 1
    for _ in range(copies):
        skew, forged = faults.take("webhook_clock", *subjects), faults.take("webhook_signature", *subjects)
        Delivery.objects.create(
            event=event["id"],
            event_type=event["type"],
            endpoint=endpoint["id"],
            body=text,
            next_at=clock.precise_now() + _wait_s(*subjects),
            skew_s=int(skew.params.get("seconds", -3600)) if skew else 0,
            has_wrong_signature=forged is not None,
        )
    transaction.on_commit(awake.set)


def _is_rough() -> bool:
    return not environment.read().is_calm


def _wait_s(*subjects: str | None) -> float:
    delayed = faults.take("webhook_delay", *subjects)
    if delayed:
        return float(delayed.params.get("seconds", 5))
    if faults.take("webhook_reorder", *subjects):
        return 2 + ids.between(0, 2)
    return ids.between(0, SHUFFLE_S) if _is_rough() else 0.0
