"""Payment intents over the API: what is not collected by an invoice or by Checkout."""

from apps.stripe_sandbox import clocks, collection, intents, lists, payment_intents, store
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
    integer,
    merge_metadata,
    one_of,
    text,
)
from apps.stripe_sandbox.resources.prices import currency

LATER = one_of("off_session", "on_session")
CREATE = fields(
    {
        "amount": integer,
        "automatic_payment_methods": fields(
            {"allow_redirects": one_of("always", "never"), "enabled": boolean}, ("enabled",)
        ),
        "capture_method": one_of("automatic", "automatic_async"),
        "confirm": boolean,
        "currency": currency,
        "customer": text,
        "description": text,
        "metadata": free_map,
        "off_session": boolean,
        "payment_method": text,
        "receipt_email": text,
        "return_url": text,
        "setup_future_usage": LATER,
    },
    ("amount", "currency"),
)
UPDATE = fields(
    {
        "amount": integer,
        "currency": currency,
        "customer": text,
        "description": clearable(text),
        "metadata": free_map,
        "payment_method": text,
        "receipt_email": clearable(text),
        "setup_future_usage": clearable(LATER),
    }
)
CONFIRM = fields(
    {
        "off_session": boolean,
        "payment_method": text,
        "receipt_email": clearable(text),
        "return_url": text,
        "setup_future_usage": clearable(LATER),
    }
)
PLAIN = ("capture_method", "description", "receipt_email", "setup_future_usage")


def create(params: Document) -> Document:
    """Make a payment, and with `confirm` charge it at once.

    Raises  StripeError 402: declined; the intent and its failed charge are kept.
    """
    payment_intents.require_enough(params["amount"], params["currency"])
    confirms = params.get("confirm", False)
    for name in ("off_session", "return_url"):
        if name in params and not confirms:
            raise invalid(f"The parameter `{name}` can only be used with `confirm=true`.", name)
    customer = _customer(params)
    now = clocks.time_of_customer(customer)
    method = _method(params, customer, now=now)
    if confirms and method is None:
        raise _no_card_to_confirm()
    details: Document = {name: params[name] for name in PLAIN if name in params}
    automatic = params.get("automatic_payment_methods", {"enabled": True})
    intent = intents.open_payment_intent(
        params["amount"],
        customer,
        currency=params["currency"],
        now=now,
        automatic_payment_methods={"allow_redirects": "always", **automatic},
        metadata=merge_metadata(None, params.get("metadata")),
        payment_method=method["id"] if method else None,
        status="requires_confirmation" if method else "requires_payment_method",
        _return_url=params.get("return_url"),
        **details,
    )
    if not confirms:
        return intent
    return payment_intents.confirm(intent, method, off_session=params.get("off_session", False), now=now)


def _customer(params: Document) -> Document | None:
    if "customer" not in params:
        return None
    return store.get("customer", params["customer"], param="customer", status=400)


def _method(params: Document, customer: Document | None, *, now: int) -> Document | None:
    if "payment_method" not in params:
        return None
    return payment_intents.find_method(params["payment_method"], customer, now=now)


def _no_card_to_confirm() -> Exception:
    message = (
        "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the "
        "PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment "
        "method or ConfirmationToken."
    )
    return invalid(message, code=payment_intents.UNEXPECTED)


def retrieve(key: str, params: Document) -> Document:
    """Give one payment intent."""
    return store.get("payment_intent", key, param="intent")


def update(key: str, params: Document) -> Document:
    """Change a payment that has not been made."""
    before = store.get("payment_intent", key, param="intent")
    payment_intents.require_changeable(before, list(params))
    wanted = {**before, **params}
    payment_intents.require_enough(wanted["amount"], wanted["currency"])
    customer = _customer(params) or store.find("customer", before["customer"])
    after = {**before, **params, "metadata": merge_metadata(before["metadata"], params.get("metadata"))}
    method = _method(params, customer, now=clocks.time_on(before["_clock"]))
    if method:
        after |= {"payment_method": method["id"], "status": "requires_confirmation", "next_action": None}
    store.save(after)
    return after


def confirm(key: str, params: Document) -> Document:
    """Charge a payment now.

    Raises  StripeError 402: declined; the failed charge is kept.
    """
    intent = store.get("payment_intent", key, param="intent")
    now, customer = clocks.time_on(intent["_clock"]), store.find("customer", intent["customer"])
    wanted = _method(params, customer, now=now)
    intent |= {name: params[name] for name in PLAIN if name in params}
    intent["_return_url"] = params.get("return_url", intent.get("_return_url"))
    method = wanted
    if wanted is None and intent["status"] != "requires_action":
        method = store.find("payment_method", intent["payment_method"])
    if intent.get("_invoice") and method:
        return _pay_invoice(intent, method, on_session=not params.get("off_session", False), now=now)
    return payment_intents.confirm(intent, method, off_session=params.get("off_session", False), now=now)


def _pay_invoice(intent: Document, method: Document, *, on_session: bool, now: int) -> Document:
    """Charge the payment of an invoice, which is paid by it."""
    invoice = store.read("invoice", intent["_invoice"])
    collected = collection.collect(invoice, method=method, on_session=on_session, now=now)
    if collected.decline:
        raise payment_intents.refusal(store.read("payment_intent", intent["id"]), collected.decline, method)
    return store.read("payment_intent", intent["id"])


def cancel(key: str, params: Document) -> Document:
    """Give up a payment that has not been made."""
    intent = store.get("payment_intent", key, param="intent")
    return payment_intents.cancel(intent, params.get("cancellation_reason"), now=clocks.time_on(intent["_clock"]))


def list_all(params: Document) -> Document:
    """List payment intents."""
    rows = store.select("payment_intent", customer=params.get("customer"))
    return lists.page(rows, params, "/v1/payment_intents", kind="payment_intent")


OPERATIONS = [
    Operation("POST", "/v1/payment_intents", create, CREATE),
    Operation("GET", "/v1/payment_intents", list_all, fields({**PAGING, "created": RANGE, "customer": text})),
    Operation("GET", "/v1/payment_intents/{}", retrieve, NOTHING),
    Operation("POST", "/v1/payment_intents/{}", update, UPDATE),
    Operation("POST", "/v1/payment_intents/{}/confirm", confirm, CONFIRM),
    Operation(
        "POST",
        "/v1/payment_intents/{}/cancel",
        cancel,
        fields(
            {"cancellation_reason": one_of("abandoned", "duplicate", "fraudulent", "requested_by_customer")},
        ),
    ),
]
