"""Trials: what happens at their end, how they are moved, and when one is told."""

import pytest
import stripe as stripe_library

from tests.stripe_sandbox.conftest import DAY, JANUARY, event_types, make_customer, subscribe, use_card

WILL_END = "customer.subscription.trial_will_end"


def on_trial(stripe, price, clock, ending="create_invoice", *, card=None, days=14):
    customer = make_customer(stripe, clock=clock, card=card)
    settings = {"end_behavior": {"missing_payment_method": ending}}
    return subscribe(stripe, customer, price, trial_period_days=days, trial_settings=settings)


@pytest.mark.parametrize(
    ("ending", "status"), [("cancel", "canceled"), ("pause", "paused"), ("create_invoice", "past_due")]
)
def test_without_a_card_the_end_is_as_it_was_set(sandbox, stripe, premium, clock, ending, status):
    subscription = on_trial(stripe, premium, clock, ending)
    clock.advance(days=14, hours=2)
    assert stripe.subscriptions.retrieve(subscription.id).status == status
    assert sandbox.objects("charge") == []
    assert len(sandbox.objects("invoice")) == (2 if ending == "create_invoice" else 1)


def test_with_a_card_the_first_period_is_charged(stripe, premium, clock):
    subscription = on_trial(stripe, premium, clock, card="pm_card_visa")
    clock.advance(days=14, hours=2)
    after = stripe.subscriptions.retrieve(subscription.id, {"expand": ["latest_invoice"]})
    assert (after.status, after.latest_invoice.amount_paid) == ("active", 800)
    assert after["items"].data[0].current_period_start == JANUARY + 14 * DAY


def test_its_end_is_told_three_days_before(stripe, premium, clock):
    on_trial(stripe, premium, clock, card="pm_card_visa")
    clock.advance(days=11, hours=-1)
    assert WILL_END not in event_types(stripe)
    clock.advance(hours=1)
    assert event_types(stripe).count(WILL_END) == 1


def test_a_trial_cut_short_is_told_at_once(stripe, premium, clock):
    subscription = on_trial(stripe, premium, clock, card="pm_card_visa")
    moved = stripe.subscriptions.update(subscription.id, {"trial_end": JANUARY + 2 * DAY})
    assert (moved.trial_end, moved["items"].data[0].current_period_end) == (JANUARY + 2 * DAY, JANUARY + 2 * DAY)
    assert event_types(stripe).count(WILL_END) == 1


def test_a_running_subscription_can_be_given_a_trial(stripe, premium, clock):
    clock.advance_to(JANUARY + 90 * DAY)
    subscription = subscribe(stripe, make_customer(stripe, clock=clock), premium)
    clock.advance(days=15)
    until = clock.now + 10 * DAY
    after = stripe.subscriptions.update(subscription.id, {"trial_end": until})
    assert (after.status, after.trial_end, after.billing_cycle_anchor) == ("trialing", until, until)
    clock.advance(days=10, hours=2)
    charged = stripe.subscriptions.retrieve(subscription.id, {"expand": ["latest_invoice"]})
    assert [line.amount for line in charged.latest_invoice.lines.data] == [-400, 800]
    assert (charged.status, charged.latest_invoice.amount_paid) == ("active", 400)


def test_a_trial_cannot_end_in_the_past(stripe, premium, clock):
    subscription = on_trial(stripe, premium, clock)
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        stripe.subscriptions.update(subscription.id, {"trial_end": JANUARY - 1})
    assert refusal.value.param == "trial_end"
    assert stripe.subscriptions.retrieve(subscription.id).trial_end == JANUARY + 14 * DAY


def test_a_change_that_may_wait_carries_nothing_else(stripe, premium):
    subscription = subscribe(stripe, make_customer(stripe), premium)
    fields = {"payment_behavior": "pending_if_incomplete", "cancel_at_period_end": True}
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        stripe.subscriptions.update(subscription.id, fields)
    assert refusal.value.param == "cancel_at_period_end"
    assert stripe.subscriptions.retrieve(subscription.id).cancel_at_period_end is False


def test_a_new_subscription_cannot_be_pending(sandbox, stripe, premium):
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        subscribe(stripe, make_customer(stripe), premium, payment_behavior="pending_if_incomplete")
    assert refusal.value.param == "payment_behavior"
    assert sandbox.objects("subscription") == []


def test_a_change_with_default_incomplete_waits_for_its_owner(sandbox, stripe, premium, premium_plus):
    customer = make_customer(stripe)
    subscription = subscribe(stripe, customer, premium)
    item = {"id": subscription["items"].data[0].id, "price": premium_plus.id}
    fields = {"proration_behavior": "always_invoice", "payment_behavior": "default_incomplete"}
    after = stripe.subscriptions.update(subscription.id, {"items": [item], **fields})
    assert (after.status, len(sandbox.objects("charge"))) == ("past_due", 1)
    use_card(stripe, customer.id, "pm_card_visa")
    stripe.invoices.pay(after.latest_invoice)
    assert stripe.subscriptions.retrieve(subscription.id).status == "active"
