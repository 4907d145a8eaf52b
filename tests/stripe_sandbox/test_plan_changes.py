"""Changing a running subscription."""

import pytest
import stripe as stripe_library

from tests.stripe_sandbox.conftest import DAY, JANUARY, event_types, make_customer, make_price, subscribe, use_card

APRIL = JANUARY + 90 * DAY  # a month of 30 days begins here


@pytest.fixture
def april(clock):
    clock.advance_to(APRIL)
    return clock


def change(stripe, subscription, price, **fields):
    item = subscription["items"].data[0].id
    return stripe.subscriptions.update(subscription.id, {"items": [{"id": item, "price": price.id}], **fields})


def test_an_upgrade_is_charged_at_once(stripe, premium, premium_plus, april):
    subscription = subscribe(stripe, make_customer(stripe, clock=april), premium)
    april.advance(days=15)
    fields = {"proration_behavior": "always_invoice", "expand": ["latest_invoice"]}
    after = change(stripe, subscription, premium_plus, **fields)
    invoice = after.latest_invoice
    assert [line.amount for line in invoice.lines.data] == [-400, 2000]  # S5
    assert (invoice.total, invoice.amount_paid, invoice.status) == (1600, 1600, "paid")
    assert invoice.billing_reason == "subscription_update"
    assert [line.description for line in invoice.lines.data] == [
        "Unused time on Premium after 16 Apr 2026",
        "Remaining time on Premium+ after 16 Apr 2026",
    ]
    assert after["items"].data[0].price.id == premium_plus.id
    assert after["items"].data[0].current_period_end == APRIL + 30 * DAY


def test_a_downgrade_becomes_credit_that_the_next_renewal_uses(stripe, premium, premium_plus, april):
    customer = make_customer(stripe, clock=april)
    subscription = subscribe(stripe, customer, premium_plus)
    april.advance(days=15)
    after = change(stripe, subscription, premium, proration_behavior="always_invoice", expand=["latest_invoice"])
    assert (after.latest_invoice.total, after.latest_invoice.amount_due) == (-1600, 0)  # S7
    assert after.latest_invoice.status == "paid"
    assert stripe.customers.retrieve(customer.id).balance == -1600
    april.advance(days=15, hours=2)
    renewal = stripe.invoices.list({"customer": customer.id}).data[0]
    balances = (renewal.starting_balance, renewal.amount_due, renewal.ending_balance)
    assert (renewal.total, *balances, renewal.status) == (800, -1600, 0, -800, "paid")  # S8


def test_the_preview_says_what_the_change_then_costs(sandbox, stripe, premium, premium_plus, april):
    subscription = subscribe(stripe, make_customer(stripe, clock=april), premium)
    april.advance(days=10)
    item = {"id": subscription["items"].data[0].id, "price": premium_plus.id}
    details = {"items": [item], "proration_behavior": "always_invoice", "proration_date": april.now}
    preview = stripe.invoices.create_preview({"subscription": subscription.id, "subscription_details": details})
    assert [line.amount for line in preview.lines.data] == [-534, 2666]  # S6
    assert preview.amount_due == 2132
    assert len(sandbox.objects("invoice")) == 1
    fields = {"proration_behavior": "always_invoice", "proration_date": april.now, "expand": ["latest_invoice"]}
    assert change(stripe, subscription, premium_plus, **fields).latest_invoice.total == 2132


def test_the_preview_of_a_renewal_needs_no_change(stripe, premium, clock):
    subscription = subscribe(stripe, make_customer(stripe, clock=clock), premium)
    preview = stripe.invoices.create_preview({"subscription": subscription.id})
    assert (preview.total, preview.period_end) == (800, JANUARY + 31 * DAY)


def test_create_prorations_waits_for_the_renewal(stripe, premium, premium_plus, april):
    customer = make_customer(stripe, clock=april)
    subscription = subscribe(stripe, customer, premium)
    april.advance(days=15)
    change(stripe, subscription, premium_plus)
    assert len(stripe.invoices.list({"customer": customer.id}).data) == 1
    april.advance(days=15, hours=2)
    renewal = stripe.invoices.list({"customer": customer.id}).data[0]
    assert [line.amount for line in renewal.lines.data] == [-400, 2000, 4000]
    assert renewal.amount_paid == 5600


def test_another_interval_begins_a_new_period_now(stripe, premium, april):
    yearly = make_price(stripe, "Premium", 8400, interval="year")
    subscription = subscribe(stripe, make_customer(stripe, clock=april), premium)
    april.advance(days=15)
    after = change(stripe, subscription, yearly, expand=["latest_invoice"])
    assert [line.amount for line in after.latest_invoice.lines.data] == [-400, 8400]
    assert after.billing_cycle_anchor == APRIL + 15 * DAY
    assert after["items"].data[0].current_period_end == APRIL + (15 + 365) * DAY


def test_a_change_without_prorations_costs_nothing_today(stripe, premium, premium_plus, april):
    customer = make_customer(stripe, clock=april)
    subscription = subscribe(stripe, customer, premium)
    change(stripe, subscription, premium_plus, proration_behavior="none")
    assert len(stripe.invoices.list({"customer": customer.id}).data) == 1


def test_a_failing_upgrade_makes_it_past_due(stripe, premium, premium_plus):
    customer = make_customer(stripe)
    subscription = subscribe(stripe, customer, premium)
    use_card(stripe, customer.id, "pm_card_chargeCustomerFail")
    after = change(stripe, subscription, premium_plus, proration_behavior="always_invoice")
    assert (after.status, after["items"].data[0].price.id) == ("past_due", premium_plus.id)


