"""Time passing on a test clock: the scenarios 1, 2, 4 and 5 of the design, and what lies between."""

import pytest

from tests.stripe_sandbox.conftest import DAY, JANUARY, event_types, make_customer, subscribe, use_card

FEBRUARY, MARCH = JANUARY + 31 * DAY, JANUARY + 59 * DAY
HOUR = 3600


def test_a_renewal_is_a_draft_for_an_hour_and_then_paid(stripe, premium, clock):
    customer = make_customer(stripe, clock=clock)
    subscription = subscribe(stripe, customer, premium)
    clock.advance_to(FEBRUARY)
    draft = stripe.invoices.list({"customer": customer.id}).data[0]
    assert (draft.status, draft.automatically_finalizes_at) == ("draft", FEBRUARY + HOUR)
    assert (draft.billing_reason, draft.period_start, draft.period_end) == ("subscription_cycle", JANUARY, FEBRUARY)
    assert stripe.subscriptions.retrieve(subscription.id)["items"].data[0].current_period_end == MARCH
    clock.advance(hours=1)
    paid = stripe.invoices.retrieve(draft.id)
    assert (paid.status, paid.amount_paid) == ("paid", 800)
    assert stripe.subscriptions.retrieve(subscription.id).status == "active"
    assert event_types(stripe).count("invoice.paid") == 2


@pytest.fixture
def failing(stripe, premium, clock):
    """Subscribed with a good card, which was then replaced by one that always fails."""
    customer = make_customer(stripe, clock=clock)
    subscription = subscribe(stripe, customer, premium)
    use_card(stripe, customer.id, "pm_card_chargeCustomerFail")
    return subscription


def test_a_failed_renewal_is_past_due_and_ends_after_all_retries(stripe, failing, clock):
    clock.advance_to(FEBRUARY + HOUR)
    invoice = stripe.invoices.list({"subscription": failing.id}).data[0]
    assert (invoice.status, invoice.attempt_count) == ("open", 1)
    assert invoice.next_payment_attempt == FEBRUARY + HOUR + int(1.75 * DAY)
    assert stripe.subscriptions.retrieve(failing.id).status == "past_due"
    assert stripe.customers.retrieve(failing.customer).delinquent is True
    clock.advance(days=27)
    after = stripe.subscriptions.retrieve(failing.id)
    assert (after.status, after.cancellation_details.reason) == ("canceled", "payment_failed")
    assert after.ended_at == FEBRUARY + HOUR + 14 * DAY
    closed = stripe.invoices.retrieve(invoice.id)
    assert (closed.status, closed.attempt_count, closed.next_payment_attempt) == ("open", 9, None)
    names = event_types(stripe)
    assert names.count("invoice.payment_failed") == 9
    assert names.index("invoice.payment_failed") < names.index("customer.subscription.deleted")


def test_a_good_card_recovers_at_the_next_retry(stripe, failing, clock):
    clock.advance_to(FEBRUARY + HOUR)
    use_card(stripe, failing.customer, "pm_card_visa")
    clock.advance(days=2)
    assert stripe.subscriptions.retrieve(failing.id).status == "active"
    invoice = stripe.invoices.list({"subscription": failing.id}).data[0]
    assert (invoice.status, invoice.attempt_count) == ("paid", 2)
    assert stripe.customers.retrieve(failing.customer).delinquent is False


def test_paying_by_hand_never_raises_the_count(stripe, failing, clock):
    clock.advance_to(FEBRUARY + HOUR)
    invoice = stripe.invoices.list({"subscription": failing.id}).data[0]
    paid = stripe.invoices.pay(invoice.id, {"payment_method": "pm_card_visa"})
    assert (paid.status, paid.attempt_count) == ("paid", 1)
    assert stripe.subscriptions.retrieve(failing.id).status == "active"


def test_a_hopeless_card_is_counted_and_not_charged_again(sandbox, stripe, premium, clock):
    customer = make_customer(stripe, clock=clock)
    subscription = subscribe(stripe, customer, premium)
    sandbox.fault("decline_next", match=customer.id, decline_code="stolen_card")
    clock.advance_to(FEBRUARY + HOUR + 4 * DAY)
    invoice = stripe.invoices.list({"subscription": subscription.id}).data[0]
    assert (invoice.status, invoice.attempt_count) == ("open", 3)
    assert [charge["status"] for charge in sandbox.objects("charge")] == ["failed", "succeeded"]
    use_card(stripe, customer.id, "pm_card_mastercard")
    clock.advance(days=2)
    assert stripe.invoices.retrieve(invoice.id).status == "paid"


def test_a_renewal_that_needs_its_owner_says_so(stripe, premium, clock):
    customer = make_customer(stripe, clock=clock)
    subscription = subscribe(stripe, customer, premium)
    use_card(stripe, customer.id, "pm_card_authenticationRequired")
    clock.advance_to(FEBRUARY + HOUR)
    assert stripe.subscriptions.retrieve(subscription.id).status == "past_due"
    assert "invoice.payment_action_required" in event_types(stripe)


