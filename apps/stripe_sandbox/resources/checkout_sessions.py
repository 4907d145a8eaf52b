"""Checkout sessions over the API; people meet them at `/c/pay/…`."""

from apps.stripe_sandbox import blanks, checkout, clocks, events, ids, lists, store
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
TAKEN = (
    "allow_promotion_codes",
    "billing_address_collection",
    "cancel_url",
    "client_reference_id",
    "customer",
    "customer_email",
    "locale",
)
CREATE = fields(
    {
        "allow_promotion_codes": boolean,
        "automatic_tax": ENABLED,
        "billing_address_collection": one_of("auto", "required"),
        "cancel_url": text,
        "client_reference_id": text,
        "customer": text,
        "customer_email": text,
        "customer_update": fields({"address": AUTO, "name": AUTO, "shipping": AUTO}),
        "expires_at": timestamp,
        "line_items": list_of(fields({"price": text, "quantity": natural, "metadata": free_map}, ("price",))),
        "locale": one_of("auto", "en", "fr"),
        "metadata": free_map,
        "mode": one_of("subscription"),
        "payment_method_collection": one_of("always", "if_required"),
        "subscription_data": SUBSCRIPTION_DATA,
        "success_url": text,
        "tax_id_collection": ENABLED,
        "ui_mode": one_of("hosted_page"),
    },
    ("line_items", "mode", "success_url"),
)


def create(params: Document) -> Document:
    """Open a session; prices, customer and time limits are checked now."""
    customer = None
    if "customer" in params:
        customer = store.get("customer", params["customer"], param="customer", status=400)
        if "customer_email" in params:
            raise invalid("You may only specify one of these parameters: customer, customer_email.", "customer")
    now = clocks.time_of_customer(customer)
    expires_at = params.get("expires_at", now + LONGEST_S)
    if not now + SHORTEST_S - FEW_SECONDS <= expires_at <= now + LONGEST_S + FEW_SECONDS:
        message = "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation."
        raise invalid(message, "expires_at")
    draft = {
        "_line_items": [{"id": ids.new("li"), **item} for item in params["line_items"]],
        "_subscription_data": params.get("subscription_data", {}),
    }
    amounts = checkout.amounts_of(draft, customer, now=now)
    currency = store.read("price", params["line_items"][0]["price"])["currency"]
    today = 0 if amounts.trial_end else amounts.subtotal
    session = {**_plain(params), **draft, "expires_at": expires_at, "currency": currency}
    session |= {"amount_subtotal": today, "amount_total": today, "_clock": (customer or {}).get("test_clock")}
    return checkout.open_session(session, now=now)


def _plain(params: Document) -> Document:
    tax = params.get("automatic_tax", {}).get("enabled", False)
    return {
        **blanks.fresh(blanks.CHECKOUT_SESSION),
        "automatic_tax": {
            "enabled": tax,
            "liability": {"type": "self"} if tax else None,
            "provider": None,
            "status": "complete" if tax else None,
        },
        "customer_creation": None if "customer" in params else "always",
        "metadata": merge_metadata(None, params.get("metadata")),
        "mode": params["mode"],
        "payment_method_collection": params.get("payment_method_collection", "always"),
        "success_url": params["success_url"],
        **{name: params.get(name) for name in TAKEN},
    }


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
        body__subscription=params.get("subscription"),
    )
    return lists.page(rows, params, "/v1/checkout/sessions", kind="checkout.session")


def list_items(key: str, params: Document) -> Document:
    """List what a session sells."""
    listed = checkout.line_items(store.get("checkout.session", key, param="session"))
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
                "status": one_of("complete", "expired", "open"),
                "subscription": text,
            }
        ),
    ),
    Operation("GET", "/v1/checkout/sessions/{}", retrieve, NOTHING),
    Operation("POST", "/v1/checkout/sessions/{}/expire", expire, NOTHING),
    Operation("GET", "/v1/checkout/sessions/{}/line_items", list_items, fields(PAGING)),
]
