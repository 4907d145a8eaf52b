"""Checkout sessions over the API; people meet them at `/c/pay/…`."""

from apps.stripe_sandbox import blanks, checkout, clocks, events, ids, lists, metered, one_off, orders, store, taxes
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import invalid
from apps.stripe_sandbox.operations import NOTHING, Operation
from apps.stripe_sandbox.parameters import (
    PAGING,
    RANGE,
    boolean,
    fields,
    free_map,
    list_of,
    merge_metadata,
    natural,
    one_of,
    text,
    timestamp,
)
from apps.stripe_sandbox.resources import prices

SHORTEST_S, LONGEST_S = 30 * 60, 24 * 3600
FEW_SECONDS = 60  # a caller's clock may differ a little
ENABLED = fields({"enabled": boolean}, ("enabled",))
AUTO = one_of("auto", "never")
SUBSCRIPTION_DATA = fields(
    {
        "billing_mode": fields({"type": one_of("classic", "flexible")}, ("type",)),
        "description": text,
        "metadata": free_map,
        "trial_end": timestamp,
        "trial_period_days": natural,
        "trial_settings": fields(
            {
                "end_behavior": fields(
                    {"missing_payment_method": one_of("cancel", "create_invoice", "pause")}, ("missing_payment_method",)
                )
            },
            ("end_behavior",),
        ),
    }
)
LATER = one_of("off_session", "on_session")
PAYMENT_DATA = fields({"description": text, "metadata": free_map, "receipt_email": text, "setup_future_usage": LATER})
INVOICE_DATA = fields({"description": text, "footer": text, "metadata": free_map})
LINE_ITEM = fields({"metadata": free_map, "price": text, "price_data": prices.INLINE, "quantity": natural})
# What a mode has for itself.
ONLY_IN = {
    "invoice_creation": "payment",
    "payment_intent_data": "payment",
    "discounts": "subscription",
    "payment_method_collection": "subscription",
    "setup_intent_data": "setup",
    "subscription_data": "subscription",
}
TAKEN = (
    "allow_promotion_codes",
    "billing_address_collection",
    "cancel_url",
    "client_reference_id",
    "customer",
    "customer_email",
    "locale",
    "submit_type",
)
CREATE = fields(
    {
        "allow_promotion_codes": boolean,
        "automatic_tax": ENABLED,
        "billing_address_collection": one_of("auto", "required"),
        "cancel_url": text,
        "client_reference_id": text,
        "currency": prices.currency,
        "customer": text,
        "customer_creation": one_of("always", "if_required"),
        "customer_email": text,
        "customer_update": fields({"address": AUTO, "name": AUTO, "shipping": AUTO}),
        "discounts": list_of(fields({"coupon": text, "promotion_code": text})),
        "expires_at": timestamp,
        "invoice_creation": fields({"enabled": boolean, "invoice_data": INVOICE_DATA}, ("enabled",)),
        "line_items": list_of(LINE_ITEM),
        "locale": one_of("auto", "en", "fr"),
        "metadata": free_map,
        "mode": one_of("payment", "setup", "subscription"),
        "payment_intent_data": PAYMENT_DATA,
        "payment_method_collection": one_of("always", "if_required"),
        "setup_intent_data": fields({"description": text, "metadata": free_map}),
        "submit_type": one_of("auto", "pay"),
        "subscription_data": SUBSCRIPTION_DATA,
        "success_url": text,
        "tax_id_collection": ENABLED,
        "ui_mode": one_of("hosted_page"),
    },
    ("mode", "success_url"),
)


def create(params: Document) -> Document:
    """Open a session; prices, customer and time limits are checked now."""
    _require_fitting(params)
    customer = None
    if "customer" in params:
        customer = store.get("customer", params["customer"], param="customer", status=400)
    _require_one_of_each(params, customer)
    now = clocks.time_of_customer(customer)
    expires_at = params.get("expires_at", now + LONGEST_S)
    if not now + SHORTEST_S - FEW_SECONDS <= expires_at <= now + LONGEST_S + FEW_SECONDS:
        message = "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation."
        raise invalid(message, "expires_at")
    plain = _plain(params)
    draft = {
        "customer_email": params.get("customer_email"),
        "mode": params["mode"],
        "_customer_update": params.get("customer_update", {}),
        "_discounts": params.get("discounts", []),
        "_had_customer": customer is not None,
        "_taxes": params.get("automatic_tax", {}).get("enabled", False),
        "_line_items": [_read_item(item, number) for number, item in enumerate(params.get("line_items", []))],
        "_payment_data": params.get("payment_intent_data", params.get("setup_intent_data", {})),
        "_subscription_data": params.get("subscription_data", {}),
    }
    session = {**plain, **draft, "expires_at": expires_at, **_amounts(draft, customer, params, now=now)}
    return checkout.open_session({**session, "_clock": (customer or {}).get("test_clock")}, now=now)


def _require_one_of_each(params: Document, customer: Document | None) -> None:
    """Refuse what contradicts itself, and what tax needs to know and cannot learn."""
    for pair in (("allow_promotion_codes", "discounts"), ("customer", "customer_email")):
        if all(name in params for name in pair):
            raise invalid(f"You may only specify one of these parameters: {', '.join(pair)}.", pair[0])
    update = params.get("customer_update", {})
    if update and customer is None:
        raise invalid("`customer_update` can only be used with `customer`.", "customer_update")
    if customer is None:
        return
    if params.get("tax_id_collection", {}).get("enabled") and update.get("name") != "auto":
        raise invalid(
            "Tax ID collection requires updating business name on the customer. To enable tax ID collection for an "
            "existing customer, please set `customer_update[name]` to `auto`.",
            "customer_update[name]",
        )
    is_taxed, learns = params.get("automatic_tax", {}).get("enabled"), update.get("address") == "auto"
    if is_taxed and not learns and not taxes.has_location(customer):
        raise invalid(
            "Automatic tax calculation in Checkout requires a valid address on the Customer. Add a valid address to "
            "the Customer or set either `customer_update[address]` to 'auto' or `customer_update[shipping]` to 'auto' "
            "to save the address entered in Checkout to the Customer.",
            "automatic_tax",
            "customer_tax_location_invalid",
        )


