"""Metered prices: nothing beforehand, at the period's end what the meter counted, to the unit."""

import pytest
import stripe as stripe_library

from tests.stripe_sandbox.conftest import JANUARY, make_customer
from tests.stripe_sandbox.test_meters import HOUR, make_meter, refusal_of, report, used

FEBRUARY = 1769904000  # 1 February 2026, 00:00 UTC


@pytest.fixture
def meter(stripe):
    return make_meter(stripe)


@pytest.fixture
def tokens(stripe, meter):
    """USD 0.0005 for each token, by the month."""
    return make_metered(stripe, meter, "0.05")


@pytest.fixture
def customer(stripe, clock):
    return make_customer(stripe, clock=clock)


def make_metered(stripe, meter, amount):
    recurring = {"interval": "month", "usage_type": "metered", "meter": meter.id}
    fields = {"currency": "usd", "unit_amount_decimal": amount, "product_data": {"name": "Tokens"}}
    return stripe.prices.create({**fields, "recurring": recurring})


def subscribe(stripe, customer, *prices):
    fields = {"customer": customer.id, "items": [{"price": price.id} for price in prices]}
    return stripe.subscriptions.create({**fields, "expand": ["latest_invoice"]})


def latest(stripe, subscription):
    return stripe.subscriptions.retrieve(subscription.id, {"expand": ["latest_invoice"]}).latest_invoice


def lines_of(invoice):
    return [(line.description, line.quantity, line.amount) for line in invoice.lines.data]


def test_a_metered_price_has_a_meter_and_fractions(stripe, meter, tokens):
    assert (tokens.unit_amount, str(tokens.unit_amount_decimal)) == (None, "0.05")
    assert (tokens.recurring.usage_type, tokens.recurring.meter) == ("metered", meter.id)
    fields = {"currency": "usd", "unit_amount": 5, "product_data": {"name": "x"}}
    by_usage = {"interval": "month", "usage_type": "metered"}
    assert refusal_of(stripe.prices.create, {**fields, "recurring": by_usage}).param == "recurring[meter]"
    gone = {**by_usage, "meter": "mtr_x"}
    assert refusal_of(stripe.prices.create, {**fields, "recurring": gone}).code == "resource_missing"
    stripe.billing.meters.deactivate(meter.id)
    off = {**by_usage, "meter": meter.id}
    assert refusal_of(stripe.prices.create, {**fields, "recurring": off}).code == "archived_meter"


def test_nothing_is_paid_beforehand_and_no_quantity_is_taken(stripe, customer, tokens):
    subscription = subscribe(stripe, customer, tokens)
    assert (subscription.status, subscription.latest_invoice.total) == ("active", 0)
    assert "quantity" not in subscription["items"].data[0]
    with pytest.raises(stripe_library.InvalidRequestError, match="quantity"):
        stripe.subscriptions.create({"customer": customer.id, "items": [{"price": tokens.id, "quantity": 2}]})


def test_a_month_of_usage_is_billed_at_its_end(stripe, meter, customer, tokens, premium, clock):
    """Scenario 6: reported, a duplicate refused, one correction; the line equals what the meter counted."""
    subscription = subscribe(stripe, customer, premium, tokens)
    assert subscription.latest_invoice.total == 800
    clock.advance(days=3)
    report(stripe, customer, 1000, identifier="a")
    report(stripe, customer, 500, identifier="b")
    assert refusal_of(report, stripe, customer, 500, identifier="b").http_status == 400
    report(stripe, customer, 333, identifier="c")
    adjustment = {"event_name": "api_tokens", "type": "cancel", "cancel": {"identifier": "b"}}
    stripe.billing.meter_event_adjustments.create(adjustment)
    clock.advance_to(FEBRUARY + HOUR + 60)
    invoice = latest(stripe, subscription)
    assert (invoice.status, invoice.billing_reason, invoice.total) == ("paid", "subscription_cycle", 867)
    assert lines_of(invoice) == [
        ("1333 × Tokens (at $0.0005 / month)", 1333, 67),
        ("1 × Premium (at $8.00 / month)", 1, 800),
    ]
    line = invoice.lines.data[0]
    assert (line.period.start, line.period.end) == (JANUARY, FEBRUARY)
    assert used(stripe, meter.id, customer, JANUARY, FEBRUARY) == [(JANUARY, line.quantity)]


@pytest.mark.parametrize(("usage", "amount"), [("10", 1), ("9", 0), ("30", 2), ("29.9", 1), ("0", 0)])
def test_a_line_is_rounded_half_up_as_a_whole(stripe, customer, tokens, clock, usage, amount):
    subscription = subscribe(stripe, customer, tokens)
    report(stripe, customer, usage)
    clock.advance_to(FEBRUARY + HOUR + 60)
    line = latest(stripe, subscription).lines.data[0]
    assert (line.amount, str(line.quantity_decimal)) == (amount, usage)


