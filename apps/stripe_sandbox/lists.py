"""Lists: newest first, cut by cursors."""

from typing import TYPE_CHECKING

from apps.stripe_sandbox.documents import Document, list_of, public
from apps.stripe_sandbox.errors import invalid, missing_object
from apps.stripe_sandbox.models import StoredObject

if TYPE_CHECKING:
    from django.db.models import QuerySet

DEFAULT_LIMIT, LARGEST_LIMIT = 10, 100


def _limit(params: Document) -> int:
    limit = int(params.get("limit", DEFAULT_LIMIT))
    if not 1 <= limit <= LARGEST_LIMIT:
        raise invalid(f"Invalid integer: {limit}", "limit", "parameter_invalid_integer")
    return limit


def page(rows: "QuerySet[StoredObject]", params: Document, url: str, *, kind: str) -> Document:
    """Give one page of rows, after `starting_after` or before `ending_before`, and whether there is more.

    Raises  StripeError 400: a limit outside 1 to 100, or a cursor that is no such object.
    """
    limit = _limit(params)
    if "created" in params:
        rows = _within(rows, params["created"])
    if "starting_after" in params:
        rows = rows.filter(seq__lt=_position(kind, params["starting_after"], "starting_after"))
    if "ending_before" in params:
        newer = rows.filter(seq__gt=_position(kind, params["ending_before"], "ending_before")).order_by("seq")
        found = list(newer[: limit + 1])
        data = [public(row.body) for row in reversed(found[:limit])]
    else:
        found = list(rows[: limit + 1])
        data = [public(row.body) for row in found[:limit]]
    return list_of(data, url, has_more=len(found) > limit)


def page_of_documents(data: list[Document], params: Document, url: str) -> Document:
    """Give one page of documents that live inside another one."""
    limit, keys = _limit(params), [each["id"] for each in data]
    begin, end = 0, len(data)
    for name in ("starting_after", "ending_before"):
        if name in params and params[name] not in keys:
            raise missing_object(data[0]["object"] if data else "item", params[name], name, status=400)
    if "starting_after" in params:
        begin = keys.index(params["starting_after"]) + 1
    if "ending_before" in params:
        end = keys.index(params["ending_before"])
        begin = max(0, end - limit)
        return list_of(data[begin:end], url, has_more=begin > 0)
    return list_of(data[begin : begin + limit], url, has_more=end - begin > limit)


def _position(kind: str, key: str, param: str) -> int:
    row = StoredObject.objects.filter(kind=kind, key=key).values_list("seq", flat=True).first()
    if row is None:
        raise missing_object(kind, key, param, status=400)
    return int(row)


def _within(rows: "QuerySet[StoredObject]", wanted: int | dict[str, int]) -> "QuerySet[StoredObject]":
    if isinstance(wanted, int):
        return rows.filter(created=wanted)
    for name, value in wanted.items():
        rows = rows.filter(**{f"created__{name}": value})
    return rows
