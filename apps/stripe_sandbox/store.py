"""Where documents are kept and found."""

from django.db.models import Q, QuerySet

from apps.stripe_sandbox import moments
from apps.stripe_sandbox.documents import Document, Json
from apps.stripe_sandbox.errors import missing_object
from apps.stripe_sandbox.models import StoredObject


def _columns(body: Document) -> Document:
    customer = body["id"] if body["object"] == "customer" else body.get("customer", body.get("_customer"))
    clock = body["id"] if body["object"] == "test_helpers.test_clock" else body.get("test_clock", body.get("_clock"))
    due_at = None if body.get("_deleted") else moments.earliest(body)
    return {"customer": customer or "", "clock": clock or "", "due_at": due_at, "body": body}


def insert(body: Document) -> Document:
    """Keep a new document."""
    created = body.get("_created", body.get("created", 0))
    StoredObject.objects.create(key=body["id"], kind=body["object"], created=created, **_columns(body))
    return body


def save(body: Document) -> Document:
    """Write a document that is already kept."""
    StoredObject.objects.filter(key=body["id"]).update(**_columns(body))
    return body


def find(kind: str, key: str | None) -> Document | None:
    """Give the document with this id, deleted ones too, or nothing."""
    if not key:
        return None
    bodies = StoredObject.objects.filter(key=key, kind=kind).values_list("body", flat=True)
    return next(iter(bodies), None)


def read(kind: str, key: str) -> Document:
    """Give a document that must be there: its id comes from another document."""
    body = find(kind, key)
    if body is None:
        raise StoredObject.DoesNotExist(f"{kind} {key}")
    return body


def get(kind: str, key: str, *, param: str = "id", status: int = 404) -> Document:
    """Give a document that a caller named.

    Raises  StripeError “No such …”: unknown or deleted; 404 for the id in the path, 400 for a parameter.
    """
    body = find(kind, key)
    if body is None or body.get("_deleted"):
        raise missing_object(kind, key, param, status=status)
    return body


def select(kind: str, *conditions: Q, **values: Json) -> "QuerySet[StoredObject]":
    """Give the rows of a kind, newest first; `values` with None are no condition.

    Names are columns (`customer`, `clock`) or paths into the body (`body__status`).
    """
    given = {name: value for name, value in values.items() if value is not None}
    rows = StoredObject.objects.filter(*conditions, kind=kind, **given)
    return rows.exclude(body__has_key="_deleted").order_by("-seq")


def clocks_of(keys: list[str]) -> set[str]:
    """Give the test clocks that these objects live on."""
    return set(StoredObject.objects.filter(key__in=keys).exclude(clock="").values_list("clock", flat=True))


def first_due(clock: str) -> list[Document]:
    """Give what is due next on a clock, all of one and the same moment, the newest first; an empty id is real time."""
    rows = StoredObject.objects.filter(clock=clock, due_at__isnull=False)
    earliest = rows.order_by("due_at").values_list("due_at", flat=True).first()
    return [] if earliest is None else documents(rows.filter(due_at=earliest).order_by("-seq"))


def documents(rows: "QuerySet[StoredObject]") -> list[Document]:
    """Read rows into documents."""
    return list(rows.values_list("body", flat=True))


def remove(body: Document) -> Document:
    """Mark a document as deleted; its id answers so from now on where Stripe says so."""
    return save({**body, "_deleted": True})


def forget(body: Document) -> None:
    """Drop a document altogether."""
    StoredObject.objects.filter(key=body["id"]).delete()
