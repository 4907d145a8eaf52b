"""Credit notes over the API."""

from apps.stripe_sandbox import clocks, credit_notes, events, lists, store
from apps.stripe_sandbox.credit_notes import Wanted
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.operations import NOTHING, Operation
from apps.stripe_sandbox.parameters import (
    PAGING,
    RANGE,
    fields,
    free_map,
    list_of,
    merge_metadata,
    natural,
    one_of,
    text,
)

LINE = fields(
    {
        "amount": natural,
        "description": text,
        "invoice_line_item": text,
        "metadata": free_map,
        "quantity": natural,
        "type": one_of("custom_line_item", "invoice_line_item"),
        "unit_amount": natural,
    },
    ("type",),
)
CREATE = fields(
    {
        "amount": natural,
        "credit_amount": natural,
        "email_type": one_of("credit_note", "none"),
        "invoice": text,
        "lines": list_of(LINE),
        "memo": text,
        "metadata": free_map,
        "out_of_band_amount": natural,
        "reason": one_of("duplicate", "fraudulent", "order_change", "product_unsatisfactory"),
        "refund_amount": natural,
        "refunds": list_of(fields({"amount_refunded": natural, "refund": text}, ("refund",))),
    },
    ("invoice",),
)


def create(params: Document) -> Document:
    """Issue a credit note for an invoice."""
    invoice = _invoice(params)
    return credit_notes.issue(invoice, _wanted(params), now=clocks.time_on(invoice["test_clock"]))


def preview(params: Document) -> Document:
    """Describe the credit note that a call would issue; nothing is kept."""
    invoice = _invoice(params)
    return credit_notes.describe(invoice, _wanted(params), now=clocks.time_on(invoice["test_clock"]))


def _invoice(params: Document) -> Document:
    return store.get("invoice", params["invoice"], param="invoice", status=400)


def _wanted(params: Document) -> Wanted:
    linked = []
    for number, raw in enumerate(params.get("refunds", [])):
        refund = store.get("refund", raw["refund"], param=f"refunds[{number}][refund]", status=400)
        linked.append((refund["id"], raw.get("amount_refunded", refund["amount"])))
    details: Document = {name: params[name] for name in ("memo", "reason") if name in params}
    return Wanted(
        amount=params.get("amount"),
        lines=params.get("lines", []),
        refund=params.get("refund_amount"),
        credit=params.get("credit_amount"),
        elsewhere=params.get("out_of_band_amount"),
        linked=linked,
        details={**details, "metadata": merge_metadata(None, params.get("metadata"))},
    )


def retrieve(key: str, params: Document) -> Document:
    """Give one credit note."""
    return store.get("credit_note", key)


def update(key: str, params: Document) -> Document:
    """Change a credit note's memo or metadata."""
    before = store.get("credit_note", key)
    after = {**before, **params, "metadata": merge_metadata(before["metadata"], params.get("metadata"))}
    return events.update("credit_note.updated", before, after)


def void(key: str, params: Document) -> Document:
    """Take a credit note back."""
    note = store.get("credit_note", key)
    return credit_notes.void(note, now=clocks.time_on(note["_clock"]))


def list_lines(key: str, params: Document) -> Document:
    """List the lines of a credit note."""
    lines = store.get("credit_note", key)["lines"]
    return lists.page_of_documents(lines["data"], params, lines["url"])


def list_all(params: Document) -> Document:
    """List credit notes."""
    rows = store.select("credit_note", customer=params.get("customer"), body__invoice=params.get("invoice"))
    return lists.page(rows, params, "/v1/credit_notes", kind="credit_note")


OPERATIONS = [
    Operation("POST", "/v1/credit_notes", create, CREATE),
    Operation(
        "GET", "/v1/credit_notes", list_all, fields({**PAGING, "created": RANGE, "customer": text, "invoice": text})
    ),
    Operation("GET", "/v1/credit_notes/preview", preview, CREATE),
    Operation("GET", "/v1/credit_notes/{}", retrieve, NOTHING),
    Operation("POST", "/v1/credit_notes/{}", update, fields({"memo": text, "metadata": free_map})),
    Operation("POST", "/v1/credit_notes/{}/void", void, NOTHING),
    Operation("GET", "/v1/credit_notes/{}/lines", list_lines, fields(PAGING)),
]
