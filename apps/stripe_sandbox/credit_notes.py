"""Credit notes: what is taken off an invoice after it was finalised, before it is paid or after."""

from dataclasses import dataclass, field
from fractions import Fraction

from apps.stripe_sandbox import addresses, collection, events, ids, intents, invoicing, refunds, store
from apps.stripe_sandbox.documents import Document, list_of
from apps.stripe_sandbox.errors import invalid

HALF = Fraction(1, 2)


@dataclass(frozen=True)
class Wanted:
    """What a caller asks for; amounts are minor units.

    amount  the whole, tax included; or `lines`, each without tax.
    refund, credit, elsewhere  where it goes when the invoice is paid: the card, the balance, outside of Stripe.
    linked  refunds that were made before: (id, amount).
    """

    amount: int | None = None
    lines: list[Document] = field(default_factory=list)
    refund: int | None = None
    credit: int | None = None
    elsewhere: int | None = None
    linked: list[tuple[str, int]] = field(default_factory=list)
    details: Document = field(default_factory=dict)


def describe(invoice: Document, wanted: Wanted, *, now: int) -> Document:
    """Describe a credit note that is not kept yet.

    Raises  StripeError 400: the invoice is a draft or void, there is not so much left, or the parts do not add up.
    """
    if invoice["status"] not in ("open", "paid"):
        raise invalid("Credit notes can only be created for open or paid invoices.", "invoice")
    key, is_paid = ids.new("cn"), invoice["status"] == "paid"
    lines = [_line(invoice, each, number) for number, each in enumerate(wanted.lines)] or [_whole(invoice, wanted)]
    subtotal = sum(line["amount"] for line in lines)
    total = wanted.amount if wanted.amount is not None else subtotal + sum(_taxes_of(line) for line in lines)
    _require_room(invoice, total)
    if is_paid:
        _require_parts(wanted, total)
    return {
        "id": key,
        "object": "credit_note",
        "amount": total,
        "amount_shipping": 0,
        "created": now,
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "customer_balance_transaction": None,
        "discount_amount": 0,
        "discount_amounts": [],
        "effective_at": now,
        "invoice": invoice["id"],
        "lines": list_of(lines, f"/v1/credit_notes/{key}/lines"),
        "livemode": False,
        "memo": None,
        "metadata": {},
        "number": f"{invoice['number']}-CN-{_count(invoice) + 1:02}",
        "out_of_band_amount": wanted.elsewhere,
        "pdf": addresses.page(f"/credit-notes/{key}"),
        "pretax_credit_amounts": [],
        "reason": None,
        "refunds": [
            {"amount_refunded": amount, "refund": refund, "type": "refund"} for refund, amount in wanted.linked
        ],
        "shipping_cost": None,
        "status": "issued",
        "total_taxes": [tax for line in lines for tax in line["taxes"]],
        "voided_at": None,
        **_sums(subtotal, total, is_paid=is_paid),
        **wanted.details,
        "_clock": invoice["test_clock"],
    }


def _sums(subtotal: int, total: int, *, is_paid: bool) -> Document:
    return {
        "post_payment_amount": total if is_paid else 0,
        "pre_payment_amount": 0 if is_paid else total,
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal,
        "total": total,
        "total_excluding_tax": subtotal,
        "type": "post_payment" if is_paid else "pre_payment",
    }


def issue(invoice: Document, wanted: Wanted, *, now: int) -> Document:
    """Issue a credit note: less is due, or money goes back to the card or to the customer's balance."""
    note = describe(invoice, wanted, now=now)
    if note["type"] == "pre_payment":
        events.create("credit_note.created", note)
        _lower(invoice, note["amount"], now=now)
        return note
    if wanted.refund:
        made = refunds.refund(_charge_of(invoice), wanted.refund, metadata={})
        note["refunds"].append({"amount_refunded": wanted.refund, "refund": made["id"], "type": "refund"})
    if wanted.credit:
        note["customer_balance_transaction"] = _credit(note, wanted.credit, now=now)["id"]
    credited = invoice["post_payment_credit_notes_amount"] + note["amount"]
    events.create("credit_note.created", note)
    events.update("invoice.updated", invoice, {**invoice, "post_payment_credit_notes_amount": credited})
    return note


def void(note: Document, *, now: int) -> Document:
    """Take a credit note back, so long as its invoice is open.

    Raises  StripeError 400: the invoice is not open any more, or the note is void already.
    """
    invoice = store.read("invoice", note["invoice"])
    if note["status"] == "void":
        raise invalid("This credit note has already been voided.")
    if invoice["status"] != "open":
        raise invalid("You can only void a credit note if its invoice is open.")
    _lower(invoice, -note["amount"], now=now)
    after = {**note, "status": "void", "voided_at": now}
    store.save(after)
    events.emit("credit_note.voided", after)
    return after


def _line(invoice: Document, raw: Document, number: int) -> Document:
    """Write one line, by a line of the invoice or by words."""
    path = f"lines[{number}]"
    if raw["type"] == "custom_line_item":
        if "description" not in raw or "unit_amount" not in raw:
            raise invalid(f"Missing required param: {path}[unit_amount].", f"{path}[unit_amount]", "parameter_missing")
        quantity = raw.get("quantity", 1)
        return _built(raw["unit_amount"] * quantity, invoice, raw, quantity=quantity)
    lines = {line["id"]: line for line in invoice["lines"]["data"]}
    line = lines.get(raw.get("invoice_line_item", ""))
    if line is None:
        message = f"No such invoice line item: '{raw.get('invoice_line_item', '')}'"
        raise invalid(message, f"{path}[invoice_line_item]", "resource_missing")
    quantity, net = raw.get("quantity"), line["amount"] - sum(each["amount"] for each in line["discount_amounts"])
    amount = raw["amount"] if "amount" in raw else net * (quantity or line["quantity"]) // (line["quantity"] or 1)
    if not 0 < amount <= net:
        raise invalid("The amount must be more than 0 and no more than the line's.", f"{path}[amount]")
    return _built(amount, invoice, {"description": line["description"], **raw}, quantity=quantity, line=line["id"])


