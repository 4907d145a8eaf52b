"""Events over the API: kept for 30 days."""

from apps.stripe_sandbox import clock, lists, store
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import invalid
from apps.stripe_sandbox.operations import NOTHING, Operation
from apps.stripe_sandbox.parameters import PAGING, RANGE, boolean, fields, list_of, text

KEPT_S = 30 * 86400


def retrieve(key: str, params: Document) -> Document:
    """Give one event."""
    return store.get("event", key)


def list_all(params: Document) -> Document:
    """List events but those of quiet clocks; `delivery_success=false` gives those that have not arrived everywhere."""
    if "type" in params and "types" in params:
        raise invalid("You may only specify one of these parameters: type, types.", "type")
    rows = store.select("event", clock="", created__gte=clock.now() - KEPT_S, body__type__in=params.get("types"))
    if "type" in params:
        wanted = params["type"]
        rows = (
            rows.filter(body__type__startswith=wanted[:-1]) if wanted.endswith("*") else rows.filter(body__type=wanted)
        )
    if "delivery_success" in params:
        arrived = {"body__pending_webhooks": 0}
        rows = rows.filter(**arrived) if params["delivery_success"] else rows.exclude(**arrived)
    return lists.page(rows, params, "/v1/events", kind="event")


OPERATIONS = [
    Operation(
        "GET",
        "/v1/events",
        list_all,
        fields({**PAGING, "created": RANGE, "delivery_success": boolean, "type": text, "types": list_of(text)}),
    ),
    Operation("GET", "/v1/events/{}", retrieve, NOTHING),
]
