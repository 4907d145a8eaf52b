"""Disputes: the owner of a card takes a payment back, and the bank decides."""

from apps.stripe_sandbox import balance_transactions, events, ids, store
from apps.stripe_sandbox.balance_transactions import DISPUTE_FEE
from apps.stripe_sandbox.cards import Card
from apps.stripe_sandbox.documents import Document, Json, public
from apps.stripe_sandbox.errors import invalid
from apps.stripe_sandbox.parameters import merge_metadata

DAYS_TO_ANSWER_S = 9 * 86400
# What the bank's own code for a reason is; Visa's.
NETWORK_CODES = {"fraudulent": "10.4", "product_not_received": "13.1"}
OPEN = ("needs_response", "under_review", "warning_needs_response", "warning_under_review")
OUTCOMES = ("won", "lost", "warning_closed", "prevented")
# What Stripe's test mode decides by, when it stands in the evidence.
DECIDING_TEXTS = {"winning_evidence": "won", "losing_evidence": "lost"}
EVIDENCE = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
)


def open_by_card(charge: Document, card: Card, *, now: int) -> Document | None:
    """Dispute a successful charge where the test card is made for it."""
    if card.dispute is None:
        return None
    return open_dispute(charge, card.dispute, is_inquiry=card.is_inquiry, now=now)


def open_dispute(charge: Document, reason: str, *, is_inquiry: bool = False, now: int) -> Document:
    """Dispute a charge; the money is taken at once, but not by an inquiry."""
    dispute: Document = {
        "id": ids.new("du"),
        "object": "dispute",
        "amount": charge["amount"] - charge["amount_refunded"],
        "balance_transactions": [],
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(EVIDENCE), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": now + DAYS_TO_ANSWER_S,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": is_inquiry,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": {
                "brand": charge["payment_method_details"]["card"]["brand"],
                "case_type": "inquiry" if is_inquiry else "chargeback",
                "network": charge["payment_method_details"]["card"]["brand"],
                "network_reason_code": NETWORK_CODES.get(reason, "10.4"),
            },
            "type": "card",
        },
        "reason": reason,
        "status": "warning_needs_response" if is_inquiry else "needs_response",
        "_customer": charge["customer"],
        "_clock": _clock_of(charge),
    }
    store.save({**charge, "disputed": not is_inquiry})
    events.create("charge.dispute.created", dispute)
    return dispute if is_inquiry else _withdraw(dispute, now=now)


def answer(dispute: Document, evidence: Document, metadata: Json, *, submits: bool, now: int) -> Document:
    """Lay evidence before the bank, or keep it for later; a deciding text decides at once, as in test mode.

    Raises  StripeError 400: the dispute is closed.
    """
    if evidence and dispute["status"] not in OPEN:
        raise invalid("This dispute is already closed and its evidence can no longer be changed.", "evidence")
    details, status = dispute["evidence_details"], dispute["status"]
    details = {**details, "has_evidence": details["has_evidence"] or any(evidence.values())}
    if submits and details["has_evidence"] and status in OPEN:
        status = "warning_under_review" if status.startswith("warning") else "under_review"
        details |= {"submission_count": details["submission_count"] + 1, "submission_method": "manual"}
    after = {
        **dispute,
        "evidence": {**dispute["evidence"], **evidence},
        "evidence_details": details,
        "metadata": merge_metadata(dispute["metadata"], metadata),
        "status": status,
    }
    events.update("charge.dispute.updated", dispute, after)
    outcome = DECIDING_TEXTS.get(evidence.get("uncategorized_text") or "") if submits else None
    return decide(after, outcome, now=now) if outcome and not status.startswith("warning") else after


def decide(dispute: Document, outcome: str, *, now: int) -> Document:
    """End a dispute as the bank would: won, lost, prevented, or an inquiry that came to nothing.

    Raises  StripeError 400: it is closed already, or this is no outcome for it.
    """
    if dispute["status"] not in OPEN:
        raise invalid("This dispute is already closed.")
    is_inquiry = dispute["status"].startswith("warning")
    if outcome not in OUTCOMES or (outcome == "warning_closed") != is_inquiry:
        fitting = ["warning_closed"] if is_inquiry else [each for each in OUTCOMES if each != "warning_closed"]
        raise invalid(f"Invalid outcome: must be one of {', '.join(fitting)}", "outcome")
    after = {**dispute, "status": outcome, "is_charge_refundable": outcome in ("warning_closed", "won")}
    if outcome in ("won", "prevented"):
        after = _reinstate(after, now=now)
    store.save(after)
    events.emit("charge.dispute.closed", after)
    return after


def close(dispute: Document, *, now: int) -> Document:
    """Accept a dispute: the money stays with the owner of the card.

    Raises  StripeError 400: it is closed already.
    """
    return decide(dispute, "warning_closed" if dispute["status"].startswith("warning") else "lost", now=now)


def _withdraw(dispute: Document, *, now: int) -> Document:
    entry = balance_transactions.record(dispute, -dispute["amount"], fee=DISPUTE_FEE, now=now)
    return _move(dispute, entry, "charge.dispute.funds_withdrawn")


def _reinstate(dispute: Document, *, now: int) -> Document:
    """Give the money back; the fee stays paid."""
    entry = balance_transactions.record(dispute, dispute["amount"], now=now, category="dispute_reversal")
    return _move(dispute, entry, "charge.dispute.funds_reinstated")


def _move(dispute: Document, entry: Document, kind: str) -> Document:
    after = {**dispute, "balance_transactions": [*dispute["balance_transactions"], public(entry)]}
    store.save(after)
    events.emit(kind, after)
    return after


def _clock_of(charge: Document) -> str | None:
    customer = store.find("customer", charge["customer"])
    return customer.get("test_clock") if customer else None
