"""What happened: an event is written in the transaction that caused it, with the object as it is then."""

import json

from apps.stripe_sandbox import calls, clock, clocks, faults, ids, outgoing, store, thin_events, validation
from apps.stripe_sandbox.documents import API_VERSION, Document, changed_attributes, public


def emit(kind: str, body: Document, *, before: Document | None = None) -> Document:
    """Write an event and a letter to each endpoint that wants it; of what happens on a quiet clock, no letter.

    before  the object as it was, for events that end in “updated”; nothing changed, nothing is written.
    """
    data: Document = {"object": public(body)}
    if before is not None:
        data["previous_attributes"] = changed_attributes(public(before), public(body))
    call = calls.current.get()
    clock_id = clocks.clock_of(body)
    is_quiet = clocks.is_quiet(clock_id)
    endpoints = [] if is_quiet else outgoing.endpoints_for(kind)
    event: Document = {
        "id": ids.new("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": clock.now(),
        "data": data,
        "livemode": False,
        "pending_webhooks": len(endpoints),
        "request": {"id": call.request_id, "idempotency_key": call.idempotency_key},
        "type": kind,
        "_customer": body["id"] if body["object"] == "customer" else body.get("customer"),
        "_clock": clock_id if is_quiet else None,
    }
    store.insert(event)
    validation.check(public(event), f"event {kind}")
    for endpoint in endpoints:
        outgoing.post(_letter(event, endpoint, before), event, endpoint)
    return event


def create(kind: str, body: Document) -> Document:
    """Keep a new document and tell of it."""
    store.insert(body)
    emit(kind, body)
    return body


def update(kind: str, before: Document, after: Document) -> Document:
    """Write a changed document and tell of it, if anything that can be seen changed."""
    store.save(after)
    if public(before) != public(after):
        emit(kind, after, before=before)
    return after


def _letter(event: Document, endpoint: Document, before: Document | None) -> str:
    if endpoint.get("_is_thin"):
        thin = thin_events.of_snapshot(event)
        validation.check(thin, f"thin event {event['type']}")
        return json.dumps(thin, indent=2)
    body = public(event)
    kind, customer = event["type"], event["_customer"]
    if before is not None and faults.take("webhook_stale", kind, customer):
        body = {**body, "data": {**body["data"], "object": public(before)}}
    other = faults.take("webhook_version", kind, customer)
    body["api_version"] = other.params.get("version", "2024-06-20") if other else endpoint["api_version"] or API_VERSION
    if faults.take("webhook_livemode", kind, customer):
        body["livemode"] = True
    return json.dumps(body, indent=2, ensure_ascii=False)
