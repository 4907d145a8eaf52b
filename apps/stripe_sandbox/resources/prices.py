"""Prices: an amount that never changes, found by its lookup key."""

from decimal import Decimal

from apps.stripe_sandbox import clock, events, ids, items, lists, store
from apps.stripe_sandbox.documents import Document, Json, public
from apps.stripe_sandbox.errors import invalid
from apps.stripe_sandbox.operations import NOTHING, Operation
from apps.stripe_sandbox.parameters import (
    PAGING,
    RANGE,
    boolean,
    decimal,
    fields,
    free_map,
    integer,
    list_of,
    merge_metadata,
    one_of,
    text,
)
from apps.stripe_sandbox.resources import products


def currency(value: Json, name: str) -> str:
    """Read a currency's three letters."""
    code = text(value, name).lower()
    if len(code) != 3 or not code.isalpha():  # noqa: PLR2004  ISO 4217
        raise invalid(f"Invalid currency: {code}.", name)
    return code


MOST_DECIMALS = 12
INTERVAL = one_of("day", "week", "month", "year")
TAX = one_of("exclusive", "inclusive", "unspecified")
RECURRING = fields(
    {"interval": INTERVAL, "interval_count": integer, "meter": text, "usage_type": one_of("licensed", "metered")},
    ("interval",),
)
CREATE = fields(
    {
        "active": boolean,
        "billing_scheme": one_of("per_unit"),
        "currency": currency,
        "lookup_key": text,
        "metadata": free_map,
        "nickname": text,
        "product": text,
        "product_data": fields({"id": text, "metadata": free_map, "name": text, "active": boolean}, ("name",)),
        "recurring": RECURRING,
        "tax_behavior": TAX,
        "transfer_lookup_key": boolean,
        "unit_amount": integer,
        "unit_amount_decimal": decimal,
    },
    ("currency",),
)
# What Checkout takes in place of the id of a price.
INLINE = fields(
    {
        "currency": currency,
        "product": text,
        "product_data": fields(
            {"description": text, "images": list_of(text), "metadata": free_map, "name": text}, ("name",)
        ),
        "recurring": fields({"interval": INTERVAL, "interval_count": integer}, ("interval",)),
        "tax_behavior": TAX,
        "unit_amount": integer,
        "unit_amount_decimal": decimal,
    },
    ("currency",),
)
UPDATE = fields(
    {
        "active": boolean,
        "lookup_key": text,
        "metadata": free_map,
        "nickname": text,
        "tax_behavior": TAX,
        "transfer_lookup_key": boolean,
    }
)
LIST = fields(
    {
        **PAGING,
        "active": boolean,
        "created": RANGE,
        "currency": text,
        "lookup_keys": list_of(text),
        "product": text,
        "recurring": fields({"interval": INTERVAL}),
        "type": one_of("one_time", "recurring"),
    }
)


def create(params: Document) -> Document:
    """Make a price for a product that is there, or for one that is made with it."""
    now, amount = clock.now(), _amount(params)
    recurring = _recurring(params)
    price: Document = {
        "id": ids.new("price"),
        "object": "price",
        "active": params.get("active", True),
        "billing_scheme": "per_unit",
        "created": now,
        "currency": params["currency"],
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": merge_metadata(None, params.get("metadata")),
        "nickname": params.get("nickname"),
        "product": _product(params),
        "recurring": recurring,
        "tax_behavior": params.get("tax_behavior", "unspecified"),
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if recurring else "one_time",
        "unit_amount": int(amount) if amount == int(amount) else None,
        "unit_amount_decimal": f"{amount.normalize():f}",
    }
    if "lookup_key" in params:
        _claim(price, params)
    return events.create("price.created", price)


def create_inline(params: Document) -> str:
    """Make the price that a call describes in place; it is not for sale otherwise. Give its id."""
    made = create({**params, "active": False})
    return str(store.save({**made, "_is_inline": True})["id"])


