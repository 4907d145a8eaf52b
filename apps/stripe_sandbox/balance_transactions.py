"""What a movement of money costs and leaves: a stand-in for Stripe's fees, and one entry for each movement."""

from apps.stripe_sandbox import ids, store
from apps.stripe_sandbox.documents import Document

# 2.9 % and 30 minor units for each charge, 15.00 for each dispute: near Stripe's price list, declared as ours.
FEE_PER_MILLE, FIXED_FEE, DISPUTE_FEE = 29, 30, 1500
TYPES = {"charge": "charge", "refund": "refund", "dispute": "adjustment"}
WAIT_S = 2 * 86400  # until the money of a charge is available


def stand_in_fee(amount: int) -> int:
    """Give the fee for a charge, in minor units: the percentage is rounded half up."""
    return (amount * FEE_PER_MILLE + 500) // 1000 + FIXED_FEE


def record(source: Document, amount: int, *, fee: int = 0, now: int, category: str | None = None) -> Document:
    """Keep the entry for one movement: positive comes in, negative goes out.

    category  Stripe's `reporting_category`, where it is not the kind of the source.
    """
    kind = str(source["object"])
    details = [
        {"amount": fee, "application": None, "currency": source["currency"], "description": text, "type": "stripe_fee"}
        for text in (["Dispute fee" if kind == "dispute" else "Stripe processing fees"] if fee else [])
    ]
    return store.insert(
        {
            "id": ids.new("txn"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": now + WAIT_S if kind == "charge" else now,
            "balance_type": "payments",
            "created": now,
            "currency": source["currency"],
            "description": source.get("description"),
            "exchange_rate": None,
            "fee": fee,
            "fee_details": details,
            "net": amount - fee,
            "reporting_category": category or kind,
            "source": source["id"],
            "status": "pending" if kind == "charge" else "available",
            "type": TYPES[kind],
        }
    )
