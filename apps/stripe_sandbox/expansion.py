"""`expand`: ids become the objects they name, and lists that are left out by default appear."""

from collections.abc import Callable

from apps.stripe_sandbox import clocks, orders, store
from apps.stripe_sandbox.documents import Document, list_of, public
from apps.stripe_sandbox.errors import invalid

DEEPEST = 4

# Object → where an id stands in it → the kind that it names.
NAMED: dict[str, dict[str, str]] = {
    "subscription": {
        "customer": "customer",
        "default_payment_method": "payment_method",
        "latest_invoice": "invoice",
        "pending_setup_intent": "setup_intent",
        "discounts": "discount",
        "schedule": "subscription_schedule",
        "test_clock": "test_helpers.test_clock",
    },
    "subscription_item": {},
    "subscription_schedule": {"customer": "customer", "subscription": "subscription"},
    "discount": {"customer": "customer", "promotion_code": "promotion_code", "source.coupon": "coupon"},
    "promotion_code": {"customer": "customer", "promotion.coupon": "coupon"},
    "entitlements.active_entitlement": {"feature": "entitlements.feature"},
    "price": {"product": "product"},
    "product": {"default_price": "price"},
    "customer": {
        "invoice_settings.default_payment_method": "payment_method",
        "test_clock": "test_helpers.test_clock",
    },
    "payment_method": {"customer": "customer"},
    "invoice": {
        "discounts": "discount",
        "customer": "customer",
        "default_payment_method": "payment_method",
        "parent.subscription_details.subscription": "subscription",
        "test_clock": "test_helpers.test_clock",
    },
    "line_item": {"pricing.price_details.price": "price", "subscription": "subscription"},
    "invoice_payment": {"invoice": "invoice", "payment.payment_intent": "payment_intent"},
    "payment_intent": {"customer": "customer", "latest_charge": "charge", "payment_method": "payment_method"},
    "setup_intent": {"customer": "customer", "payment_method": "payment_method"},
    "charge": {
        "balance_transaction": "balance_transaction",
        "customer": "customer",
        "payment_intent": "payment_intent",
    },
    "refund": {
        "balance_transaction": "balance_transaction",
        "charge": "charge",
        "payment_intent": "payment_intent",
    },
    "credit_note": {
        "customer": "customer",
        "customer_balance_transaction": "customer_balance_transaction",
        "invoice": "invoice",
    },
    "customer_balance_transaction": {"customer": "customer", "invoice": "invoice"},
    "dispute": {"charge": "charge", "payment_intent": "payment_intent"},
    "balance_transaction": {},
    "checkout.session": {
        "customer": "customer",
        "invoice": "invoice",
        "payment_intent": "payment_intent",
        "setup_intent": "setup_intent",
        "subscription": "subscription",
    },
    "billing_portal.session": {"configuration": "billing_portal.configuration"},
}


def _payments(invoice: Document) -> Document:
    found = store.documents(store.select("invoice_payment", body__invoice=invoice["id"]))
    return list_of([public(each) for each in found], f"/v1/invoice_payments?invoice={invoice['id']}")


def _secret(invoice: Document) -> Document | None:
    for payment in _payments(invoice)["data"]:
        intent = store.read("payment_intent", payment["payment"]["payment_intent"])
        return {"client_secret": intent["client_secret"], "type": "payment_intent"}
    return None


def _subscriptions(customer: Document) -> Document:
    rows = store.select("subscription", customer=customer["id"])
    live = [public(each) for each in store.documents(rows) if each["status"] not in ("canceled", "incomplete_expired")]
    return list_of(live, f"/v1/customers/{customer['id']}/subscriptions")


def _refunds(charge: Document) -> Document:
    found = store.documents(store.select("refund", body__charge=charge["id"]))
    return list_of([public(each) for each in found], f"/v1/charges/{charge['id']}/refunds")


def _products(coupon: Document) -> Document:
    return {"products": store.read("coupon", coupon["id"]).get("_applies_to") or []}


def _line_items(session: Document) -> Document:
    kept = store.read("checkout.session", session["id"])
    return orders.line_items(kept, now=clocks.time_on(kept["_clock"]))


# What is only there when it is asked for.
HIDDEN: dict[tuple[str, str], Callable[[Document], Document | None]] = {
    ("invoice", "payments"): _payments,
    ("invoice", "confirmation_secret"): _secret,
    ("customer", "subscriptions"): _subscriptions,
    ("charge", "refunds"): _refunds,
    ("checkout.session", "line_items"): _line_items,
    ("coupon", "applies_to"): _products,
}


def apply(document: Document, paths: list[str]) -> Document:
    """Expand each path in a document that is ready to leave.

    Raises  StripeError 400: more than four levels, or something that is no reference.
    """
    for path in paths:
        parts = path.split(".")
        if sum(part != "data" for part in parts) > DEEPEST:
            message = f"You cannot expand more than {DEEPEST} levels of a property. Property: {path}"
            raise invalid(message, "expand", "property_expansion_max_depth")
        if not _walk(document, document, parts, ""):
            raise invalid(f"This property cannot be expanded ({path}).", "expand")
    return document


def _walk(owner: Document, here: Document, parts: list[str], where: str) -> bool:
    """Go down one path; false: it leads nowhere by its very name (an absent value is fine)."""
    head, rest = parts[0], parts[1:]
    where = f"{where}.{head}" if where else head
    kind = owner.get("object", "")
    if (kind, head) in HIDDEN and head not in here:
        here[head] = HIDDEN[kind, head](owner)
    named = NAMED.get(kind, {}).get(where)
    if named and isinstance(here.get(head), str):
        here[head] = _fetch(named, here[head])
    elif named and isinstance(here.get(head), list):
        here[head] = [_fetch(named, each) if isinstance(each, str) else each for each in here[head]]
    value = here.get(head)
    if not rest:
        return bool(named) or (kind, head) in HIDDEN
    if value is None:
        return bool(named) or head in here
    return _descend(owner, value, rest, where)


def _descend(owner: Document, value: object, rest: list[str], where: str) -> bool:
    if isinstance(value, list):
        walked = [_walk(each, each, rest, "") for each in value if isinstance(each, dict)]
        return all(walked)
    if not isinstance(value, dict):
        return False
    return _walk(value, value, rest, "") if "object" in value else _walk(owner, value, rest, where)


def _fetch(kind: str, key: str) -> Document:
    body = store.read(kind, key)
    if body.get("_deleted") and kind != "coupon":  # a discount shows its coupon for as long as it lasts
        return {"id": key, "object": kind, "deleted": True}
    return public(body)
