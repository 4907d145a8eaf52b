"""Invoices and their payments over the API."""

from apps.stripe_sandbox import (
    clocks,
    collection,
    invoicing,
    lists,
    payment_methods,
    store,
)
from apps.stripe_sandbox.cards import Verdict
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import invalid
from apps.stripe_sandbox.operations import NOTHING, Operation
from apps.stripe_sandbox.parameters import (
    PAGING,
    RANGE,
    boolean,
    fields,
    one_of,
    text,
)

STATUS = one_of("draft", "open", "paid", "uncollectible", "void")


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
