"""Pausing, going on, and collection that is held back for a while."""

import pytest
import stripe as stripe_library

from tests.stripe_sandbox.conftest import DAY, JANUARY, event_types, make_customer, subscribe, use_card

APRIL, MAY = JANUARY + 90 * DAY, JANUARY + 120 * DAY


@pytest.fixture
def customer(stripe, clock):
    clock.advance_to(APRIL)
    return make_customer(stripe, clock=clock)


@pytest.fixture
def subscription(stripe, customer, premium):
    return subscribe(stripe, customer, premium)


def invoices_of(stripe, customer):
    return stripe.invoices.list({"customer": customer.id}).data


def test_a_paused_subscription_is_not_renewed(stripe, customer, subscription, clock):
    paused = stripe.subscriptions.pause(subscription.id)
    assert (paused.status, paused.status_details.paused.subscription.type) == ("paused", "pause_requested")
    assert "customer.subscription.paused" in event_types(stripe)
    clock.advance(days=40)
    assert len(invoices_of(stripe, customer)) == 1


def test_it_goes_on_with_a_new_period(stripe, customer, subscription, clock):
    stripe.subscriptions.pause(subscription.id)
    clock.advance(days=40)
    after = stripe.subscriptions.resume(subscription.id, {"billing_cycle_anchor": {"type": "now"}})
    assert (after.status, after.status_details, after.billing_cycle_anchor) == ("active", None, clock.now)
    assert [invoice.amount_paid for invoice in invoices_of(stripe, customer)] == [800, 800]
    assert "customer.subscription.resumed" in event_types(stripe)


def test_within_a_paid_period_nothing_is_due(stripe, customer, subscription, clock):
    stripe.subscriptions.pause(subscription.id)
    clock.advance(days=5)
    after = stripe.subscriptions.resume(subscription.id, {"billing_cycle_anchor": {"type": "unchanged"}})
    assert (after.status, after.billing_cycle_anchor) == ("active", APRIL)
    assert len(invoices_of(stripe, customer)) == 1


def test_with_the_old_anchor_only_the_rest_of_the_period_is_due(stripe, customer, subscription, clock):
    stripe.subscriptions.pause(subscription.id)
    clock.advance(days=30)
    stripe.subscriptions.resume(subscription.id, {"billing_cycle_anchor": {"type": "unchanged"}})
    assert invoices_of(stripe, customer)[0].total == 800
    stripe.subscriptions.pause(subscription.id, {"bill_for": {"unused_time_from": {"type": "now"}}})
    stripe.subscriptions.resume(subscription.id)
    assert [line.amount for line in invoices_of(stripe, customer)[0].lines.data] == [-800, 800]


def test_without_payment_it_stays_paused_until_paid(stripe, customer, subscription, clock):
    stripe.subscriptions.pause(subscription.id)
    clock.advance(days=40)
    use_card(stripe, customer.id, "pm_card_chargeCustomerFail")
    waiting = stripe.subscriptions.resume(subscription.id)
    assert waiting.status == "paused"
    stripe.invoices.pay(waiting.latest_invoice, {"payment_method": "pm_card_visa"})
    assert stripe.subscriptions.retrieve(subscription.id).status == "active"


def test_only_a_paused_subscription_goes_on(stripe, customer, subscription):
    with pytest.raises(stripe_library.InvalidRequestError):
        stripe.subscriptions.resume(subscription.id)
    stripe.subscriptions.cancel(subscription.id)
    with pytest.raises(stripe_library.InvalidRequestError):
        stripe.subscriptions.pause(subscription.id)
    assert len(invoices_of(stripe, customer)) == 1


@pytest.mark.parametrize(
    ("behavior", "status"), [("void", "void"), ("mark_uncollectible", "uncollectible"), ("keep_as_draft", "draft")]
)
def test_collection_is_held_back_until_its_day(stripe, customer, subscription, clock, behavior, status):
    pause = {"behavior": behavior, "resumes_at": MAY + DAY}
    stripe.subscriptions.update(subscription.id, {"pause_collection": pause})
    clock.advance_to(MAY + 7200)
    assert (invoices_of(stripe, customer)[0].status, invoices_of(stripe, customer)[0].amount_paid) == (status, 0)
    assert stripe.subscriptions.retrieve(subscription.id).status == "active"
    clock.advance(days=1)
    assert stripe.subscriptions.retrieve(subscription.id).pause_collection is None
    clock.advance(days=31)
    assert invoices_of(stripe, customer)[0].status == "paid"