def _recurring(params: Document) -> Document | None:
    asked = params.get("recurring")
    if not asked:
        return None
    recurring = {"interval_count": 1, "meter": None, "usage_type": "licensed", **asked}
    if recurring["usage_type"] == "metered" and not recurring["meter"]:
        message = "As of API version 2025-03-31.basil metered prices must be backed by meters. Set `recurring[meter]`."
        raise invalid(message, "recurring[meter]", "parameter_missing")
    if recurring["meter"]:
        if recurring["usage_type"] != "metered":
            raise invalid("`recurring[meter]` needs `recurring[usage_type]=metered`.", "recurring[usage_type]")
        meter = store.get("billing.meter", recurring["meter"], param="recurring[meter]", status=400)
        if meter["status"] != "active":
            raise invalid("The meter is inactive.", "recurring[meter]", "archived_meter")
    return recurring


def _amount(params: Document) -> Decimal:
    """Read what one unit costs; fractions of a minor unit are for metered prices only."""
    if ("unit_amount" in params) == ("unit_amount_decimal" in params):
        raise invalid(
            "Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set, and not both.", "unit_amount"
        )
    amount = Decimal(params["unit_amount"] if "unit_amount" in params else params["unit_amount_decimal"])
    is_metered = params.get("recurring", {}).get("usage_type") == "metered"
    if amount < 0 or (amount != int(amount) and not is_metered):
        raise invalid("The sandbox keeps whole minor units that are not negative.", "unit_amount")
    places = amount.as_tuple().exponent
    if not isinstance(places, int) or -places > MOST_DECIMALS:
        raise invalid(f"`unit_amount_decimal` has at most {MOST_DECIMALS} decimals.", "unit_amount_decimal")
    return amount


def _product(params: Document) -> str:
    if "product" in params:
        return str(store.get("product", params["product"], param="product", status=400)["id"])
    if "product_data" not in params:
        raise invalid("You must specify either `product` or `product_data` when creating a price.", "product")
    return str(products.create(params["product_data"])["id"])


def _claim(price: Document, params: Document) -> None:
    """Take a lookup key; from another price only when the caller says so."""
    key = params["lookup_key"]
    for holder in store.documents(store.select("price", body__lookup_key=key)):
        if holder["id"] == price["id"]:
            continue
        if not params.get("transfer_lookup_key"):
            raise invalid(
                f"A price (`{holder['id']}`) already uses that lookup key. "
                "Set `transfer_lookup_key=true` to transfer it.",
                "lookup_key",
                "resource_already_exists",
            )
        _change(holder, {**holder, "lookup_key": None})
    price["lookup_key"] = key


def _change(before: Document, after: Document) -> Document:
    """Write a changed price, also where subscriptions carry it."""
    events.update("price.updated", before, after)
    for subscription in store.documents(store.select("subscription")):
        data = subscription["items"]["data"]
        if any(item["price"]["id"] == after["id"] for item in data):
            fresh = [{**i, "price": public(after)} if i["price"]["id"] == after["id"] else i for i in data]
            store.save(items.replaced(subscription, fresh))
    return after


def retrieve(key: str, params: Document) -> Document:
    """Give one price."""
    return store.get("price", key)


def update(key: str, params: Document) -> Document:
    """Change what may change: never the amount."""
    before = store.get("price", key)
    plain: Document = {name: params[name] for name in ("active", "nickname", "tax_behavior") if name in params}
    after = {**before, **plain, "metadata": merge_metadata(before["metadata"], params.get("metadata"))}
    if "lookup_key" in params:
        _claim(after, params)
    return _change(before, after)


def list_all(params: Document) -> Document:
    """List prices."""
    no_rhythm: Document = {}
    rows = store.select(
        "price",
        body__active=params.get("active"),
        body__currency=params.get("currency"),
        body__product=params.get("product"),
        body__type=params.get("type"),
        body__recurring__interval=(params.get("recurring") or no_rhythm).get("interval"),
        body__lookup_key__in=params.get("lookup_keys"),
    )
    return lists.page(rows, params, "/v1/prices", kind="price")


OPERATIONS = [
    Operation("POST", "/v1/prices", create, CREATE),
    Operation("GET", "/v1/prices", list_all, LIST),
    Operation("GET", "/v1/prices/{}", retrieve, NOTHING),
    Operation("POST", "/v1/prices/{}", update, UPDATE),
]
