"""Invoices and their payments over the API."""

from apps.stripe_sandbox import (
    clocks,
    collection,
    invoicing,
    items,
    lists,
    metered,
    payment_methods,
    periods,
    plan_changes,
    store,
    subscribing,
    usage,
)
from apps.stripe_sandbox.cards import Verdict
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import invalid
from apps.stripe_sandbox.operations import NOTHING, Operation
from apps.stripe_sandbox.parameters import (
    PAGING,
    RANGE,
    boolean,
    either,
    fields,
    list_of,
    natural,
    one_of,
    text,
    timestamp,
)
from apps.stripe_sandbox.plan_changes import Terms
from apps.stripe_sandbox.subscribing import Order

STATUS = one_of("draft", "open", "paid", "uncollectible", "void")
PREVIEW = fields(
    {
        "customer": text,
        "preview_mode": one_of("next", "recurring"),
        "subscription": text,
        "subscription_details": fields(
            {
                "billing_cycle_anchor": fields({"type": one_of("now", "unchanged")}, ("type",)),
                "items": list_of(fields({"deleted": boolean, "id": text, "price": text, "quantity": natural})),
                "proration_behavior": one_of("always_invoice", "create_prorations", "none"),
                "proration_date": timestamp,
                "trial_end": either(one_of("now"), timestamp, when=lambda raw: raw == "now"),
            }
        ),
    }
)


def retrieve(key: str, params: Document) -> Document:
    """Give one invoice."""
    return store.get("invoice", key, param="invoice")


def list_all(params: Document) -> Document:
    """List invoices."""
    rows = store.select(
        "invoice",
        customer=params.get("customer"),
        body__status=params.get("status"),
        body__parent__subscription_details__subscription=params.get("subscription"),
    )
    return lists.page(rows, params, "/v1/invoices", kind="invoice")


def finalize(key: str, params: Document) -> Document:
    """Open a draft now."""
    invoice = store.get("invoice", key, param="invoice")
    if invoice["status"] != "draft":
        raise invalid("This invoice is already finalized, you can't re-finalize a non-draft invoice.")
    now = clocks.time_on(invoice["test_clock"])
    invoice["auto_advance"] = params.get("auto_advance", invoice["auto_advance"])
    opened = invoicing.finalize(invoice, now=now)
    return opened if opened["amount_due"] else collection.finish(opened, amount=0, now=now).invoice


def pay(key: str, params: Document) -> Document:
    """Pay an open invoice now, with the card named, the customer's, or outside of Stripe.

    Raises  StripeError 402: declined, and the failed charge is kept; or 3-D Secure is needed.
    """
    invoice = store.get("invoice", key, param="invoice")
    now = clocks.time_on(invoice["test_clock"])
    if invoice["status"] == "draft":
        invoice = invoicing.finalize(invoice, now=now)
    if invoice["status"] == "paid":
        raise invalid("Invoice is already paid", code="invoice_already_paid")
    if invoice["status"] == "void":
        raise invalid("You can only pay an open invoice.", code="invoice_not_editable")
    if params.get("paid_out_of_band"):
        return collection.finish(invoice, amount=0, now=now).invoice
    customer, method = store.read("customer", invoice["customer"]), None
    if "payment_method" in params:
        method = payment_methods.get(params["payment_method"], param="payment_method", now=now)
        method = payment_methods.attach(method, customer)
    collected = collection.collect(invoice, method=method, on_session=not params.get("off_session", True), now=now)
    if collected.verdict is not Verdict.SUCCEEDED:
        raise _refusal(collected)
    return collected.invoice


def _refusal(collected: collection.Collected) -> Exception:
    if collected.verdict is Verdict.REQUIRES_ACTION:
        error = collected.as_error(keeps_rows=True)
        error.error["code"] = "invoice_payment_intent_requires_action"
        error.error["message"] = "This invoice requires additional user action before it can be paid."
        return error
    return collected.as_error(keeps_rows=True)


