"""Payment intents, setup intents and charges: read only here, they are made by invoices and Checkout."""

from apps.stripe_sandbox import store
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.operations import NOTHING, Operation


def payment_intent(key: str, params: Document) -> Document:
    """Give one payment intent."""
    return store.get("payment_intent", key, param="intent")


def setup_intent(key: str, params: Document) -> Document:
    """Give one setup intent."""
    return store.get("setup_intent", key, param="intent")


def charge(key: str, params: Document) -> Document:
    """Give one charge."""
    return store.get("charge", key)


OPERATIONS = [
    Operation("GET", "/v1/payment_intents/{}", payment_intent, NOTHING),
    Operation("GET", "/v1/setup_intents/{}", setup_intent, NOTHING),
    Operation("GET", "/v1/charges/{}", charge, NOTHING),
]
