"""Subscription schedules: items that change at a boundary, and what a schedule does not let others touch."""

import pytest
import stripe as stripe_library

from tests.stripe_sandbox.conftest import DAY, JANUARY, event_types, make_customer, make_price, subscribe

FEBRUARY, MARCH, HOURS = JANUARY + 31 * DAY, JANUARY + 59 * DAY, 2


@pytest.fixture
def customer(stripe, clock):
    return make_customer(stripe, clock=clock)


@pytest.fixture
def subscription(stripe, customer, premium_plus):
    return subscribe(stripe, customer, premium_plus)


@pytest.fixture
def schedule(stripe, subscription):
    return stripe.subscription_schedules.create({"from_subscription": subscription.id})


def plan(stripe, schedule, *prices, **fields):
    """The present phase as it is, then each price for a period."""
    present = schedule.phases[0]
    items = [{"price": item.price, "quantity": item.quantity} for item in present["items"]]
    first = {"start_date": present.start_date, "end_date": present.end_date, "items": items}
    later = [{"items": [{"price": price.id, "quantity": 1}]} for price in prices]
    return stripe.subscription_schedules.update(schedule.id, {"phases": [first, *later], **fields})


def price_of(stripe, subscription):
    return stripe.subscriptions.retrieve(subscription.id)["items"].data[0].price.id


def test_takes_over_a_subscription_as_it_is(stripe, subscription, schedule, premium_plus):
    assert (schedule.status, schedule.subscription, schedule.end_behavior) == ("active", subscription.id, "release")
    assert schedule.current_phase.to_dict() == {"start_date": JANUARY, "end_date": FEBRUARY}
    assert [(item.price, item.quantity) for item in schedule.phases[0]["items"]] == [(premium_plus.id, 1)]
    assert stripe.subscriptions.retrieve(subscription.id).schedule == schedule.id
    assert "subscription_schedule.created" in event_types(stripe)


def test_a_second_schedule_is_refused(sandbox, stripe, subscription, schedule):
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        stripe.subscription_schedules.create({"from_subscription": subscription.id})
    assert refusal.value.user_message.startswith("You cannot migrate a subscription that is already attached")
    assert len(sandbox.objects("subscription_schedule")) == 1


def test_a_downgrade_takes_force_at_the_periods_end(stripe, customer, subscription, schedule, premium, clock):
    changed = plan(stripe, schedule, premium, end_behavior="release")
    assert [(phase.start_date, phase.end_date) for phase in changed.phases] == [(JANUARY, FEBRUARY), (FEBRUARY, MARCH)]
    assert price_of(stripe, subscription) != premium.id
    assert len(stripe.invoices.list({"customer": customer.id}).data) == 1
    clock.advance_to(FEBRUARY)
    clock.advance(hours=HOURS)
    assert price_of(stripe, subscription) == premium.id
    renewal = stripe.invoices.list({"customer": customer.id}).data[0]
    assert ([line.amount for line in renewal.lines.data], renewal.status) == ([800], "paid")
    after = stripe.subscription_schedules.retrieve(schedule.id)
    assert after.current_phase.to_dict() == {"start_date": FEBRUARY, "end_date": MARCH}


def test_after_the_last_phase_the_subscription_is_released(stripe, subscription, schedule, premium, clock):
    plan(stripe, schedule, premium)
    clock.advance_to(FEBRUARY)
    clock.advance_to(MARCH)
    after = stripe.subscription_schedules.retrieve(schedule.id)
    assert (after.status, after.subscription, after.released_subscription) == ("released", None, subscription.id)
    assert (after.released_at, after.current_phase) == (MARCH, None)
    free = stripe.subscriptions.retrieve(subscription.id)
    assert (free.status, free.schedule, free["items"].data[0].price.id) == ("active", None, premium.id)
    names = [name for name in event_types(stripe) if name.startswith("subscription_schedule.")]
    assert names == [f"subscription_schedule.{word}" for word in ("created", "updated", "updated", "released")]


def test_with_cancel_the_subscription_ends_with_its_last_phase(stripe, subscription, schedule, clock):
    plan(stripe, schedule, end_behavior="cancel")
    assert stripe.subscriptions.retrieve(subscription.id).cancel_at == FEBRUARY
    clock.advance_to(FEBRUARY)
    after = stripe.subscription_schedules.retrieve(schedule.id)
    assert (after.status, after.completed_at) == ("completed", FEBRUARY)
    gone = stripe.subscriptions.retrieve(subscription.id)
    assert (gone.status, gone.ended_at) == ("canceled", FEBRUARY)


def test_releasing_leaves_the_items_and_takes_the_end_back(stripe, subscription, schedule, premium, clock):
    plan(stripe, schedule, premium, end_behavior="cancel")
    released = stripe.subscription_schedules.release(schedule.id)
    assert (released.status, released.released_subscription) == ("released", subscription.id)
    free = stripe.subscriptions.retrieve(subscription.id)
    assert (free.schedule, free.cancel_at, free.status) == (None, None, "active")
    clock.advance_to(FEBRUARY)
    assert price_of(stripe, subscription) != premium.id


def test_releasing_can_keep_the_end(stripe, subscription, schedule):
    plan(stripe, schedule, end_behavior="cancel")
    stripe.subscription_schedules.release(schedule.id, {"preserve_cancel_date": True})
    assert stripe.subscriptions.retrieve(subscription.id).cancel_at == FEBRUARY


def test_a_released_schedule_is_closed(stripe, schedule, premium):
    stripe.subscription_schedules.release(schedule.id)
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        plan(stripe, schedule, premium)
    assert "currently in the `released` status" in refusal.value.user_message


