"""Refunds: in one piece or several, too much, twice, and to cards that send them back."""

import pytest
import stripe as stripe_library

from tests.stripe_sandbox.conftest import event_types, make_customer


def pay(stripe, card="pm_card_visa", amount=2000):
    customer = make_customer(stripe, card=None)
    fields = {"amount": amount, "currency": "usd", "customer": customer.id, "payment_method": card, "confirm": True}
    return stripe.payment_intents.create(fields)


def test_several_parts_make_a_whole_and_then_nothing_is_left(stripe):
    intent = pay(stripe)
    first = stripe.refunds.create({"payment_intent": intent.id, "amount": 500, "reason": "requested_by_customer"})
    assert (first.status, first.amount, first.reason) == ("succeeded", 500, "requested_by_customer")
    charge = stripe.charges.retrieve(intent.latest_charge)
    assert (charge.amount_refunded, charge.refunded) == (500, False)
    rest = stripe.refunds.create({"charge": intent.latest_charge}, {"idempotency_key": "rest"})
    assert rest.amount == 1500
    charge = stripe.charges.retrieve(intent.latest_charge, {"expand": ["refunds"]})
    assert (charge.amount_refunded, charge.refunded) == (2000, True)
    assert [each.id for each in charge.refunds.data] == [rest.id, first.id]
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        stripe.refunds.create({"charge": intent.latest_charge})
    assert refusal.value.code == "charge_already_refunded"
    assert refusal.value.user_message == f"Charge {charge.id} has already been refunded."
    assert len(stripe.refunds.list({"payment_intent": intent.id}).data) == 2


def test_its_entry_in_the_balance_returns_no_fee(stripe):
    refund = stripe.refunds.create({"payment_intent": pay(stripe).id, "expand": ["balance_transaction"]})
    assert (refund.balance_transaction.amount, refund.balance_transaction.fee) == (-2000, 0)
    assert event_types(stripe)[-2:] == ["refund.created", "charge.refunded"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"amount": 2001}, "Refund amount ($20.01) is greater than unrefunded amount on charge ($20.00)"),
        ({"amount": 0}, "This value must be greater than or equal to 1."),
        ({"reason": "bored"}, "Invalid reason: must be one of duplicate, fraudulent or requested_by_customer"),
        ({"charge": "ch_x"}, "No such charge: 'ch_x'"),
    ],
)
def test_refuses_what_cannot_go_back(stripe, fields, message):
    intent = pay(stripe)
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        stripe.refunds.create({"payment_intent": intent.id, **fields})
    assert refusal.value.user_message == message
    assert stripe.charges.retrieve(intent.latest_charge).amount_refunded == 0


def test_a_payment_that_failed_has_nothing_to_give_back(sandbox, stripe):
    with pytest.raises(stripe_library.CardError) as decline:
        pay(stripe, "pm_card_chargeCustomerFail")
    with pytest.raises(stripe_library.InvalidRequestError):
        stripe.refunds.create({"charge": decline.value.error.charge})
    with pytest.raises(stripe_library.InvalidRequestError, match="payment_intent or charge"):
        stripe.refunds.create({"amount": 5})
    assert sandbox.objects("refund") == []


def test_a_card_that_is_gone_sends_it_back(stripe):
    intent = pay(stripe, "pm_card_refundFail")
    refund = stripe.refunds.create({"payment_intent": intent.id, "amount": 500})
    assert refund.status == "succeeded"
    found = stripe.refunds.retrieve(refund.id)
    assert (found.status, found.failure_reason) == ("failed", "unknown")
    assert stripe.charges.retrieve(intent.latest_charge).amount_refunded == 0
    assert {"refund.updated", "refund.failed", "charge.refund.updated"} <= set(event_types(stripe))


def test_a_slow_bank_is_pending_first(stripe):
    refund = stripe.refunds.create({"payment_intent": pay(stripe, "pm_card_pendingRefund").id})
    assert (refund.status, stripe.refunds.retrieve(refund.id).status) == ("pending", "succeeded")


def test_notes_can_be_changed(stripe):
    refund = stripe.refunds.create({"payment_intent": pay(stripe).id, "metadata": {"case": "7"}})
    changed = stripe.refunds.update(refund.id, {"metadata": {"case": "8"}})
    assert (changed.metadata.to_dict(), changed.amount) == ({"case": "8"}, 2000)