def _whole(invoice: Document, wanted: Wanted) -> Document:
    """Write the one line of a note that only names its amount; tax is the share it has in the invoice."""
    if wanted.amount is None:
        raise invalid("You must specify one of `amount` or `lines`.", "amount", "parameter_missing")
    share = Fraction(invoice["total_excluding_tax"], invoice["total"]) if invoice["total"] else Fraction(1)
    net = int(wanted.amount * share + HALF)
    return _built(net, invoice, {"description": invoice["description"]}, quantity=1, tax=wanted.amount - net)


def _built(
    amount: int,
    invoice: Document,
    raw: Document,
    *,
    quantity: int | None,
    line: str | None = None,
    tax: int | None = None,
) -> Document:
    named = {"invoice_line_item": line} if line else {}
    unit = amount if not line and quantity in (None, 1) else raw.get("unit_amount")
    return {
        "id": ids.new("cnli"),
        "object": "credit_note_line_item",
        "amount": amount,
        "description": raw.get("description"),
        "discount_amount": 0,
        "discount_amounts": [],
        "livemode": False,
        "metadata": raw.get("metadata") or {},
        "pretax_credit_amounts": [],
        "quantity": quantity,
        "tax_rates": [],
        "taxes": _taxes(amount, invoice, tax),
        "type": "invoice_line_item" if line else "custom_line_item",
        "unit_amount": unit,
        "unit_amount_decimal": None if unit is None else str(unit),
        **named,
    }


def _taxes(amount: int, invoice: Document, fixed: int | None) -> list[Document]:
    """Give the tax on an amount as the invoice had it."""
    found: list[Document] = []
    for tax in invoice["total_taxes"]:
        share = Fraction(tax["amount"], tax["taxable_amount"]) if tax["taxable_amount"] else Fraction(0)
        taxed = fixed if fixed is not None else int(amount * share + HALF)
        found.append({**tax, "amount": taxed, "taxable_amount": amount})
    return found


def _taxes_of(line: Document) -> int:
    return sum(int(tax["amount"]) for tax in line["taxes"])


def _require_room(invoice: Document, total: int) -> None:
    given = invoice["post_payment_credit_notes_amount"]
    room = invoice["amount_remaining"] if invoice["status"] == "open" else invoice["total"] - given
    if total < 1:
        raise invalid("This value must be greater than or equal to 1.", "amount", "parameter_invalid_integer")
    if total > room:
        asked, left = (invoicing.format_amount(each, invoice["currency"]) for each in (total, room))
        raise invalid(f"The credit note amount ({asked}) is more than what is left on the invoice ({left}).", "amount")


def _require_parts(wanted: Wanted, total: int) -> None:
    linked = sum(amount for _, amount in wanted.linked)
    parts = (wanted.refund or 0) + (wanted.credit or 0) + (wanted.elsewhere or 0) + linked
    if parts != total:
        message = (
            "The sum of credit amount, refund amount, out of band amount and refunds must equal the credit note "
            f"amount: {parts} is not {total}."
        )
        raise invalid(message, "amount")


def _count(invoice: Document) -> int:
    return store.select("credit_note", body__invoice=invoice["id"]).count()


def _charge_of(invoice: Document) -> Document:
    intent = invoicing.intent_of(invoice)
    charge = store.find("charge", intent["latest_charge"]) if intent else None
    if charge is None:
        raise invalid("This invoice has no charge to refund.", "refund_amount")
    return charge


def _credit(note: Document, amount: int, *, now: int) -> Document:
    """Give an amount to the customer's balance, and keep the entry."""
    customer = store.read("customer", note["customer"])
    balance = customer["balance"] - amount
    events.update("customer.updated", customer, {**customer, "balance": balance})
    return store.insert(
        {
            "id": ids.new("cbtxn"),
            "object": "customer_balance_transaction",
            "amount": -amount,
            "checkout_session": None,
            "created": now,
            "credit_note": note["id"],
            "currency": note["currency"],
            "customer": note["customer"],
            "description": None,
            "ending_balance": balance,
            "invoice": note["invoice"],
            "livemode": False,
            "metadata": {},
            "type": "credit_note",
        }
    )


def _lower(invoice: Document, amount: int, *, now: int) -> None:
    """Make less due on an open invoice, or more again; with nothing left it is paid."""
    due = invoice["amount_due"] - amount
    credited = invoice["pre_payment_credit_notes_amount"] + amount
    after = {
        **invoice,
        "amount_due": due,
        "amount_remaining": due,
        "pre_payment_credit_notes_amount": credited,
    }
    intent = invoicing.intent_of(invoice)
    if due == 0:
        store.save(after)
        if intent:
            invoicing.cancel_payment(after, now=now)
        collection.finish(after, amount=0, now=now)
        return
    events.update("invoice.updated", invoice, after)
    if intent:
        intents.resize(intent, due)
