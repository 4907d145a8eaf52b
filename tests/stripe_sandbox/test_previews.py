"""A preview says what will be charged, to the cent, and keeps nothing."""

import pytest
import stripe as stripe_library
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.stripe_sandbox.conftest import DAY, JANUARY, make_customer, make_price, subscribe
from tests.stripe_sandbox.test_coupons import half

APRIL, MAY = JANUARY + 90 * DAY, JANUARY + 120 * DAY
PLAN = st.tuples(st.integers(51, 99_999), st.integers(1, 4), st.sampled_from(["month", "year"]))


@pytest.fixture
def april(clock):
    clock.advance_to(APRIL)
    return clock


@pytest.fixture
def customer(stripe, april):
    return make_customer(stripe, clock=april)


def preview(stripe, subscription, details=None, **fields):
    fields |= {"subscription": subscription.id, "subscription_details": details or {}}
    return stripe.invoices.create_preview(fields)


def item_of(subscription, price, **fields):
    return [{"id": subscription["items"].data[0].id, "price": price.id, **fields}]


def amounts(invoice):
    return [line.amount for line in invoice.lines.data]


def test_both_ways_between_month_and_year(stripe, customer, premium, april):
    yearly = make_price(stripe, "Premium", 8400, interval="year")
    subscription = subscribe(stripe, customer, premium)
    april.advance(days=15)
    upgrade = preview(stripe, subscription, {"items": item_of(subscription, yearly)})
    assert (amounts(upgrade), upgrade.billing_reason) == ([-400, 8400], "subscription_update")
    stripe.subscriptions.update(subscription.id, {"items": item_of(subscription, yearly)})
    april.advance(days=73)
    downgrade = preview(stripe, subscription, {"items": item_of(subscription, premium)})
    assert (amounts(downgrade), downgrade.amount_due) == ([-6720, 800], 0)
    fields = {"items": item_of(subscription, premium), "expand": ["latest_invoice"]}
    assert stripe.subscriptions.update(subscription.id, fields).latest_invoice.total == -5920
    assert stripe.customers.retrieve(customer.id).balance == -5920


def test_without_always_invoice_it_shows_the_next_renewal(stripe, customer, premium, premium_plus, april):
    subscription = subscribe(stripe, customer, premium)
    april.advance(days=15)
    details = {"items": item_of(subscription, premium_plus)}
    assert amounts(preview(stripe, subscription, details)) == [-400, 2000, 4000]
    assert amounts(preview(stripe, subscription, {**details, "proration_behavior": "none"})) == [4000]
    assert amounts(preview(stripe, subscription, details, preview_mode="recurring")) == [4000]


def test_an_anchor_of_now_begins_a_period(stripe, customer, premium, april):
    subscription = subscribe(stripe, customer, premium)
    april.advance(days=15)
    anchor = {"billing_cycle_anchor": {"type": "now"}}
    shown = preview(stripe, subscription, {**anchor, "proration_behavior": "always_invoice"})
    assert (amounts(shown), shown.lines.data[1].period.start) == ([-400, 800], april.now)
    after = stripe.subscriptions.update(subscription.id, {**anchor, "expand": ["latest_invoice"]})
    assert (after.latest_invoice.total, after.billing_cycle_anchor) == (400, april.now)


def test_a_subscription_that_ends_has_nothing_upcoming(stripe, customer, premium):
    subscription = subscribe(stripe, customer, premium)
    for details in ({"cancel_at_period_end": True}, {"cancel_at": MAY}):
        with pytest.raises(stripe_library.InvalidRequestError) as refusal:
            preview(stripe, subscription, details)
        assert (refusal.value.code, refusal.value.http_status) == ("invoice_upcoming_none", 404)
    stripe.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    with pytest.raises(stripe_library.InvalidRequestError):
        preview(stripe, subscription)
    assert amounts(preview(stripe, subscription, {"cancel_at_period_end": False})) == [800]


def test_ending_now_gives_the_rest_back(stripe, customer, premium, april):
    subscription = subscribe(stripe, customer, premium)
    april.advance(days=15)
    assert amounts(preview(stripe, subscription, {"cancel_now": True})) == [-400]
    assert stripe.subscriptions.retrieve(subscription.id).status == "active"


