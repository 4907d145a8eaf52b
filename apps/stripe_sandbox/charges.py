"""Charges: what every attempt with a card leaves behind, whether it succeeds or not."""

from apps.stripe_sandbox import addresses, balance_transactions, events, ids
from apps.stripe_sandbox.cards import Decline
from apps.stripe_sandbox.documents import Document

RISK: Document = {"risk_level": "normal", "risk_score": 20}


def keep(intent: Document, method: Document, decline: Decline | None, *, now: int) -> Document:
    """Keep the charge of an attempt; a successful one has its entry in the balance, fee included."""
    card, key = method["card"], ids.new("ch")
    charge: Document = {
        "id": key,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0 if decline else intent["amount"],
        "amount_refunded": 0,
        "balance_transaction": None,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": "SANDBOX MONEY",
        "captured": decline is None,
        "created": now,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": decline.code if decline else None,
        "failure_message": decline.message if decline else None,
        "fraud_details": {},
        "livemode": False,
        "metadata": intent["metadata"],
        "outcome": _outcome(decline),
        "paid": decline is None,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {
            "type": "card",
            "card": {name: card[name] for name in ("brand", "country", "exp_month", "exp_year", "funding", "last4")},
        },
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None if decline else addresses.page(f"/receipts/{key}"),
        "refunded": False,
        "shipping": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "failed" if decline else "succeeded",
    }
    if decline:
        return events.create("charge.failed", charge)
    fee = balance_transactions.stand_in_fee(charge["amount"])
    charge["balance_transaction"] = balance_transactions.record(charge, charge["amount"], fee=fee, now=now)["id"]
    return events.create("charge.succeeded", charge)


def _outcome(decline: Decline | None) -> Document:
    if decline is None:
        return {"type": "authorized", "network_status": "approved_by_network", **RISK}
    reason = decline.decline_code or decline.code
    return {
        "type": "issuer_declined",
        "network_status": "declined_by_network",
        "reason": reason,
        "seller_message": f"The bank returned the decline code `{reason}`.",
        **RISK,
    }
