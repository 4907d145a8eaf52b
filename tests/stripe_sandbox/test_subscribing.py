"""How subscriptions begin."""

import pytest
import stripe as stripe_library

from tests.stripe_sandbox.conftest import DAY, JANUARY, event_types, make_customer, make_price, subscribe

FEBRUARY = JANUARY + 31 * DAY


def test_a_good_card_makes_it_active_and_paid(stripe, premium, clock):
    customer = make_customer(stripe, clock=clock)
    subscription = subscribe(stripe, customer, premium, expand=["latest_invoice.payments"])
    item, invoice = subscription["items"].data[0], subscription.latest_invoice
    assert (subscription.status, subscription.created, subscription.test_clock) == ("active", JANUARY, clock.id)
    assert (item.current_period_start, item.current_period_end) == (JANUARY, FEBRUARY)
    assert (invoice.status, invoice.amount_paid, invoice.attempt_count) == ("paid", 800, 1)
    assert invoice.billing_reason == "subscription_create"
    assert invoice.lines.data[0].description == "1 × Premium (at $8.00 / month)"
    assert invoice.payments.data[0].status == "paid"
    assert stripe.customers.retrieve(customer.id).currency == "usd"


def test_the_first_event_already_names_the_invoice(stripe, premium):
    subscription = subscribe(stripe, make_customer(stripe), premium)
    created = stripe.events.list({"type": "customer.subscription.created"}).data[0].data.object
    updated = stripe.events.list({"type": "customer.subscription.updated"}).data[0].data
    assert (created["status"], created["latest_invoice"]) == ("incomplete", subscription.latest_invoice)
    assert (updated.object["status"], updated.previous_attributes.to_dict()) == ("active", {"status": "incomplete"})


def test_a_real_charge_tells_of_success_before_it_tells_of_payment(stripe, premium):
    subscribe(stripe, make_customer(stripe), premium)
    invoices = [name for name in event_types(stripe) if name.startswith("invoice.")]
    assert invoices == ["invoice.created", "invoice.finalized", "invoice.payment_succeeded", "invoice.paid"]


def test_without_a_card_it_is_refused_and_nothing_is_kept(sandbox, stripe, premium):
    customer = make_customer(stripe, card=None)
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        subscribe(stripe, customer, premium)
    assert refusal.value.user_message.startswith(
        "This customer has no attached payment source or default payment method."
    )
    assert sandbox.objects("subscription") == sandbox.objects("invoice") == []


def test_a_failing_charge_leaves_it_incomplete(stripe, premium):
    customer = make_customer(stripe, card="pm_card_chargeCustomerFail")
    subscription = subscribe(stripe, customer, premium, expand=["latest_invoice.payments.data.payment.payment_intent"])
    intent = subscription.latest_invoice.payments.data[0].payment.payment_intent
    assert (subscription.status, subscription.latest_invoice.status) == ("incomplete", "open")
    assert (intent.status, intent.last_payment_error.decline_code) == ("requires_payment_method", "generic_decline")
    assert subscription.latest_invoice.next_payment_attempt is None


def test_error_if_incomplete_keeps_nothing(sandbox, stripe, premium):
    customer = make_customer(stripe, card="pm_card_chargeCustomerFail")
    with pytest.raises(stripe_library.CardError) as refusal:
        subscribe(stripe, customer, premium, payment_behavior="error_if_incomplete")
    assert refusal.value.code == "card_declined"
    assert sandbox.objects("subscription") == sandbox.objects("charge") == sandbox.objects("invoice") == []


def test_error_if_incomplete_says_when_the_owner_must_act(sandbox, stripe, premium):
    customer = make_customer(stripe, card="pm_card_threeDSecure2Required")
    with pytest.raises(stripe_library.CardError) as refusal:
        subscribe(stripe, customer, premium, payment_behavior="error_if_incomplete")
    assert refusal.value.code == "subscription_payment_intent_requires_action"
    assert sandbox.objects("subscription") == []


def test_default_incomplete_waits_without_charging(sandbox, stripe, premium):
    subscription = subscribe(stripe, make_customer(stripe), premium, payment_behavior="default_incomplete")
    assert subscription.status == "incomplete"
    assert sandbox.objects("charge") == []


def test_a_customer_keeps_their_first_currency(sandbox, stripe, premium):
    customer = make_customer(stripe)
    subscribe(stripe, customer, premium)
    euros = make_price(stripe, "Premium", 800, currency="eur")
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        subscribe(stripe, customer, euros)
    assert refusal.value.param == "items[0][price]"
    assert len(sandbox.objects("subscription")) == 1


def test_a_trial_begins_with_a_paid_invoice_over_nothing(sandbox, stripe, premium, clock):
    customer = make_customer(stripe, card=None, clock=clock)
    subscription = subscribe(stripe, customer, premium, trial_period_days=14, expand=["latest_invoice"])
    assert (subscription.status, subscription.trial_end) == ("trialing", JANUARY + 14 * DAY)
    assert (subscription.latest_invoice.status, subscription.latest_invoice.total) == ("paid", 0)
    assert subscription.latest_invoice.lines.data[0].description == "Trial period for Premium"
    assert "invoice.paid" in event_types(stripe)
    assert "invoice.payment_succeeded" not in event_types(stripe)
    assert sandbox.objects("charge") == []


def test_an_invoice_of_thirty_cents_waits_in_the_balance(stripe):
    price = make_price(stripe, "Tiny", 30)
    customer = make_customer(stripe)
    invoice = subscribe(stripe, customer, price, expand=["latest_invoice"]).latest_invoice
    assert (invoice.status, invoice.attempted, invoice.attempt_count) == ("paid", True, 0)  # S10
    assert (invoice.amount_due, invoice.ending_balance) == (0, 30)
    assert stripe.customers.retrieve(customer.id).balance == 30


def test_paying_the_open_invoice_makes_it_active(stripe, premium):
    customer = make_customer(stripe, card="pm_card_chargeCustomerFail")
    subscription = subscribe(stripe, customer, premium)
    stripe.invoices.pay(subscription.latest_invoice, {"payment_method": "pm_card_visa"})
    after = stripe.subscriptions.retrieve(subscription.id, {"expand": ["latest_invoice"]})
    assert (after.status, after.latest_invoice.status, after.latest_invoice.attempt_count) == ("active", "paid", 1)
