"""Coupons over the API: an amount or a share off, for one invoice, some months, or for good."""

from decimal import Decimal

from apps.stripe_sandbox import clock, coupons, events, ids, lists, store
from apps.stripe_sandbox.documents import Document, Json, public
from apps.stripe_sandbox.errors import invalid
from apps.stripe_sandbox.operations import NOTHING, Operation
from apps.stripe_sandbox.parameters import (
    PAGING,
    RANGE,
    clearable,
    decimal,
    fields,
    free_map,
    list_of,
    merge_metadata,
    natural,
    one_of,
    text,
    timestamp,
)
from apps.stripe_sandbox.resources.prices import currency

WHOLE = 100


def positive(value: Json, name: str) -> int:
    """Read a whole number above 0."""
    number = natural(value, name)
    if number == 0:
        raise invalid("This value must be greater than or equal to 1.", name, "parameter_invalid_integer")
    return number


def percent(value: Json, name: str) -> Decimal:
    """Read a share of a whole, above 0."""
    number = decimal(value, name)
    if not 0 < number <= WHOLE:
        raise invalid("Invalid percent_off: must be greater than 0 and at most 100.", name)
    return number


CREATE = fields(
    {
        "amount_off": positive,
        "applies_to": fields({"products": list_of(text)}),
        "currency": currency,
        "duration": one_of("forever", "once", "repeating"),
        "duration_in_months": positive,
        "id": text,
        "max_redemptions": positive,
        "metadata": free_map,
        "name": text,
        "percent_off": percent,
        "redeem_by": timestamp,
    }
)
UPDATE = fields({"metadata": free_map, "name": clearable(text)})


def create(params: Document) -> Document:
    """Make a coupon; an `id` of the caller's choice is what is typed or named later."""
    if ("amount_off" in params) == ("percent_off" in params):
        raise invalid("You must pass either `percent_off` or `amount_off`, and not both.", "percent_off")
    if "amount_off" in params and "currency" not in params:
        raise invalid("Missing required param: currency.", "currency", "parameter_missing")
    duration = params.get("duration", "once")
    if (duration == "repeating") != ("duration_in_months" in params):
        message = "`duration_in_months` must be given with `duration=repeating`, and only then."
        raise invalid(message, "duration_in_months")
    key = params.get("id") or ids.word(8)
    if store.find("coupon", key):
        raise invalid("Coupon already exists.", "id", "resource_already_exists")
    for product in params.get("applies_to", {}).get("products", []):
        store.get("product", product, param="applies_to[products]", status=400)
    coupon: Document = {
        "id": key,
        "object": "coupon",
        "amount_off": params.get("amount_off"),
        "created": clock.now(),
        "currency": params["currency"] if "amount_off" in params else None,
        "duration": duration,
        "duration_in_months": params.get("duration_in_months"),
        "livemode": False,
        "max_redemptions": params.get("max_redemptions"),
        "metadata": merge_metadata(None, params.get("metadata")),
        "name": params.get("name"),
        "percent_off": float(params["percent_off"]) if "percent_off" in params else None,
        "redeem_by": params.get("redeem_by"),
        "times_redeemed": 0,
        "valid": True,
        "_applies_to": params.get("applies_to", {}).get("products"),
    }
    return events.create("coupon.created", coupon)


def shown(coupon: Document) -> Document:
    """Give a coupon with whether it is valid at this moment."""
    return {**coupon, "valid": coupons.is_valid(coupon, now=clock.now())}


def retrieve(key: str, params: Document) -> Document:
    """Give one coupon."""
    return shown(store.get("coupon", key, param="coupon"))


def update(key: str, params: Document) -> Document:
    """Change the name or the metadata; what a coupon takes off never changes."""
    before = store.get("coupon", key, param="coupon")
    after = {**before, "metadata": merge_metadata(before["metadata"], params.get("metadata"))}
    after["name"] = params.get("name", before["name"])
    return shown(events.update("coupon.updated", before, after))


def delete(key: str, params: Document) -> Document:
    """Delete a coupon: nobody can redeem it any more, who has it keeps it."""
    coupon = store.get("coupon", key, param="coupon")
    store.remove(coupon)
    events.emit("coupon.deleted", coupon)
    return {"id": key, "object": "coupon", "deleted": True}


def list_all(params: Document) -> Document:
    """List coupons."""
    listed = lists.page(store.select("coupon"), params, "/v1/coupons", kind="coupon")
    return {**listed, "data": [public(shown(coupon)) for coupon in listed["data"]]}


OPERATIONS = [
    Operation("POST", "/v1/coupons", create, CREATE),
    Operation("GET", "/v1/coupons", list_all, fields({**PAGING, "created": RANGE})),
    Operation("GET", "/v1/coupons/{}", retrieve, NOTHING),
    Operation("POST", "/v1/coupons/{}", update, UPDATE),
    Operation("DELETE", "/v1/coupons/{}", delete, NOTHING),
]
