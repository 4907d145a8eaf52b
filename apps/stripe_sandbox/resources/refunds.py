"""Refunds: money goes back, the subscription does not end."""

from apps.stripe_sandbox import clocks, events, ids, lists, store
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


def create(params: Document) -> Document:
    """Refund a charge, wholly or in part."""
    charge = _charge(params)
    left = charge["amount"] - charge["amount_refunded"]
    amount = params.get("amount", left)
    if left == 0:
        raise invalid(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    if not 0 < amount <= left:
        raise invalid(f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})", "amount")
    customer = store.find("customer", charge["customer"])
    refund: Document = {
        "id": ids.new("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": clocks.time_of_customer(customer),
        "currency": charge["currency"],
        "metadata": merge_metadata(None, params.get("metadata")),
        "payment_intent": charge["payment_intent"],
        "reason": params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }
    after = {**charge, "amount_refunded": charge["amount_refunded"] + amount, "refunded": amount == left}
    events.create("refund.created", refund)
    events.update("charge.refunded", charge, after)
    return refund


def _charge(params: Document) -> Document:
    if "charge" in params:
        charge = store.get("charge", params["charge"], param="charge", status=400)
    elif "payment_intent" in params:
        intent = store.get("payment_intent", params["payment_intent"], param="payment_intent", status=400)
        if not intent["latest_charge"]:
            raise invalid(f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.")
        charge = store.read("charge", intent["latest_charge"])
    else:
        raise invalid("One of the following params should be provided for this request: payment_intent or charge.")
    if charge["status"] != "succeeded":
        raise invalid(f"This charge ({charge['id']}) has not succeeded and cannot be refunded.", "charge")
    return charge


def retrieve(key: str, params: Document) -> Document:
    """Give one refund."""
    return store.get("refund", key)


def list_all(params: Document) -> Document:
    """List refunds."""
    names = {"body__charge": params.get("charge"), "body__payment_intent": params.get("payment_intent")}
    return lists.page(store.select("refund", **names), params, "/v1/refunds", kind="refund")


OPERATIONS = [
    Operation(
        "POST",
        "/v1/refunds",
        create,
        fields(
            {
                "amount": integer,
                "charge": text,
                "metadata": free_map,
                "payment_intent": text,
                "reason": one_of("duplicate", "fraudulent", "requested_by_customer"),
            }
        ),
    ),
    Operation(
        "GET", "/v1/refunds", list_all, fields({**PAGING, "charge": text, "created": RANGE, "payment_intent": text})
    ),
    Operation("GET", "/v1/refunds/{}", retrieve, NOTHING),
]
