"""Saved cards over the API."""

from apps.stripe_sandbox import clocks, events, lists, payment_methods, store
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import invalid
from apps.stripe_sandbox.operations import NOTHING, Operation
from apps.stripe_sandbox.parameters import PAGING, fields, one_of, text


def attach(key: str, params: Document) -> Document:
    """Save a card for a customer; an alias such as `pm_card_visa` makes a new card each time."""
    customer = store.get("customer", params["customer"], param="customer", status=400)
    now = clocks.time_of_customer(customer)
    method = payment_methods.get(key, param="payment_method", status=404, now=now)
    if method["customer"] not in (None, customer["id"]):
        raise invalid("The payment method you provided has already been attached to a customer.", "payment_method")
    return payment_methods.attach(method, customer)


def detach(key: str, params: Document) -> Document:
    """Let a card go; it cannot be used again, and nobody's default points to it."""
    method = store.get("payment_method", key, param="payment_method")
    if method["customer"] is None:
        message = "The payment method you provided is not attached to a customer so detachment is impossible."
        raise invalid(message, "payment_method")
    customer = store.read("customer", method["customer"])
    if customer["invoice_settings"]["default_payment_method"] == key:
        settings = {**customer["invoice_settings"], "default_payment_method": None}
        events.update("customer.updated", customer, {**customer, "invoice_settings": settings})
    after = {**method, "customer": None}
    return events.update("payment_method.detached", method, after)


def retrieve(key: str, params: Document) -> Document:
    """Give one card."""
    return store.get("payment_method", key, param="payment_method")


def list_all(params: Document) -> Document:
    """List the cards of a customer."""
    rows = store.select("payment_method", customer=params.get("customer", "-"), body__type=params.get("type"))
    return lists.page(rows, params, "/v1/payment_methods", kind="payment_method")


def list_of_customer(key: str, params: Document) -> Document:
    """List the cards of the customer in the path."""
    store.get("customer", key, param="customer")
    rows = store.select("payment_method", customer=key, body__type=params.get("type"))
    return lists.page(rows, params, f"/v1/customers/{key}/payment_methods", kind="payment_method")


OPERATIONS = [
    Operation("POST", "/v1/payment_methods/{}/attach", attach, fields({"customer": text}, ("customer",))),
    Operation("POST", "/v1/payment_methods/{}/detach", detach, NOTHING),
    Operation("GET", "/v1/payment_methods/{}", retrieve, NOTHING),
    Operation("GET", "/v1/payment_methods", list_all, fields({**PAGING, "customer": text, "type": one_of("card")})),
    Operation("GET", "/v1/customers/{}/payment_methods", list_of_customer, fields({**PAGING, "type": one_of("card")})),
]