def test_what_is_reported_while_the_invoice_is_a_draft_is_billed_with_it(stripe, customer, tokens, clock):
    subscription = subscribe(stripe, customer, tokens)
    report(stripe, customer, 10_000)
    clock.advance_to(FEBRUARY)
    assert (latest(stripe, subscription).status, latest(stripe, subscription).total) == ("draft", 500)
    report(stripe, customer, 2000, timestamp=FEBRUARY - 60)
    report(stripe, customer, 40_000, timestamp=FEBRUARY)
    clock.advance(hours=2)
    invoice = latest(stripe, subscription)
    assert (invoice.status, invoice.total, invoice.lines.data[0].quantity) == ("paid", 600, 12_000)


def test_each_month_bills_its_own_usage(stripe, customer, tokens, clock):
    subscription = subscribe(stripe, customer, tokens)
    report(stripe, customer, 10_000)
    clock.advance_to(FEBRUARY + 2 * HOUR)
    report(stripe, customer, 4000)
    clock.advance_to(FEBRUARY + 28 * 86400 + 2 * HOUR)
    assert latest(stripe, subscription).total == 200


def test_cancelling_now_bills_what_was_used_when_asked(stripe, customer, tokens, clock):
    subscription = subscribe(stripe, customer, tokens)
    clock.advance(days=3)
    report(stripe, customer, 10_000)
    clock.advance(hours=1)
    ended = stripe.subscriptions.cancel(subscription.id, {"invoice_now": True})
    invoice = stripe.invoices.retrieve(ended.latest_invoice)
    assert (ended.status, invoice.status, invoice.total) == ("canceled", "paid", 500)


def test_cancelling_now_without_an_invoice_bills_nothing(stripe, customer, tokens, clock):
    subscription = subscribe(stripe, customer, tokens)
    report(stripe, customer, 10_000)
    stripe.subscriptions.cancel(subscription.id)
    assert [invoice.total for invoice in stripe.invoices.list({"customer": customer.id})] == [0]


def test_the_last_period_is_billed_when_it_ends(stripe, customer, tokens, clock):
    subscription = subscribe(stripe, customer, tokens)
    report(stripe, customer, 10_000)
    stripe.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    clock.advance_to(FEBRUARY + 60)
    ended = stripe.subscriptions.retrieve(subscription.id, {"expand": ["latest_invoice"]})
    assert (ended.status, ended.latest_invoice.total, ended.latest_invoice.status) == ("canceled", 500, "paid")


def test_a_plan_change_prorates_only_what_was_paid_beforehand(stripe, customer, tokens, premium, premium_plus, clock):
    subscription = subscribe(stripe, customer, premium, tokens)
    clock.advance(days=10)
    item = next(item.id for item in subscription["items"].data if item.price.id == premium.id)
    fields = {"items": [{"id": item, "price": premium_plus.id}], "proration_behavior": "always_invoice"}
    changed = stripe.subscriptions.update(subscription.id, {**fields, "expand": ["latest_invoice"]})
    assert len(changed.latest_invoice.lines.data) == 2
    assert changed.latest_invoice.total == 2167  # −800 × 21/31 and +4000 × 21/31, each floored


def test_checkout_sells_a_metered_price_without_a_quantity(stripe, tokens, premium, browser, clock):
    customer = make_customer(stripe, card=None, clock=clock)
    items = [{"price": premium.id, "quantity": 1}, {"price": tokens.id}]
    fields = {"mode": "subscription", "customer": customer.id, "success_url": "http://127.0.0.1:8000/"}
    session = stripe.checkout.sessions.create({**fields, "line_items": items})
    assert session.amount_total == 800
    assert "billed by usage, when each period ends" in browser.get(session.url).text
    assert browser.pay(session.url, "4242424242424242").status_code == 303
    assert stripe.checkout.sessions.retrieve(session.id).status == "complete"
    with pytest.raises(stripe_library.InvalidRequestError, match="Quantity should not be specified"):
        stripe.checkout.sessions.create({**fields, "line_items": [{"price": tokens.id, "quantity": 1}]})


def test_a_schedule_keeps_metered_items_as_they_are(stripe, customer, tokens, premium, premium_plus, clock):
    subscription = subscribe(stripe, customer, premium_plus, tokens)
    schedule = stripe.subscription_schedules.create({"from_subscription": subscription.id})
    now = {"items": [{"price": premium_plus.id, "quantity": 1}, {"price": tokens.id}]}
    now |= {"start_date": JANUARY, "end_date": FEBRUARY}
    later = {"items": [{"price": premium.id, "quantity": 1}, {"price": tokens.id}]}
    stripe.subscription_schedules.update(schedule.id, {"phases": [now, later]})
    report(stripe, customer, 10_000)
    clock.advance_to(FEBRUARY + HOUR + 60)
    assert sorted(line.amount for line in latest(stripe, subscription).lines.data) == [500, 800]


def test_the_preview_of_a_renewal_shows_the_usage_so_far(stripe, customer, tokens, premium, clock):
    subscription = subscribe(stripe, customer, premium, tokens)
    report(stripe, customer, 10_000)
    preview = stripe.invoices.create_preview({"subscription": subscription.id})
    assert [line.amount for line in preview.lines.data] == [500, 800]
    report(stripe, customer, 2_000)
    assert stripe.invoices.create_preview({"subscription": subscription.id}).total == 1400
    clock.advance_to(FEBRUARY + HOUR + 60)
    assert latest(stripe, subscription).total == 1400
