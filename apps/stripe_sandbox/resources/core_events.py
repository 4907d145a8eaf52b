"""Thin events over v2: each snapshot event has one, and a few have no snapshot."""

from typing import TYPE_CHECKING

from django.db.models import Q

from apps.stripe_sandbox import clock, store, thin_events
from apps.stripe_sandbox.documents import Document, public
from apps.stripe_sandbox.errors import invalid, missing_object
from apps.stripe_sandbox.models import StoredObject
from apps.stripe_sandbox.operations import NOTHING, Operation
from apps.stripe_sandbox.parameters import fields, integer, list_of, moment_text, text
from apps.stripe_sandbox.resources.events import KEPT_S

if TYPE_CHECKING:
    from django.db.models import QuerySet

DEFAULT_LIMIT, LARGEST_LIMIT = 20, 100
SPAN = fields(dict.fromkeys(("gt", "gte", "lt", "lte"), moment_text))
LIST = fields({"created": SPAN, "limit": integer, "object_id": text, "page": integer, "types": list_of(text)})
THIN, SNAPSHOT = "v2.core.event", "event"


def retrieve(key: str, params: Document) -> Document:
    """Give one event, with what only a fetched one has."""
    native = store.find(THIN, key)
    if native:
        return native
    snapshot = store.find(SNAPSHOT, thin_events.snapshot_id(key)) if key.startswith(thin_events.THIN) else None
    if snapshot is None:
        raise missing_object("event", key, "id")
    return thin_events.of_snapshot(snapshot)


def list_all(params: Document) -> Document:
    """List events but those of quiet clocks, newest first."""
    limit = params.get("limit", DEFAULT_LIMIT)
    if not 1 <= limit <= LARGEST_LIMIT:
        raise invalid(f"Invalid integer: {limit}", "limit", "parameter_invalid_integer")
    rows = _matching(params)
    if "page" in params:
        rows = rows.filter(seq__lt=params["page"])
    found = list(rows[: limit + 1])
    more = f"/v2/core/events?limit={limit}&page={found[limit - 1].seq}" if len(found) > limit else None
    return {"data": [_thin(row) for row in found[:limit]], "next_page_url": more, "previous_page_url": None}


def _matching(params: Document) -> "QuerySet[StoredObject]":
    rows = StoredObject.objects.filter(kind__in=(THIN, SNAPSHOT), clock="", created__gte=clock.now() - KEPT_S)
    for name, moment in params.get("created", {}).items():
        rows = rows.filter(**{f"created__{name}": moment})
    if "types" in params:
        snapshots = [each.removeprefix("v1.") for each in params["types"] if each.startswith("v1.")]
        native = Q(kind=THIN, body__type__in=params["types"])
        rows = rows.filter(native | Q(kind=SNAPSHOT, body__type__in=snapshots))
    if "object_id" in params:
        key = params["object_id"]
        rows = rows.filter(Q(body__data__object__id=key) | Q(body__related_object__id=key))
    return rows.order_by("-seq")


def _thin(row: StoredObject) -> Document:
    return public(row.body) if row.kind == THIN else thin_events.of_snapshot(row.body)


OPERATIONS = [
    Operation("GET", "/v2/core/events", list_all, LIST),
    Operation("GET", "/v2/core/events/{}", retrieve, NOTHING),
]
