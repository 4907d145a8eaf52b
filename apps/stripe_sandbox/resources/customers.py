"""Customers over the API."""

from apps.stripe_sandbox import clock, clocks, customers, endings, events, lists, payment_methods, store
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import invalid
from apps.stripe_sandbox.operations import NOTHING, Operation
from apps.stripe_sandbox.parameters import (
    ADDRESS,
    PAGING,
    RANGE,
    clearable,
    fields,
    free_map,
    integer,
    list_of,
    merge_metadata,
    one_of,
    text,
)

CUSTOMERS_PER_CLOCK = 3
COMMON = {
    "address": ADDRESS,
    "balance": integer,
    "description": clearable(text),
    "email": clearable(text),
    "invoice_prefix": text,
    "invoice_settings": fields({"default_payment_method": clearable(text), "footer": clearable(text)}),
    "metadata": free_map,
    "name": clearable(text),
    "next_invoice_sequence": integer,
    "phone": clearable(text),
    "preferred_locales": list_of(text),
    "tax_exempt": one_of("exempt", "none", "reverse"),
}


def create(params: Document) -> Document:
    """Make a customer, on a test clock and with a first card if asked for."""
    waiting = clocks.find_waiting(params.get("email"))
    if waiting and not params.get("test_clock"):
        params["test_clock"] = waiting["id"]
    now = _time_for_new(params.get("test_clock"))
    settings = params.pop("invoice_settings", {})
    card = params.pop("payment_method", None)
    params["metadata"] = merge_metadata(None, params.get("metadata"))
    customer = customers.open_customer(params, now=now)
    if card:
        method = payment_methods.get(card, param="payment_method", now=now)
        payment_methods.attach(method, customer)
        wanted = settings.get("default_payment_method")
        settings["default_payment_method"] = method["id"] if wanted in (None, card) else wanted
    if settings:
        customer = events.update("customer.updated", customer, _with_settings(customer, settings))
    return customer


def _time_for_new(clock_id: str | None) -> int:
    if not clock_id:
        return clock.now()
    store.get("test_helpers.test_clock", clock_id, param="test_clock", status=400)
    if store.select("customer", clock=clock_id).count() >= CUSTOMERS_PER_CLOCK:
        raise invalid(f"A test clock can have up to {CUSTOMERS_PER_CLOCK} customers.", "test_clock")
    return clocks.time_on(clock_id)


def _with_settings(customer: Document, settings: Document) -> Document:
    key = settings.get("default_payment_method")
    if key:
        param = "invoice_settings[default_payment_method]"
        method = store.get("payment_method", key, param=param, status=400)
        payment_methods.require_attached(method, customer, param)
    return {**customer, "invoice_settings": {**customer["invoice_settings"], **settings}}


def retrieve(key: str, params: Document) -> Document:
    """Give one customer; of a deleted one, only that."""
    found = store.find("customer", key)
    if found and found.get("_deleted"):
        return {"id": key, "object": "customer", "deleted": True}
    return store.get("customer", key)


def update(key: str, params: Document) -> Document:
    """Change a customer."""
    before = store.get("customer", key)
    settings = params.pop("invoice_settings", {})
    after = {**before, **params, "metadata": merge_metadata(before["metadata"], params.get("metadata"))}
    return events.update("customer.updated", before, _with_settings(after, settings))


def delete(key: str, params: Document) -> Document:
    """Delete a customer; subscriptions end at once."""
    customer = store.get("customer", key)
    now = clocks.time_of_customer(customer)
    for subscription in store.documents(store.select("subscription", customer=key)):
        if subscription["status"] not in ("canceled", "incomplete_expired"):
            endings.cancel(subscription, "cancellation_requested", now=now)
    store.remove(store.read("customer", key))
    events.emit("customer.deleted", customer)
    return {"id": key, "object": "customer", "deleted": True}


def list_all(params: Document) -> Document:
    """List customers."""
    clock_id = params.get("test_clock")
    rows = store.select("customer", body__email=params.get("email"), clock=clock_id)
    return lists.page(rows, params, "/v1/customers", kind="customer")


OPERATIONS = [
    Operation("POST", "/v1/customers", create, fields({**COMMON, "payment_method": text, "test_clock": text})),
    Operation(
        "GET", "/v1/customers", list_all, fields({**PAGING, "created": RANGE, "email": text, "test_clock": text})
    ),
    Operation("GET", "/v1/customers/{}", retrieve, NOTHING),
    Operation("POST", "/v1/customers/{}", update, fields(COMMON)),
    Operation("DELETE", "/v1/customers/{}", delete, NOTHING),
]
