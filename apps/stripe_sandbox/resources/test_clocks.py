"""Test clocks: a time of their own for up to three customers, moved by hand."""

from apps.stripe_sandbox import advancing, clock, endings, events, ids, lists, store
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import invalid
from apps.stripe_sandbox.operations import NOTHING, Operation
from apps.stripe_sandbox.parameters import (
    PAGING,
    fields,
    text,
    timestamp,
)

KEPT_S = 30 * 86400


def create(params: Document) -> Document:
    """Make a clock that stands still; it may take over a customer that is there."""
    made = open_clock(params["frozen_time"], params.get("name"))
    if "customer" in params:
        customer = store.get("customer", params["customer"], param="customer", status=400)
        if customer["test_clock"]:
            raise invalid("This customer is already attached to a test clock.", "customer")
        advancing.take_over(customer, made)
    return made


def open_clock(frozen_time: int, name: str | None, **own: str | bool) -> Document:
    """Keep a new clock; `own` is what Stripe's clocks have not, under names that begin with an underscore."""
    now = clock.now()
    made: Document = {
        "id": ids.new("clock"),
        "object": "test_helpers.test_clock",
        "created": now,
        "deletes_after": now + KEPT_S,
        "frozen_time": frozen_time,
        "livemode": False,
        "name": name,
        "status": "ready",
        "status_details": {},
        **own,
    }
    return events.create("test_helpers.test_clock.created", made)


def retrieve(key: str, params: Document) -> Document:
    """Give one clock."""
    return store.get("test_helpers.test_clock", key, param="test_clock")


def advance(key: str, params: Document) -> Document:
    """Move a clock forward; the work is done when the answer leaves, which still says “advancing”."""
    made = store.get("test_helpers.test_clock", key, param="test_clock")
    return advancing.advance(made, params["frozen_time"])


def delete(key: str, params: Document) -> Document:
    """Remove a clock together with its customers and their subscriptions."""
    made = store.get("test_helpers.test_clock", key, param="test_clock")
    for subscription in store.documents(store.select("subscription", clock=key)):
        if subscription["status"] not in ("canceled", "incomplete_expired"):
            endings.cancel(subscription, None, now=made["frozen_time"])
    for customer in store.documents(store.select("customer", clock=key)):
        store.remove(store.read("customer", customer["id"]))
        events.emit("customer.deleted", customer)
    store.remove(made)
    events.emit("test_helpers.test_clock.deleted", made)
    return {"id": key, "object": "test_helpers.test_clock", "deleted": True}


def list_all(params: Document) -> Document:
    """List clocks."""
    rows = store.select("test_helpers.test_clock")
    return lists.page(rows, params, "/v1/test_helpers/test_clocks", kind="test_helpers.test_clock")


OPERATIONS = [
    Operation(
        "POST",
        "/v1/test_helpers/test_clocks",
        create,
        fields({"customer": text, "frozen_time": timestamp, "name": text}, ("frozen_time",)),
    ),
    Operation("GET", "/v1/test_helpers/test_clocks", list_all, fields(PAGING)),
    Operation("GET", "/v1/test_helpers/test_clocks/{}", retrieve, NOTHING),
    Operation("DELETE", "/v1/test_helpers/test_clocks/{}", delete, NOTHING),
    Operation(
        "POST",
        "/v1/test_helpers/test_clocks/{}/advance",
        advance,
        fields({"frozen_time": timestamp}, ("frozen_time",)),
    ),
]
