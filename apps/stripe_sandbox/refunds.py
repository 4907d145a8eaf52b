"""Refunds: money goes back to a card, in one piece or several; the subscription does not end."""

from apps.stripe_sandbox import balance_transactions, clocks, events, ids, invoicing, payment_methods, store
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import invalid


def refund(charge: Document, amount: int | None = None, *, reason: str | None = None, metadata: Document) -> Document:
    """Give back what is left of a charge, or a part; as it is answered, before a failing card sends it back.

    amount  minor units.
    Raises  StripeError 400: nothing is left, not so much, or the charge is disputed.
    """
    amount = _require_refundable(charge, amount)
    method = store.read("payment_method", charge["payment_method"])
    card, now = payment_methods.card_of(method), clocks.time_of_customer(store.find("customer", charge["customer"]))
    made: Document = {
        "id": ids.new("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "customer": charge["customer"],
        "destination_details": {
            "card": {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"},
            "type": "card",
        },
        "metadata": metadata,
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "pending" if card.refunding == "pending" else "succeeded",
        "transfer_reversal": None,
    }
    made["balance_transaction"] = balance_transactions.record(made, -amount, now=now)["id"]
    events.create("refund.created", made)
    total = charge["amount_refunded"] + amount
    after = {**charge, "amount_refunded": total, "refunded": total == charge["amount"]}
    events.update("charge.refunded", charge, after)
    if card.refunding:
        _arrive(made, after, card.refunding, now=now)
    return made


def _require_refundable(charge: Document, amount: int | None) -> int:
    left: int = charge["amount"] - charge["amount_refunded"]
    currency = charge["currency"]
    if charge["status"] != "succeeded":
        raise invalid(f"This charge ({charge['id']}) has not succeeded and cannot be refunded.", "charge")
    if left == 0:
        raise invalid(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    if _is_charged_back(charge):
        message = f"Charge {charge['id']} has been charged back; cannot issue a refund."
        raise invalid(message, code="charge_disputed")
    if amount is None:
        return left
    if amount < 1:
        raise invalid("This value must be greater than or equal to 1.", "amount", "parameter_invalid_integer")
    if amount > left:
        asked, rest = (invoicing.format_amount(each, currency) for each in (amount, left))
        raise invalid(f"Refund amount ({asked}) is greater than unrefunded amount on charge ({rest})", "amount")
    return amount


def _is_charged_back(charge: Document) -> bool:
    found = store.documents(store.select("dispute", body__charge=charge["id"]))
    return any(not each["is_charge_refundable"] for each in found)


def _arrive(made: Document, charge: Document, end: str, *, now: int) -> None:
    """Let a refund to a test card end as the card is made for: it arrives late, or comes back."""
    if end == "pending":
        _tell(made, {**made, "status": "succeeded"})
        return
    entry = balance_transactions.record(made, made["amount"], now=now, category="refund_failure")
    failed = {**made, "status": "failed", "failure_reason": "unknown", "failure_balance_transaction": entry["id"]}
    _tell(made, failed)
    events.emit("refund.failed", failed)
    rest = charge["amount_refunded"] - made["amount"]
    events.update("charge.updated", charge, {**charge, "amount_refunded": rest, "refunded": False})


def _tell(before: Document, after: Document) -> None:
    events.update("refund.updated", before, after)
    events.emit("charge.refund.updated", after, before=before)