def preview(params: Document) -> Document:
    """Describe the invoice that a change, or the next renewal, would make; nothing is kept."""
    details = params.get("subscription_details", {})
    if "subscription" not in params:
        return _preview_new(params, details)
    subscription = store.get("subscription", params["subscription"], param="subscription", status=400)
    customer = store.read("customer", subscription["customer"])
    if params.get("customer", customer["id"]) != customer["id"]:
        raise invalid(f"No such subscription: '{subscription['id']}'", "subscription", "resource_missing")
    now = clocks.time_of_customer(customer)
    moment, behavior = details.get("proration_date", now), details.get("proration_behavior", "create_prorations")
    resets = details.get("billing_cycle_anchor", {}).get("type") == "now"
    terms = Terms(moment, proration_behavior=behavior, resets_anchor=resets)
    wanted = items.read_wanted(details.get("items", []), customer, path="subscription_details[items]")
    change = plan_changes.weigh(subscription, wanted, terms, now=now)
    lines, reason = [*subscription["_pending_lines"], *change.lines], "subscription_update"
    if not change.resets_period and behavior != "always_invoice":
        lines, reason = [*lines, *_next_lines(change.after)], "upcoming"
    return _as_preview(customer, subscription, lines, reason, moment, now)


def _next_lines(subscription: Document) -> list[Document]:
    data, end = subscription["items"]["data"], items.period_of(subscription)[1]
    if subscription["cancel_at_period_end"]:
        raise invalid("No upcoming invoices for this subscription.", code="invoice_upcoming_none", status=404)
    later = periods.boundary_after(subscription["billing_cycle_anchor"], end, *items.rhythm(data[0]["price"]))
    so_far = usage.lines(subscription, items.period_of(subscription)[0], end)
    return [*so_far, *(invoicing.regular_line(item, end, later) for item in metered.licensed(data))]


def _preview_new(params: Document, details: Document) -> Document:
    if "customer" not in params or "items" not in details:
        raise invalid("You must pass one of `subscription`, or `customer` with `subscription_details[items]`.")
    customer = store.get("customer", params["customer"], param="customer", status=400)
    now = clocks.time_of_customer(customer)
    wanted = items.read_wanted(details["items"], customer, path="subscription_details[items]")
    subscription = subscribing.describe(customer, Order(wanted), now=now)
    invoice = subscribing.first_invoice(customer, subscription, now=now)
    return _mark_preview(invoice)


def _as_preview(
    customer: Document, subscription: Document, lines: list[Document], reason: str, moment: int, now: int
) -> Document:
    kind = "subscription_cycle" if reason == "upcoming" else reason
    at = items.period_of(subscription)[1] if reason == "upcoming" else now
    invoice = invoicing.build(customer, subscription, lines, kind, now=at)
    invoice["parent"]["subscription_details"]["subscription_proration_date"] = moment
    return _mark_preview(invoice)


def _mark_preview(invoice: Document) -> Document:
    key = f"upcoming_{invoice['id']}"
    invoice["lines"] = {
        **invoice["lines"],
        "data": [{**line, "invoice": key} for line in invoice["lines"]["data"]],
        "url": f"/v1/invoices/{key}/lines",
    }
    return {**invoice, "id": key}


def list_payments(params: Document) -> Document:
    """List invoice payments; also how one gets from a payment to its invoice."""
    payment = params.get("payment", {})
    rows = store.select(
        "invoice_payment",
        body__invoice=params.get("invoice"),
        body__status=params.get("status"),
        body__payment__payment_intent=payment.get("payment_intent"),
    )
    return lists.page(rows, params, "/v1/invoice_payments", kind="invoice_payment")


OPERATIONS = [
    Operation("POST", "/v1/invoices/create_preview", preview, PREVIEW),
    Operation(
        "GET",
        "/v1/invoices",
        list_all,
        fields({**PAGING, "created": RANGE, "customer": text, "status": STATUS, "subscription": text}),
    ),
    Operation("GET", "/v1/invoices/{}", retrieve, NOTHING),
    Operation("POST", "/v1/invoices/{}/finalize", finalize, fields({"auto_advance": boolean})),
    Operation(
        "POST",
        "/v1/invoices/{}/pay",
        pay,
        fields({"off_session": boolean, "paid_out_of_band": boolean, "payment_method": text}),
    ),
    Operation(
        "GET",
        "/v1/invoice_payments",
        list_payments,
        fields(
            {
                **PAGING,
                "created": RANGE,
                "invoice": text,
                "payment": fields({"payment_intent": text, "type": one_of("payment_intent")}, ("type",)),
                "status": one_of("canceled", "open", "paid"),
            }
        ),
    ),
]