def test_cancelling_at_the_end_keeps_it_active_until_then(stripe, premium, clock):
    subscription = subscribe(stripe, make_customer(stripe, clock=clock), premium)
    clock.advance(days=3)
    asked = stripe.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    assert (asked.status, asked.cancel_at_period_end) == ("active", True)
    assert (asked.canceled_at, asked.cancel_at, asked.ended_at) == (JANUARY + 3 * DAY, FEBRUARY, None)
    clock.advance_to(FEBRUARY + HOUR)
    ended = stripe.subscriptions.retrieve(subscription.id)
    assert (ended.status, ended.canceled_at, ended.ended_at) == ("canceled", JANUARY + 3 * DAY, FEBRUARY)
    assert ended.cancellation_details.reason == "cancellation_requested"
    assert len(stripe.invoices.list({"subscription": subscription.id}).data) == 1
    assert event_types(stripe).count("customer.subscription.deleted") == 1


def test_a_cancellation_can_be_taken_back(stripe, premium, clock):
    subscription = subscribe(stripe, make_customer(stripe, clock=clock), premium)
    stripe.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    back = stripe.subscriptions.update(subscription.id, {"cancel_at_period_end": False})
    assert (back.cancel_at_period_end, back.cancel_at, back.canceled_at) == (False, None, None)
    clock.advance_to(FEBRUARY + HOUR)
    assert stripe.subscriptions.retrieve(subscription.id).status == "active"


def test_a_first_payment_left_open_expires_after_23_hours(stripe, premium, clock):
    customer = make_customer(stripe, card="pm_card_threeDSecure2Required", clock=clock)
    subscription = subscribe(stripe, customer, premium)
    assert subscription.status == "incomplete"
    clock.advance(hours=22)
    assert stripe.subscriptions.retrieve(subscription.id).status == "incomplete"
    clock.advance(days=1)
    after = stripe.subscriptions.retrieve(subscription.id, {"expand": ["latest_invoice"]})
    assert (after.status, after.latest_invoice.status) == ("incomplete_expired", "void")
    assert after.ended_at == JANUARY + 23 * HOUR


def test_a_trial_warns_three_days_before_and_then_is_paid(stripe, premium, clock):
    subscription = subscribe(stripe, make_customer(stripe, clock=clock), premium, trial_period_days=14)
    clock.advance(days=10)
    assert "customer.subscription.trial_will_end" not in event_types(stripe)
    clock.advance(days=1)
    assert event_types(stripe).count("customer.subscription.trial_will_end") == 1
    clock.advance(days=3, hours=1)
    after = stripe.subscriptions.retrieve(subscription.id, {"expand": ["latest_invoice"]})
    assert (after.status, after.latest_invoice.amount_paid) == ("active", 800)


@pytest.mark.parametrize(
    ("behavior", "status"), [("cancel", "canceled"), ("pause", "paused"), ("create_invoice", "past_due")]
)
def test_a_trial_without_a_card_ends_as_it_was_told(stripe, premium, clock, behavior, status):
    customer = make_customer(stripe, card=None, clock=clock)
    settings = {"end_behavior": {"missing_payment_method": behavior}}
    subscription = subscribe(stripe, customer, premium, trial_period_days=14, trial_settings=settings)
    clock.advance(days=14, hours=1)
    assert stripe.subscriptions.retrieve(subscription.id).status == status


def test_collection_can_be_paused_and_the_subscription_stays_active(sandbox, stripe, premium, clock):
    subscription = subscribe(stripe, make_customer(stripe, clock=clock), premium)
    stripe.subscriptions.update(subscription.id, {"pause_collection": {"behavior": "void"}})
    clock.advance_to(FEBRUARY + HOUR)
    assert stripe.subscriptions.retrieve(subscription.id).status == "active"
    assert [invoice["status"] for invoice in sandbox.objects("invoice")] == ["void", "paid"]
    assert len(sandbox.objects("charge")) == 1


def test_a_year_of_one_customer_passes_quickly(stripe, premium, clock):
    customer = make_customer(stripe, clock=clock)
    subscribe(stripe, customer, premium)
    for _ in range(6):
        clock.advance(days=59)
    paid = stripe.invoices.list({"customer": customer.id, "limit": 100, "status": "paid"}).data
    assert sorted(invoice.period_end for invoice in paid)[-1] > JANUARY + 330 * DAY
    assert [invoice.amount_paid for invoice in paid] == [800] * 12


def test_a_trial_cut_short_is_charged_at_once(stripe, premium, clock):
    subscription = subscribe(stripe, make_customer(stripe, clock=clock), premium, trial_period_days=14)
    clock.advance(days=5)
    after = stripe.subscriptions.update(subscription.id, {"trial_end": "now", "expand": ["latest_invoice"]})
    assert (after.status, after.trial_end, after.billing_cycle_anchor) == ("active", clock.now, clock.now)
    assert (after.latest_invoice.status, after.latest_invoice.amount_paid) == ("paid", 800)