def test_error_if_incomplete_leaves_the_old_plan(sandbox, stripe, premium, premium_plus):
    customer = make_customer(stripe)
    subscription = subscribe(stripe, customer, premium)
    use_card(stripe, customer.id, "pm_card_chargeCustomerFail")
    fields = {"proration_behavior": "always_invoice", "payment_behavior": "error_if_incomplete"}
    with pytest.raises(stripe_library.CardError):
        change(stripe, subscription, premium_plus, **fields)
    after = stripe.subscriptions.retrieve(subscription.id)
    assert (after.status, after["items"].data[0].price.id) == ("active", premium.id)
    assert len(sandbox.objects("invoice")) == 1


@pytest.fixture
def pending(stripe, premium, premium_plus, april):
    customer = make_customer(stripe, clock=april)
    subscription = subscribe(stripe, customer, premium)
    use_card(stripe, customer.id, "pm_card_chargeCustomerFail")
    april.advance(days=15)
    fields = {"proration_behavior": "always_invoice", "payment_behavior": "pending_if_incomplete"}
    return change(stripe, subscription, premium_plus, **fields)


def test_an_unpaid_change_stays_pending_beside_the_old_plan(pending, premium, premium_plus, april):
    assert (pending.status, pending["items"].data[0].price.id) == ("active", premium.id)
    assert pending.pending_update.subscription_items[0].price.id == premium_plus.id
    assert pending.pending_update.expires_at == april.now + 23 * 3600


def test_paying_brings_a_pending_change_into_force(stripe, pending, premium_plus):
    stripe.invoices.pay(pending.latest_invoice, {"payment_method": "pm_card_visa"})
    after = stripe.subscriptions.retrieve(pending.id)
    assert (after.pending_update, after["items"].data[0].price.id) == (None, premium_plus.id)
    assert "customer.subscription.pending_update_applied" in event_types(stripe)


def test_a_pending_change_expires_after_23_hours(stripe, pending, premium, april):
    april.advance(hours=23)
    after = stripe.subscriptions.retrieve(pending.id, {"expand": ["latest_invoice"]})
    assert (after.status, after.pending_update) == ("active", None)
    assert (after["items"].data[0].price.id, after.latest_invoice.status) == (premium.id, "void")
    assert "customer.subscription.pending_update_expired" in event_types(stripe)


def test_voiding_its_invoice_drops_a_pending_change(stripe, pending, premium):
    stripe.invoices.void_invoice(pending.latest_invoice)
    after = stripe.subscriptions.retrieve(pending.id)
    assert (after.status, after.pending_update, after["items"].data[0].price.id) == ("active", None, premium.id)
    assert event_types(stripe).count("customer.subscription.pending_update_expired") == 1
    with pytest.raises(stripe_library.InvalidRequestError):
        stripe.invoices.pay(pending.latest_invoice, {"payment_method": "pm_card_visa"})
    assert stripe.subscriptions.retrieve(pending.id)["items"].data[0].price.id == premium.id


def test_giving_its_invoice_up_leaves_a_pending_change(stripe, pending, premium_plus):
    stripe.invoices.mark_uncollectible(pending.latest_invoice)
    after = stripe.subscriptions.retrieve(pending.id)
    assert after.pending_update.subscription_items[0].price.id == premium_plus.id
    assert "customer.subscription.pending_update_expired" not in event_types(stripe)


def test_another_change_drops_the_pending_one(stripe, pending, premium_plus):
    use_card(stripe, pending.customer, "pm_card_visa")
    after = change(stripe, pending, premium_plus, proration_behavior="always_invoice")
    assert (after.pending_update, after["items"].data[0].price.id) == (None, premium_plus.id)
    assert stripe.invoices.retrieve(pending.latest_invoice).status == "void"
    assert stripe.invoices.retrieve(after.latest_invoice).total == 1600


def test_a_pending_change_of_interval_moves_the_anchor_when_paid(stripe, premium, april):
    yearly = make_price(stripe, "Premium", 8400, interval="year")
    customer = make_customer(stripe, clock=april)
    subscription = subscribe(stripe, customer, premium)
    use_card(stripe, customer.id, "pm_card_chargeCustomerFail")
    april.advance(days=15)
    waiting = change(stripe, subscription, yearly, payment_behavior="pending_if_incomplete")
    assert (waiting.billing_cycle_anchor, waiting.pending_update.billing_cycle_anchor) == (APRIL, april.now)
    stripe.invoices.pay(waiting.latest_invoice, {"payment_method": "pm_card_visa"})
    after = stripe.subscriptions.retrieve(subscription.id)
    assert (after.billing_cycle_anchor, after["items"].data[0].price.id) == (april.now, yearly.id)


def test_a_paid_change_is_never_pending(stripe, premium, premium_plus):
    subscription = subscribe(stripe, make_customer(stripe), premium)
    fields = {"proration_behavior": "always_invoice", "payment_behavior": "pending_if_incomplete"}
    after = change(stripe, subscription, premium_plus, **fields)
    assert (after.pending_update, after["items"].data[0].price.id) == (None, premium_plus.id)


def test_items_of_two_rhythms_are_refused(stripe, premium):
    yearly = make_price(stripe, "Extra", 8400, interval="year")
    subscription = subscribe(stripe, make_customer(stripe), premium)
    with pytest.raises(stripe_library.InvalidRequestError):
        stripe.subscriptions.update(subscription.id, {"items": [{"price": yearly.id}]})
    assert len(stripe.subscription_items.list({"subscription": subscription.id}).data) == 1
