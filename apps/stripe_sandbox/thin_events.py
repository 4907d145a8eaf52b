"""Thin events: what happened, without the object as it was; its id and address are enough to fetch it."""

from datetime import UTC, datetime

from apps.stripe_sandbox import calls, clock, ids, outgoing, store, validation
from apps.stripe_sandbox.documents import Document

# Stripe's `object` → where its objects are fetched.
PATHS = {
    "billing.meter": "/v1/billing/meters/{}",
    "billing_portal.configuration": "/v1/billing_portal/configurations/{}",
    "billing_portal.session": "/v1/billing_portal/sessions/{}",
    "charge": "/v1/charges/{}",
    "checkout.session": "/v1/checkout/sessions/{}",
    "coupon": "/v1/coupons/{}",
    "credit_note": "/v1/credit_notes/{}",
    "customer": "/v1/customers/{}",
    "dispute": "/v1/disputes/{}",
    "entitlements.active_entitlement_summary": "/v1/entitlements/active_entitlements",
    "invoice": "/v1/invoices/{}",
    "invoice_payment": "/v1/invoice_payments/{}",
    "payment_intent": "/v1/payment_intents/{}",
    "payment_method": "/v1/payment_methods/{}",
    "price": "/v1/prices/{}",
    "product": "/v1/products/{}",
    "promotion_code": "/v1/promotion_codes/{}",
    "refund": "/v1/refunds/{}",
    "setup_intent": "/v1/setup_intents/{}",
    "subscription": "/v1/subscriptions/{}",
    "subscription_schedule": "/v1/subscription_schedules/{}",
    "test_helpers.test_clock": "/v1/test_helpers/test_clocks/{}",
}
SNAPSHOT, THIN = "evt_", "evt_test_"


def written(moment: int) -> str:
    """Write a moment as v2 does: RFC 3339, UTC, milliseconds."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def of_snapshot(event: Document) -> Document:
    """Give the thin form of a snapshot event."""
    related = event["data"]["object"]
    return {
        "id": THIN + event["id"].removeprefix(SNAPSHOT),
        "object": "v2.core.event",
        "context": None,
        "created": written(event["created"]),
        "livemode": False,
        "reason": _reason(event["request"]["id"], event["request"]["idempotency_key"]),
        "related_object": relate(related["object"], related.get("id")),
        "snapshot_event": event["id"],
        "type": f"v1.{event['type']}",
    }


def snapshot_id(key: str) -> str:
    """Give the id of the snapshot event that a thin one belongs to."""
    return SNAPSHOT + key.removeprefix(THIN)


def relate(kind: str, key: str | None) -> Document | None:
    """Name an object and where it is fetched; nothing for what has no id, such as an upcoming invoice."""
    if key is None or kind not in PATHS:
        return None
    return {"id": key, "type": kind, "url": PATHS[kind].format(key)}


def emit(kind: str, related: Document | None, data: Document) -> Document:
    """Write an event that has no snapshot, and a letter to each endpoint that takes thin ones.

    data  is only there when the event is fetched.
    """
    call, now = calls.current.get(), clock.now()
    event: Document = {
        "id": ids.new("evt_test"),
        "object": "v2.core.event",
        "context": None,
        "created": written(now),
        "data": data,
        "livemode": False,
        "reason": _reason(call.request_id, call.idempotency_key),
        "related_object": relate(related["object"], related["id"]) if related else None,
        "type": kind,
    }
    store.insert({**event, "_created": now})
    validation.check(event, f"event {kind}")
    outgoing.post_thin({name: value for name, value in event.items() if name != "data"})
    return event


def _reason(request: str | None, key: str | None) -> Document | None:
    if request is None:
        return None
    return {"type": "request", "request": {"id": request, "idempotency_key": key or ""}}