def _require_fitting(params: Document) -> None:
    """Refuse what another mode has, and miss what this one needs."""
    mode = params["mode"]
    for name, only in ONLY_IN.items():
        if name in params and only != mode:
            raise invalid(f"You can not pass `{name}` in `{mode}` mode.", name)
    if mode == "setup" and "line_items" in params:
        raise invalid("You can not pass `line_items` in `setup` mode.", "line_items")
    needed = "currency" if mode == "setup" else "line_items"
    if not params.get(needed):
        raise invalid(f"Missing required param: {needed}.", needed, "parameter_missing")


def _read_item(item: Document, number: int) -> Document:
    """Settle the price of one line: one that is there, or one that is described in place."""
    path = f"line_items[{number}]"
    if ("price" in item) == ("price_data" in item):
        raise invalid(f"You must specify either `price` or `price_data` when creating {path}.", path)
    key = item["price"] if "price" in item else prices.create_inline(item["price_data"])
    price = store.find("price", key)
    if price and metered.is_metered(price):
        if "quantity" in item:
            message = f"Quantity should not be specified where usage_type is `metered`. Remove `quantity` from `{path}`"
            raise invalid(message, f"{path}[quantity]")
    elif price and "quantity" not in item:
        raise invalid(f"Quantity is required. Add `quantity` to `{path}`", f"{path}[quantity]")
    kept = {name: value for name, value in item.items() if name != "price_data"}
    return {"id": ids.new("li"), **kept, "price": key}


def _amounts(draft: Document, customer: Document | None, params: Document, *, now: int) -> Document:
    if params["mode"] == "setup":
        return {"amount_subtotal": None, "amount_total": None, "currency": params["currency"]}
    amounts = orders.amounts_of(draft, customer, now=now)
    currency = store.read("price", draft["_line_items"][0]["price"])["currency"]
    return {**orders.sums_of(amounts), "currency": currency}


def _plain(params: Document) -> Document:
    tax = params.get("automatic_tax", {}).get("enabled", False)
    return {
        **blanks.fresh(blanks.CHECKOUT_SESSION),
        "automatic_tax": {
            "enabled": tax,
            "liability": {"type": "self"} if tax else None,
            "provider": "stripe" if tax else None,
            "status": "requires_location_inputs" if tax else None,
        },
        "discounts": [{"coupon": None, "promotion_code": None, **each} for each in params.get("discounts", [])],
        "customer_creation": None if "customer" in params else _creation(params),
        "invoice_creation": _invoice_creation(params),
        "metadata": merge_metadata(None, params.get("metadata")),
        "mode": params["mode"],
        "payment_method_collection": params.get("payment_method_collection", _collection(params)),
        "success_url": params["success_url"],
        "tax_id_collection": {**params.get("tax_id_collection", {"enabled": False}), "required": "never"},
        **{name: params.get(name) for name in TAKEN},
    }


def _creation(params: Document) -> str:
    return str(params.get("customer_creation", "always" if params["mode"] == "subscription" else "if_required"))


def _collection(params: Document) -> str:
    return "always" if params["mode"] == "subscription" else "if_required"


def _invoice_creation(params: Document) -> Document | None:
    if params["mode"] != "payment":
        return None
    asked = params.get("invoice_creation", {"enabled": False})
    data = asked.get("invoice_data", {})
    data = {**one_off.NO_INVOICE, **data, "metadata": merge_metadata(None, data.get("metadata"))}
    return {"enabled": asked["enabled"], "invoice_data": data}


def retrieve(key: str, params: Document) -> Document:
    """Give one session."""
    return store.get("checkout.session", key, param="session")


def expire(key: str, params: Document) -> Document:
    """Close an open session."""
    session = store.get("checkout.session", key, param="session")
    if session["status"] != "open":
        raise invalid(
            f'Only Checkout Sessions with a status in ["open"] can be expired. '
            f"This Checkout Session has a status of {session['status']}."
        )
    return events.update("checkout.session.expired", session, {**session, "status": "expired", "url": None})


def list_all(params: Document) -> Document:
    """List sessions."""
    rows = store.select(
        "checkout.session",
        customer=params.get("customer"),
        body__status=params.get("status"),
        body__payment_intent=params.get("payment_intent"),
        body__subscription=params.get("subscription"),
    )
    return lists.page(rows, params, "/v1/checkout/sessions", kind="checkout.session")


def list_items(key: str, params: Document) -> Document:
    """List what a session sells."""
    session = store.get("checkout.session", key, param="session")
    listed = orders.line_items(session, now=clocks.time_on(session["_clock"]))
    return lists.page_of_documents(listed["data"], params, listed["url"])


OPERATIONS = [
    Operation("POST", "/v1/checkout/sessions", create, CREATE),
    Operation(
        "GET",
        "/v1/checkout/sessions",
        list_all,
        fields(
            {
                **PAGING,
                "created": RANGE,
                "customer": text,
                "payment_intent": text,
                "status": one_of("complete", "expired", "open"),
                "subscription": text,
            }
        ),
    ),
    Operation("GET", "/v1/checkout/sessions/{}", retrieve, NOTHING),
    Operation("POST", "/v1/checkout/sessions/{}/expire", expire, NOTHING),
    Operation("GET", "/v1/checkout/sessions/{}/line_items", list_items, fields(PAGING)),
]
