"""Disputes: opened by a test card or by hand, answered, won, lost, accepted."""

import pytest
import stripe as stripe_library

from tests.stripe_sandbox.conftest import event_types, make_customer, subscribe


@pytest.fixture
def customer(stripe):
    return make_customer(stripe, card=None)


def charge(stripe, customer, card="pm_card_createDispute"):
    fields = {"amount": 2000, "currency": "usd", "customer": customer.id, "payment_method": card, "confirm": True}
    return stripe.payment_intents.create(fields)


@pytest.fixture
def dispute(stripe, customer):
    return stripe.disputes.list({"payment_intent": charge(stripe, customer).id}).data[0]


def decide(sandbox, dispute, outcome):
    return sandbox.http.post(f"/_sandbox/api/disputes/{dispute.id}/decide", json={"outcome": outcome})


def test_a_card_made_for_it_is_disputed_after_success(stripe, customer):
    intent = charge(stripe, customer)
    assert intent.status == "succeeded"
    assert stripe.charges.retrieve(intent.latest_charge).disputed is True
    (found,) = stripe.disputes.list({"charge": intent.latest_charge}).data
    assert (found.amount, found.reason, found.status) == (2000, "fraudulent", "needs_response")
    assert [entry.net for entry in found.balance_transactions] == [-3500]
    assert stripe.disputes.retrieve(found.id, {"expand": ["charge"]}).charge.id == intent.latest_charge
    assert event_types(stripe)[-3:] == [
        "payment_intent.succeeded",
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
    ]


def test_a_charge_that_is_charged_back_is_not_refunded(stripe, dispute):
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        stripe.refunds.create({"charge": dispute.charge})
    assert refusal.value.code == "charge_disputed"
    assert stripe.refunds.list({"charge": dispute.charge}).data == []


@pytest.mark.parametrize(
    ("outcome", "nets", "events"),
    [
        ("won", [-3500, 2000], ["charge.dispute.funds_reinstated", "charge.dispute.closed"]),
        ("prevented", [-3500, 2000], ["charge.dispute.funds_reinstated", "charge.dispute.closed"]),
        ("lost", [-3500], ["charge.dispute.funds_withdrawn", "charge.dispute.closed"]),
    ],
)
def test_the_bank_decides(sandbox, stripe, dispute, outcome, nets, events):
    assert decide(sandbox, dispute, outcome).status_code == 200
    found = stripe.disputes.retrieve(dispute.id)
    assert (found.status, [entry.net for entry in found.balance_transactions]) == (outcome, nets)
    assert event_types(stripe)[-2:] == events
    again = decide(sandbox, dispute, "won")
    assert (again.status_code, again.json()) == (400, {"error": "This dispute is already closed."})
    assert stripe.disputes.retrieve(dispute.id).status == outcome


def test_evidence_can_be_kept_for_later_and_then_submitted(stripe, dispute):
    kept = stripe.disputes.update(dispute.id, {"evidence": {"product_description": "Chat"}, "submit": False})
    assert (kept.status, kept.evidence_details.has_evidence) == ("needs_response", True)
    assert kept.evidence_details.submission_count == 0
    sent = stripe.disputes.update(dispute.id, {"evidence": {"customer_name": "Ana"}, "metadata": {"a": "1"}})
    assert (sent.status, sent.evidence.product_description, sent.metadata.to_dict()) == (
        "under_review",
        "Chat",
        {"a": "1"},
    )
    assert sent.evidence_details.submission_count == 1
    assert event_types(stripe)[-2:] == ["charge.dispute.updated", "charge.dispute.updated"]


@pytest.mark.parametrize(("text", "status"), [("winning_evidence", "won"), ("losing_evidence", "lost")])
def test_a_deciding_text_decides_as_in_test_mode(stripe, dispute, text, status):
    assert stripe.disputes.update(dispute.id, {"evidence": {"uncategorized_text": text}}).status == status


def test_it_can_be_accepted_and_is_closed_then(stripe, dispute):
    assert stripe.disputes.close(dispute.id).status == "lost"
    with pytest.raises(stripe_library.InvalidRequestError, match="already closed"):
        stripe.disputes.close(dispute.id)
    with pytest.raises(stripe_library.InvalidRequestError, match="already closed"):
        stripe.disputes.update(dispute.id, {"evidence": {"customer_name": "Ana"}})
    assert stripe.disputes.retrieve(dispute.id).evidence.customer_name is None


def test_an_inquiry_takes_no_money_and_comes_to_nothing(sandbox, stripe, customer):
    intent = charge(stripe, customer, "pm_card_createDisputeInquiry")
    (found,) = stripe.disputes.list({"charge": intent.latest_charge}).data
    assert (found.status, found.balance_transactions, found.is_charge_refundable) == (
        "warning_needs_response",
        [],
        True,
    )
    assert stripe.charges.retrieve(intent.latest_charge).disputed is False
    assert decide(sandbox, found, "won").status_code == 400
    assert decide(sandbox, found, "warning_closed").status_code == 200
    assert stripe.disputes.retrieve(found.id).status == "warning_closed"


def test_any_charge_can_be_disputed_by_hand(sandbox, stripe, customer):
    intent = charge(stripe, customer, "pm_card_visa")
    address = f"/_sandbox/api/charges/{intent.latest_charge}/dispute"
    made = sandbox.http.post(address, json={"reason": "product_not_received"}).json()
    assert (made["reason"], stripe.disputes.retrieve(made["id"]).status) == ("product_not_received", "needs_response")
    assert sandbox.http.post("/_sandbox/api/charges/ch_x/dispute", json={}).status_code == 404
    assert sandbox.http.post(address, data={"reason": "fraudulent"}).status_code == 400
    assert len(sandbox.objects("dispute")) == 1


def test_neither_a_refund_nor_a_dispute_ends_a_subscription(sandbox, stripe, premium):
    """Scenario 7: a refund without a cancellation, a dispute, won again; the subscription lives on."""
    customer = make_customer(stripe, card="pm_card_visa")
    subscription = subscribe(stripe, customer, premium)
    (paid,) = stripe.charges.list({"customer": customer.id}).data
    stripe.refunds.create({"charge": paid.id, "amount": 300})
    assert stripe.subscriptions.retrieve(subscription.id).status == "active"
    made = sandbox.http.post(f"/_sandbox/api/charges/{paid.id}/dispute", json={}).json()
    assert made["amount"] == 500
    assert stripe.subscriptions.retrieve(subscription.id).status == "active"
    assert decide(sandbox, stripe.disputes.retrieve(made["id"]), "won").status_code == 200
    assert stripe.subscriptions.retrieve(subscription.id).status == "active"
    assert stripe.charges.retrieve(paid.id).amount_refunded == 300
