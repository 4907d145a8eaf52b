"""Promotion codes over the API: the word that a buyer types to redeem a coupon."""

from apps.stripe_sandbox import clock, discounts, events, ids, lists, store
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import invalid
from apps.stripe_sandbox.operations import NOTHING, Operation
from apps.stripe_sandbox.parameters import (
    PAGING,
    RANGE,
    boolean,
    fields,
    free_map,
    merge_metadata,
    natural,
    one_of,
    text,
    timestamp,
)
from apps.stripe_sandbox.resources.coupons import positive
from apps.stripe_sandbox.resources.prices import currency

RESTRICTIONS = fields(
    {"first_time_transaction": boolean, "minimum_amount": natural, "minimum_amount_currency": currency}
)
CREATE = fields(
    {
        "active": boolean,
        "code": text,
        "customer": text,
        "expires_at": timestamp,
        "max_redemptions": positive,
        "metadata": free_map,
        "promotion": fields({"coupon": text, "type": one_of("coupon")}, ("type",)),
        "restrictions": RESTRICTIONS,
    },
    ("promotion",),
)


def create(params: Document) -> Document:
    """Make a code for a coupon; without a word of the caller's one is thrown."""
    if "coupon" not in params["promotion"]:
        raise invalid("Missing required param: promotion[coupon].", "promotion[coupon]", "parameter_missing")
    coupon = store.get("coupon", params["promotion"]["coupon"], param="promotion[coupon]", status=400)
    if "customer" in params:
        store.get("customer", params["customer"], param="customer", status=400)
    code = params.get("code") or ids.word(8).upper()
    if discounts.find_code(code):
        message = f"An active promotion code with `code: {code}` already exists."
        raise invalid(message, "code", "resource_already_exists")
    limits = params.get("restrictions", {})
    if ("minimum_amount" in limits) != ("minimum_amount_currency" in limits):
        name = "restrictions[minimum_amount_currency]"
        raise invalid("A minimum amount and its currency belong together.", name, "parameter_missing")
    made: Document = {
        "id": ids.new("promo"),
        "object": "promotion_code",
        "active": params.get("active", True),
        "code": code,
        "created": clock.now(),
        "customer": params.get("customer"),
        "expires_at": params.get("expires_at") or coupon["redeem_by"],
        "livemode": False,
        "max_redemptions": params.get("max_redemptions"),
        "metadata": merge_metadata(None, params.get("metadata")),
        "promotion": {"coupon": coupon["id"], "type": "coupon"},
        "restrictions": {
            "first_time_transaction": limits.get("first_time_transaction", False),
            "minimum_amount": limits.get("minimum_amount"),
            "minimum_amount_currency": limits.get("minimum_amount_currency"),
        },
        "times_redeemed": 0,
    }
    return events.create("promotion_code.created", made)


def shown(code: Document) -> Document:
    """Give a code with whether it can be redeemed at this moment."""
    return {**code, "active": discounts.is_active(code, now=clock.now())}


def retrieve(key: str, params: Document) -> Document:
    """Give one code."""
    return shown(store.get("promotion_code", key, param="promotion_code"))


def update(key: str, params: Document) -> Document:
    """Turn a code off and on, or change its metadata.

    Raises  StripeError 400: it is used up or over, and cannot be turned on again.
    """
    before = store.get("promotion_code", key, param="promotion_code")
    after = {**before, "active": params.get("active", before["active"])}
    after["metadata"] = merge_metadata(before["metadata"], params.get("metadata"))
    if params.get("active") and not discounts.is_active(after, now=clock.now()):
        raise invalid("This promotion code is expired or used up and cannot be activated.", "active")
    return shown(events.update("promotion_code.updated", before, after))


def list_all(params: Document) -> Document:
    """List codes."""
    rows = store.select(
        "promotion_code",
        customer=params.get("customer"),
        body__active=params.get("active"),
        body__code__iexact=params.get("code"),
        body__promotion__coupon=params.get("coupon"),
    )
    listed = lists.page(rows, params, "/v1/promotion_codes", kind="promotion_code")
    return {**listed, "data": [shown(code) for code in listed["data"]]}


OPERATIONS = [
    Operation("POST", "/v1/promotion_codes", create, CREATE),
    Operation(
        "GET",
        "/v1/promotion_codes",
        list_all,
        fields({**PAGING, "active": boolean, "code": text, "coupon": text, "created": RANGE, "customer": text}),
    ),
    Operation("GET", "/v1/promotion_codes/{}", retrieve, NOTHING),
    Operation("POST", "/v1/promotion_codes/{}", update, fields({"active": boolean, "metadata": free_map})),
]
