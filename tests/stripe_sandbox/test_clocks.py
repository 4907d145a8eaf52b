import time

import pytest
import stripe as stripe_library

from tests.stripe_sandbox.conftest import DAY, JANUARY, event_types, make_customer, subscribe


def test_says_that_it_advances_and_then_that_it_is_ready(stripe, clock):
    answer = clock.advance(days=1)
    assert (answer.status, answer.status_details.advancing.target_frozen_time) == ("advancing", JANUARY + DAY)
    after = stripe.test_helpers.test_clocks.retrieve(clock.id)
    assert (after.status, after.frozen_time) == ("ready", JANUARY + DAY)
    assert event_types(stripe) == [
        "test_helpers.test_clock.created",
        "test_helpers.test_clock.advancing",
        "test_helpers.test_clock.ready",
    ]


@pytest.mark.parametrize("days", [0, -1, 731])
def test_refuses_to_stand_still_to_go_back_and_to_leap(clock, days):
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        clock.advance(days=days)
    assert refusal.value.param == "frozen_time"
    assert clock.now == JANUARY


def test_refuses_more_than_two_periods_of_a_subscription(stripe, premium, clock):
    subscribe(stripe, make_customer(stripe, clock=clock), premium)
    with pytest.raises(stripe_library.InvalidRequestError):
        clock.advance(days=60)
    clock.advance(days=59)


def test_refuses_a_fourth_customer(stripe, clock):
    for _ in range(3):
        make_customer(stripe, card=None, clock=clock)
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        make_customer(stripe, card=None, clock=clock)
    assert refusal.value.param == "test_clock"
    assert len(stripe.customers.list({"test_clock": clock.id}).data) == 3


def test_takes_a_customer_who_is_there(stripe, premium):
    customer = make_customer(stripe)
    subscription = subscribe(stripe, customer, premium)
    end = subscription["items"].data[0].current_period_end
    made = stripe.test_helpers.test_clocks.create({"frozen_time": subscription.created, "customer": customer.id})
    stripe.test_helpers.test_clocks.advance(made.id, {"frozen_time": end + 3600})
    assert stripe.subscriptions.retrieve(subscription.id).test_clock == made.id
    assert [invoice.status for invoice in stripe.invoices.list({"customer": customer.id}).data] == ["paid", "paid"]


def test_deleting_a_clock_deletes_its_customers_and_subscriptions(stripe, premium, clock):
    customer = make_customer(stripe, clock=clock)
    subscription = subscribe(stripe, customer, premium)
    assert stripe.test_helpers.test_clocks.delete(clock.id).deleted is True
    assert stripe.customers.retrieve(customer.id).deleted is True
    assert stripe.subscriptions.retrieve(subscription.id).status == "canceled"


def test_two_clocks_do_not_touch_each_other(stripe, premium, clock):
    other = stripe.test_helpers.test_clocks.create({"frozen_time": JANUARY})
    customer = make_customer(stripe, clock=clock)
    subscription = subscribe(stripe, customer, premium)
    stripe.test_helpers.test_clocks.advance(other.id, {"frozen_time": JANUARY + 40 * DAY})
    assert len(stripe.invoices.list({"subscription": subscription.id}).data) == 1


def test_nothing_on_a_clock_can_be_changed_while_it_advances(sandbox, stripe, premium, clock):
    customer = make_customer(stripe, clock=clock)
    subscription = subscribe(stripe, customer, premium)
    elsewhere = make_customer(stripe)
    sandbox.fault("clock_lag", match=clock.id, seconds=1)
    clock.advance(days=1)
    assert stripe.test_helpers.test_clocks.retrieve(clock.id).status == "advancing"
    changes = [
        lambda: clock.advance_to(JANUARY + 2 * DAY),
        lambda: stripe.test_helpers.test_clocks.delete(clock.id),
        lambda: stripe.customers.update(customer.id, {"name": "Ben"}),
        lambda: stripe.subscriptions.cancel(subscription.id),
        lambda: subscribe(stripe, customer, premium),
    ]
    for change in changes:
        with pytest.raises(stripe_library.RateLimitError) as refusal:
            change()
        assert "Test clock advancement underway - cannot perform modifications" in str(refusal.value)
    assert stripe.customers.update(elsewhere.id, {"name": "Ben"}).name == "Ben"
    assert "test_helpers.test_clock.ready" not in event_types(stripe)
    time.sleep(1)
    assert stripe.test_helpers.test_clocks.retrieve(clock.id).status == "ready"
    assert event_types(stripe)[-1] == "test_helpers.test_clock.ready"
    assert len(stripe.subscriptions.list({"customer": customer.id}).data) == 1


def test_a_clock_that_fails_says_so_and_has_done_nothing(sandbox, stripe, premium, clock):
    subscription = subscribe(stripe, make_customer(stripe, clock=clock), premium)
    sandbox.fault("clock_failure")
    clock.advance(days=32)
    after = stripe.test_helpers.test_clocks.retrieve(clock.id)
    assert (after.status, after.frozen_time) == ("internal_failure", JANUARY)
    assert event_types(stripe)[-1] == "test_helpers.test_clock.internal_failure"
    assert len(stripe.invoices.list({"subscription": subscription.id}).data) == 1
    assert stripe.test_helpers.test_clocks.delete(clock.id).deleted is True


def test_a_year_of_one_customer_takes_no_five_seconds(stripe, premium, clock):
    subscription = subscribe(stripe, make_customer(stripe, clock=clock), premium)
    begun = time.monotonic()
    for month in range(1, 13):
        clock.advance_to(JANUARY + month * 31 * DAY)
    assert time.monotonic() - begun < 5
    paid = stripe.invoices.list({"subscription": subscription.id, "status": "paid", "limit": 100}).data
    assert len(paid) == 13
