"""Invoices and their payments over the API."""

from apps.stripe_sandbox import (
    clocks,
    collection,
    events,
    invoicing,
    lists,
    payment_methods,
    standing,
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
    clearable,
    fields,
    free_map,
    merge_metadata,
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
        invoicing.cancel_payment(invoice, now=now)
        elsewhere = {**invoice, "amount_paid_off_stripe": invoice["amount_due"]}
        return collection.finish(elsewhere, amount=0, now=now).invoice
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


def update(key: str, params: Document) -> Document:
    """Change what an invoice says beside its amounts."""
    before = store.get("invoice", key, param="invoice")
    after = {**before, **params, "metadata": merge_metadata(before["metadata"], params.get("metadata"))}
    return events.update("invoice.updated", before, after)


def void(key: str, params: Document) -> Document:
    """Cancel an open invoice for good; a change that waits for it is dropped."""
    invoice = store.get("invoice", key, param="invoice")
    if invoice["status"] not in ("open", "uncollectible"):
        raise _not_open(invoice, "void")
    closed = invoicing.close(invoice, "void", now=clocks.time_on(invoice["test_clock"]))
    standing.after_void(closed)
    return closed


def mark_uncollectible(key: str, params: Document) -> Document:
    """Give an open invoice up; it can still be paid or voided."""
    invoice = store.get("invoice", key, param="invoice")
    if invoice["status"] != "open":
        raise _not_open(invoice, "mark as uncollectible")
    return invoicing.close(invoice, "uncollectible", now=clocks.time_on(invoice["test_clock"]))


def _not_open(invoice: Document, act: str) -> Exception:
    message = f"You can only {act} an open invoice. This invoice is {invoice['status']}."
    return invalid(message, code="invoice_not_editable")


def retrieve_payment(key: str, params: Document) -> Document:
    """Give one invoice payment."""
    return store.get("invoice_payment", key)


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
    Operation(
        "POST",
        "/v1/invoices/{}",
        update,
        fields(
            {
                "auto_advance": boolean,
                "description": clearable(text),
                "footer": clearable(text),
                "metadata": free_map,
            }
        ),
    ),
    Operation("POST", "/v1/invoices/{}/void", void, NOTHING),
    Operation("POST", "/v1/invoices/{}/mark_uncollectible", mark_uncollectible, NOTHING),
    Operation("GET", "/v1/invoice_payments/{}", retrieve_payment, NOTHING),
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
