"""Refunds over the API."""

from apps.stripe_sandbox import events, lists, refunds, store
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import invalid
from apps.stripe_sandbox.operations import NOTHING, Operation
from apps.stripe_sandbox.parameters import (
    PAGING,
    RANGE,
    fields,
    free_map,
    integer,
    merge_metadata,
    one_of,
    text,
)

CREATE = fields(
    {
        "amount": integer,
        "charge": text,
        "metadata": free_map,
        "payment_intent": text,
        "reason": one_of("duplicate", "fraudulent", "requested_by_customer"),
    }
)


def create(params: Document) -> Document:
    """Refund a charge, wholly or in part."""
    metadata = merge_metadata(None, params.get("metadata"))
    return refunds.refund(_charge(params), params.get("amount"), reason=params.get("reason"), metadata=metadata)


def _charge(params: Document) -> Document:
    if "charge" in params:
        charge = store.get("charge", params["charge"], param="charge", status=400)
        if params.get("payment_intent", charge["payment_intent"]) != charge["payment_intent"]:
            raise invalid(f"Charge {charge['id']} does not belong to this PaymentIntent.", "charge")
        return charge
    if "payment_intent" not in params:
        raise invalid("One of the following params should be provided for this request: payment_intent or charge.")
    intent = store.get("payment_intent", params["payment_intent"], param="payment_intent", status=400)
    if not intent["latest_charge"]:
        raise invalid(f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.")
    return store.read("charge", intent["latest_charge"])


def retrieve(key: str, params: Document) -> Document:
    """Give one refund."""
    return store.get("refund", key)


def update(key: str, params: Document) -> Document:
    """Change a refund's metadata."""
    before = store.get("refund", key)
    after = {**before, "metadata": merge_metadata(before["metadata"], params.get("metadata"))}
    return events.update("refund.updated", before, after)


def list_all(params: Document) -> Document:
    """List refunds."""
    names = {"body__charge": params.get("charge"), "body__payment_intent": params.get("payment_intent")}
    return lists.page(store.select("refund", **names), params, "/v1/refunds", kind="refund")


OPERATIONS = [
    Operation("POST", "/v1/refunds", create, CREATE),
    Operation(
        "GET", "/v1/refunds", list_all, fields({**PAGING, "charge": text, "created": RANGE, "payment_intent": text})
    ),
    Operation("GET", "/v1/refunds/{}", retrieve, NOTHING),
    Operation("POST", "/v1/refunds/{}", update, fields({"metadata": free_map})),
]
