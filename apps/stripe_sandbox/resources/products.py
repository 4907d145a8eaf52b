"""Products: what a price is a price of."""

from apps.stripe_sandbox import clock, events, ids, lists, store
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import invalid
from apps.stripe_sandbox.operations import NOTHING, Operation
from apps.stripe_sandbox.parameters import (
    PAGING,
    RANGE,
    boolean,
    clearable,
    fields,
    free_map,
    list_of,
    merge_metadata,
    text,
)

COMMON = {
    "active": boolean,
    "description": clearable(text),
    "images": list_of(text),
    "marketing_features": list_of(fields({"name": text}, ("name",))),
    "metadata": free_map,
    "name": text,
    "shippable": boolean,
    "statement_descriptor": text,
    "tax_code": clearable(text),
    "unit_label": clearable(text),
    "url": clearable(text),
}


def create(params: Document) -> Document:
    """Make a product; an `id` of the caller's choice is taken over."""
    now, key = clock.now(), params.get("id") or ids.new("prod")
    if store.find("product", key):
        raise invalid("Product already exists.", "id", "resource_already_exists")
    product: Document = {
        "id": key,
        "object": "product",
        "active": True,
        "created": now,
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "name": "",
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "unit_label": None,
        "updated": now,
        "url": None,
        **params,
        "metadata": merge_metadata(None, params.get("metadata")),
    }
    return events.create("product.created", product)


def retrieve(key: str, params: Document) -> Document:
    """Give one product."""
    return store.get("product", key)


def update(key: str, params: Document) -> Document:
    """Change a product."""
    before = store.get("product", key)
    after = {**before, **params, "metadata": merge_metadata(before["metadata"], params.get("metadata"))}
    if after != before:
        after["updated"] = clock.now()
    return events.update("product.updated", before, after)


def delete(key: str, params: Document) -> Document:
    """Delete a product that has no price."""
    product = store.get("product", key)
    if store.select("price", body__product=key).exists():
        raise invalid("This product cannot be deleted because it has one or more user-created prices.", "id")
    store.remove(product)
    events.emit("product.deleted", product)
    return {"id": key, "object": "product", "deleted": True}


def list_all(params: Document) -> Document:
    """List products."""
    rows = store.select("product", body__active=params.get("active"), body__url=params.get("url"))
    if "ids" in params:
        rows = rows.filter(key__in=params["ids"])
    return lists.page(rows, params, "/v1/products", kind="product")


OPERATIONS = [
    Operation("POST", "/v1/products", create, fields({"id": text, **COMMON}, ("name",))),
    Operation(
        "GET",
        "/v1/products",
        list_all,
        fields({**PAGING, "active": boolean, "created": RANGE, "ids": list_of(text), "url": text}),
    ),
    Operation("GET", "/v1/products/{}", retrieve, NOTHING),
    Operation("POST", "/v1/products/{}", update, fields({**COMMON, "default_price": text})),
    Operation("DELETE", "/v1/products/{}", delete, NOTHING),
]