@pytest.mark.parametrize(
    "fields",
    [{"cancel_at_period_end": True}, {"items": [{"quantity": 2}]}, {"billing_cycle_anchor": {"type": "now"}}],
)
def test_what_a_schedule_decides_cannot_be_touched_beside_it(stripe, subscription, schedule, fields):
    if "items" in fields:
        fields = {"items": [{"id": subscription["items"].data[0].id, "quantity": 2}]}
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        stripe.subscriptions.update(subscription.id, fields)
    message = f"The subscription is managed by the subscription schedule `{schedule.id}`, and updating any"
    assert refusal.value.user_message.startswith(message)
    after = stripe.subscriptions.retrieve(subscription.id)
    assert (after.cancel_at_period_end, after["items"].data[0].quantity) == (False, 1)


def test_ending_the_subscription_ends_the_schedule(stripe, subscription, schedule):
    stripe.subscriptions.cancel(subscription.id)
    assert stripe.subscription_schedules.retrieve(schedule.id).status == "canceled"
    assert "subscription_schedule.canceled" in event_types(stripe)


def test_cancelling_the_schedule_ends_the_subscription(stripe, subscription, schedule):
    assert stripe.subscription_schedules.cancel(schedule.id).status == "canceled"
    assert stripe.subscriptions.retrieve(subscription.id).status == "canceled"


def test_what_changes_in_the_present_phase_changes_at_once(stripe, customer, subscription, schedule, premium, clock):
    clock.advance(days=15)
    items = [{"price": premium.id}]
    phase = {"start_date": JANUARY, "end_date": FEBRUARY, "items": items}
    stripe.subscription_schedules.update(schedule.id, {"phases": [phase], "proration_behavior": "always_invoice"})
    assert price_of(stripe, subscription) == premium.id
    newest = stripe.invoices.list({"customer": customer.id}).data[0]
    assert (newest.billing_reason, newest.total < 0) == ("subscription_update", True)


def test_a_boundary_within_a_period_is_prorated(stripe, customer, subscription, schedule, premium, clock):
    middle = JANUARY + 31 * DAY // 2
    now = {"start_date": JANUARY, "end_date": middle, "items": [{"price": schedule.phases[0]["items"][0].price}]}
    later = {"items": [{"price": premium.id}], "proration_behavior": "always_invoice"}
    stripe.subscription_schedules.update(schedule.id, {"phases": [now, later]})
    clock.advance_to(middle)
    newest = stripe.invoices.list({"customer": customer.id}).data[0]
    assert [line.amount for line in newest.lines.data] == [-2000, 400]


def test_the_next_phase_may_have_another_interval(stripe, subscription, schedule, clock):
    yearly = make_price(stripe, "Premium", 8400, interval="year")
    plan(stripe, schedule, yearly)
    clock.advance_to(FEBRUARY)
    after = stripe.subscriptions.retrieve(subscription.id)
    assert (after["items"].data[0].price.id, after.billing_cycle_anchor) == (yearly.id, FEBRUARY)
    assert after["items"].data[0].current_period_end == FEBRUARY + 365 * DAY


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"start_date": JANUARY + DAY}, "phases[0][start_date]"),
        ({"end_date": JANUARY}, "phases[0][end_date]"),
        ({"duration": {"interval": "month"}}, "phases[0][end_date]"),
    ],
)
def test_phases_that_make_no_sense_are_refused(stripe, schedule, premium, change, param):
    phase = {"start_date": JANUARY, "end_date": FEBRUARY, "items": [{"price": premium.id}], **change}
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        stripe.subscription_schedules.update(schedule.id, {"phases": [phase]})
    assert refusal.value.param == param
    assert stripe.subscription_schedules.retrieve(schedule.id).phases[0]["items"][0].price != premium.id


def test_a_schedule_is_found_by_its_customer(stripe, customer, schedule):
    other = make_customer(stripe)
    assert [found.id for found in stripe.subscription_schedules.list({"customer": customer.id}).data] == [schedule.id]
    assert stripe.subscription_schedules.list({"customer": other.id}).data == []


def test_a_schedule_and_its_subscription_name_each_other_when_expanded(stripe, subscription, schedule):
    found = stripe.subscriptions.retrieve(subscription.id, {"expand": ["schedule"]})
    assert found.schedule.phases[0].start_date == JANUARY
    assert stripe.subscription_schedules.retrieve(schedule.id, {"expand": ["subscription"]}).subscription.id == found.id


def test_a_phase_has_the_discounts_that_it_names_and_no_others(stripe, customer, premium, premium_plus, clock):
    coupon = stripe.coupons.create({"percent_off": 50, "duration": "forever"})
    subscription = subscribe(stripe, customer, premium_plus, discounts=[{"coupon": coupon.id}])
    schedule = stripe.subscription_schedules.create({"from_subscription": subscription.id})
    present = schedule.phases[0]
    kept = [{"discount": each.discount} for each in present.discounts]
    first = {"start_date": JANUARY, "end_date": FEBRUARY, "items": [{"price": premium_plus.id}], "discounts": kept}
    second = {"items": [{"price": premium.id}], "end_date": MARCH, "discounts": kept, "metadata": {"plan": "premium"}}
    stripe.subscription_schedules.update(schedule.id, {"phases": [first, second, {"items": [{"price": premium.id}]}]})
    clock.advance_to(FEBRUARY + 7200)
    assert stripe.invoices.list({"customer": customer.id}).data[0].total == 400
    assert stripe.subscriptions.retrieve(subscription.id).metadata.to_dict() == {"plan": "premium"}
    clock.advance_to(MARCH + 7200)
    assert stripe.invoices.list({"customer": customer.id}).data[0].total == 800
    assert stripe.subscriptions.retrieve(subscription.id).discounts == []
