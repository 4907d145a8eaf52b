"""Events as Stripe would deliver them, signed as Stripe signs."""

import hashlib
import hmac
import json

from django.test import Client

from tests.build import NOW

SECRET = "whsec_tests"


def body(key="evt_1", customer="cus_1", kind="customer.subscription.updated", **fields):
    """The bytes of an event about a subscription; `fields` replace what stands at its top."""
    event = {
        "id": key,
        "object": "event",
        "type": kind,
        "created": int(NOW.timestamp()),
        "livemode": False,
        "api_version": "2026-10-28.endive",
        "data": {"object": {"id": "sub_1", "object": "subscription", "customer": customer}},
    }
    return json.dumps({**event, **fields}).encode()


def sign(raw, *, at=NOW, secret=SECRET):
    """The header that goes with these bytes."""
    stamp = int(at.timestamp())
    mac = hmac.new(secret.encode(), b"%d." % stamp + raw, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={mac}"


def post(raw, signature):
    """Deliver to our address as a stranger without cookies."""
    headers = {"Stripe-Signature": signature}
    client = Client(enforce_csrf_checks=True)
    return client.post("/billing/webhook", raw, content_type="application/json", headers=headers)
