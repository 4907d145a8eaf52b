"""Charges, the entries they leave in the balance, and setup intents: read over the API, made elsewhere."""

from apps.stripe_sandbox import events, lists, store
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.operations import NOTHING, Operation
from apps.stripe_sandbox.parameters import PAGING, RANGE, fields, free_map, merge_metadata, text


def setup_intent(key: str, params: Document) -> Document:
    """Give one setup intent."""
    return store.get("setup_intent", key, param="intent")


def charge(key: str, params: Document) -> Document:
    """Give one charge."""
    return store.get("charge", key)


def update_charge(key: str, params: Document) -> Document:
    """Change a charge's notes."""
    before = store.get("charge", key)
    after = {**before, **params, "metadata": merge_metadata(before["metadata"], params.get("metadata"))}
    return events.update("charge.updated", before, after)


def list_charges(params: Document) -> Document:
    """List charges."""
    names = {"customer": params.get("customer"), "body__payment_intent": params.get("payment_intent")}
    return lists.page(store.select("charge", **names), params, "/v1/charges", kind="charge")


def balance_transaction(key: str, params: Document) -> Document:
    """Give one entry of the balance."""
    return store.get("balance_transaction", key)


OPERATIONS = [
    Operation("GET", "/v1/setup_intents/{}", setup_intent, NOTHING),
    Operation(
        "GET",
        "/v1/charges",
        list_charges,
        fields({**PAGING, "created": RANGE, "customer": text, "payment_intent": text}),
    ),
    Operation("GET", "/v1/charges/{}", charge, NOTHING),
    Operation("POST", "/v1/charges/{}", update_charge, fields({"description": text, "metadata": free_map})),
    Operation("GET", "/v1/balance_transactions/{}", balance_transaction, NOTHING),
]