def test_a_renewal_is_shown_as_its_schedule_will_have_it(stripe, customer, premium, premium_plus, april):
    subscription = subscribe(stripe, customer, premium_plus)
    schedule = stripe.subscription_schedules.create({"from_subscription": subscription.id})
    now = {"start_date": APRIL, "end_date": MAY, "items": [{"price": premium_plus.id}]}
    phases = [now, {"items": [{"price": premium.id}]}]
    rehearsed = stripe.invoices.create_preview({"schedule": schedule.id, "schedule_details": {"phases": phases}})
    assert amounts(rehearsed) == [800]
    assert amounts(stripe.invoices.create_preview({"schedule": schedule.id})) == [4000]
    stripe.subscription_schedules.update(schedule.id, {"phases": phases})
    assert amounts(stripe.invoices.create_preview({"schedule": schedule.id})) == [800]
    assert amounts(preview(stripe, subscription)) == [800]
    april.advance_to(MAY + 7200)
    assert stripe.invoices.list({"customer": customer.id}).data[0].total == 800


def test_phases_can_be_tried_before_there_is_a_schedule(sandbox, stripe, customer, premium, premium_plus):
    subscription = subscribe(stripe, customer, premium_plus)
    now = {"start_date": APRIL, "end_date": MAY, "items": [{"price": premium_plus.id}]}
    details = {"phases": [now, {"items": [{"price": premium.id}]}]}
    fields = {"subscription": subscription.id, "schedule_details": details}
    assert amounts(stripe.invoices.create_preview(fields)) == [800]
    assert sandbox.objects("subscription_schedule") == []
    assert stripe.subscriptions.retrieve(subscription.id).schedule is None


def test_a_discount_can_be_tried(stripe, customer, premium):
    subscription = subscribe(stripe, customer, premium)
    coupon = half(stripe)
    shown = preview(stripe, subscription, discounts=[{"coupon": coupon.id}])
    assert (shown.subtotal, shown.total) == (800, 400)
    assert stripe.coupons.retrieve(coupon.id).times_redeemed == 0
    assert stripe.subscriptions.retrieve(subscription.id).discounts == []


def test_a_new_subscription_is_shown_before_it_begins(sandbox, stripe, customer, premium):
    details = {"items": [{"price": premium.id, "quantity": 2}]}
    fields = {"customer": customer.id, "discounts": [{"coupon": half(stripe).id}]}
    assert stripe.invoices.create_preview({**fields, "subscription_details": details}).total == 800
    details["trial_end"] = MAY
    assert stripe.invoices.create_preview({**fields, "subscription_details": details}).total == 0
    assert sandbox.objects("subscription") == sandbox.objects("invoice") == []


def test_the_end_of_a_trial_can_be_tried(stripe, customer, premium, april):
    subscription = subscribe(stripe, customer, premium, trial_period_days=14)
    assert preview(stripe, subscription).period_end == APRIL + 14 * DAY
    shown = preview(stripe, subscription, {"trial_end": "now"})
    assert (amounts(shown), shown.lines.data[0].period.end) == ([800], MAY)
    after = stripe.subscriptions.update(subscription.id, {"trial_end": "now", "expand": ["latest_invoice"]})
    assert (after.status, after.latest_invoice.total) == ("active", 800)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    plans=st.tuples(PLAN, PLAN),
    seconds=st.integers(1, 27 * DAY),
    off=st.sampled_from([None, "once", "forever"]),
    behavior=st.sampled_from(["always_invoice", "create_prorations", "none"]),
)
def test_the_preview_is_what_is_then_charged(stripe, plans, seconds, off, behavior):
    key = stripe.test_helpers.test_clocks.create({"frozen_time": APRIL}).id
    customer = make_customer(stripe, test_clock=key)
    old, new = (make_price(stripe, "Plan", amount, interval=interval) for amount, _, interval in plans)
    fields = {"discounts": [{"coupon": half(stripe, off).id}]} if off else {}
    items = [{"price": old.id, "quantity": plans[0][1]}]
    subscription = stripe.subscriptions.create({"customer": customer.id, "items": items, **fields})
    stripe.test_helpers.test_clocks.advance(key, {"frozen_time": APRIL + seconds})
    change = {"items": item_of(subscription, new, quantity=plans[1][1]), "proration_behavior": behavior}
    shown = preview(stripe, subscription, change)
    stripe.subscriptions.update(subscription.id, change)
    made = stripe.invoices.list({"subscription": subscription.id}).data
    if len(made) == 1:
        end = stripe.subscriptions.retrieve(subscription.id)["items"].data[0].current_period_end
        stripe.test_helpers.test_clocks.advance(key, {"frozen_time": end + 7200})
        made = stripe.invoices.list({"subscription": subscription.id}).data
    charged = made[0]
    assert amounts(charged) == amounts(shown)
    assert (charged.total, charged.amount_due, charged.billing_reason) == (
        shown.total,
        shown.amount_due,
        shown.billing_reason,
    )
