"""Coupons and promotion codes: made, redeemed, used up, and what they take off."""

import pytest
import stripe as stripe_library

from tests.stripe_sandbox.conftest import DAY, JANUARY, event_types, make_customer, make_price, subscribe

FEBRUARY = JANUARY + 31 * DAY


def half(stripe, duration="once", **fields):
    return stripe.coupons.create({"percent_off": 50, "duration": duration, **fields})


def code_for(stripe, coupon, **fields):
    return stripe.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}, **fields})


def totals_of(stripe, customer):
    """The totals of a customer's invoices, oldest first."""
    return [invoice.total for invoice in stripe.invoices.list({"customer": customer.id}).data][::-1]


def live_through(clock, *months):
    for days in months:
        clock.advance(days=days)


def test_a_coupon_once_reduces_the_first_invoice_alone(stripe, premium, clock):
    customer = make_customer(stripe, clock=clock)
    coupon = half(stripe)
    discounts = [{"coupon": coupon.id}]
    subscription = subscribe(stripe, customer, premium, discounts=discounts, expand=["latest_invoice.discounts"])
    invoice = subscription.latest_invoice
    assert (invoice.subtotal, invoice.total, invoice.amount_paid) == (800, 400, 400)
    assert [(each.amount, each.discount) for each in invoice.total_discount_amounts] == [(400, invoice.discounts[0].id)]
    assert invoice.discounts[0].source.coupon == coupon.id
    assert invoice.lines.data[0].discount_amounts[0].amount == 400
    assert subscription.discounts == []
    clock.advance_to(FEBRUARY + 7200)
    assert totals_of(stripe, customer) == [400, 800]
    assert [name for name in event_types(stripe) if name.startswith("customer.discount")] == [
        "customer.discount.created",
        "customer.discount.deleted",
    ]


def test_a_repeating_coupon_lasts_so_many_months(stripe, premium, clock):
    customer = make_customer(stripe, clock=clock)
    coupon = half(stripe, "repeating", duration_in_months=2)
    subscription = subscribe(stripe, customer, premium, discounts=[{"coupon": coupon.id}], expand=["discounts"])
    assert (subscription.discounts[0].start, subscription.discounts[0].end) == (JANUARY, JANUARY + 59 * DAY)
    live_through(clock, 31, 28, 1)
    assert totals_of(stripe, customer) == [400, 400, 800]
    assert stripe.subscriptions.retrieve(subscription.id).discounts == []


def test_a_coupon_forever_stays(stripe, premium, clock):
    customer = make_customer(stripe, clock=clock)
    fields = {"discounts": [{"coupon": half(stripe, "forever").id}], "expand": ["discounts.source.coupon"]}
    subscription = subscribe(stripe, customer, premium, **fields)
    assert (subscription.discounts[0].end, subscription.discounts[0].source.coupon.percent_off) == (None, 50)
    live_through(clock, 31, 28, 1)
    assert totals_of(stripe, customer) == [400, 400, 400]


def test_an_amount_is_shared_over_the_lines(stripe):  # S9
    prices = [make_price(stripe, "Small", 1000), make_price(stripe, "Large", 2000)]
    coupon = stripe.coupons.create({"amount_off": 500, "currency": "usd", "duration": "once"})
    fields = {"discounts": [{"coupon": coupon.id}], "expand": ["latest_invoice"]}
    invoice = subscribe(stripe, make_customer(stripe), *prices, **fields).latest_invoice
    assert [line.discount_amounts[0].amount for line in invoice.lines.data] == [166, 334]
    assert (invoice.total, invoice.amount_paid) == (2500, 2500)


def test_an_amount_above_the_total_makes_it_free(sandbox, stripe, premium):
    coupon = stripe.coupons.create({"amount_off": 5000, "currency": "usd"})
    fields = {"discounts": [{"coupon": coupon.id}], "expand": ["latest_invoice"]}
    subscription = subscribe(stripe, make_customer(stripe), premium, **fields)
    assert (subscription.latest_invoice.total, subscription.status) == (0, "active")
    assert sandbox.objects("charge") == []


def test_a_coupon_may_be_for_one_product(stripe, premium, premium_plus):
    coupon = half(stripe, "forever", applies_to={"products": [premium_plus.product]})
    fields = {"discounts": [{"coupon": coupon.id}], "expand": ["latest_invoice"]}
    customer = make_customer(stripe)
    assert subscribe(stripe, customer, premium, **fields).latest_invoice.total == 800
    assert subscribe(stripe, customer, premium_plus, **fields).latest_invoice.total == 2000
    shown = stripe.coupons.retrieve(coupon.id, {"expand": ["applies_to"]})
    assert shown.applies_to.products == [premium_plus.product]


def test_two_discounts_take_turns(stripe, premium_plus):
    off = stripe.coupons.create({"amount_off": 1000, "currency": "usd", "duration": "forever"})
    discounts = [{"coupon": half(stripe, "forever").id}, {"coupon": off.id}]
    fields = {"discounts": discounts, "expand": ["latest_invoice"]}
    invoice = subscribe(stripe, make_customer(stripe), premium_plus, **fields).latest_invoice
    assert ([each.amount for each in invoice.total_discount_amounts], invoice.total) == ([2000, 1000], 1000)


def test_prorations_know_what_was_paid_and_what_still_reduces(stripe, premium, premium_plus, clock):
    clock.advance_to(JANUARY + 90 * DAY)
    fields = {"discounts": [{"coupon": half(stripe, "forever").id}]}
    subscription = subscribe(stripe, make_customer(stripe, clock=clock), premium, **fields)
    clock.advance(days=15)
    item = {"id": subscription["items"].data[0].id, "price": premium_plus.id}
    fields = {"items": [item], "proration_behavior": "always_invoice", "expand": ["latest_invoice"]}
    invoice = stripe.subscriptions.update(subscription.id, fields).latest_invoice
    assert [line.amount for line in invoice.lines.data] == [-200, 1000]
    assert (invoice.total_discount_amounts[0].amount, invoice.total) == (0, 800)


def test_a_credit_starts_from_what_a_used_up_coupon_left_to_pay(stripe, premium, premium_plus, clock):
    clock.advance_to(JANUARY + 90 * DAY)
    fields = {"discounts": [{"coupon": half(stripe).id}]}
    subscription = subscribe(stripe, make_customer(stripe, clock=clock), premium, **fields)
    clock.advance(days=15)
    item = {"id": subscription["items"].data[0].id, "price": premium_plus.id}
    fields = {"items": [item], "proration_behavior": "always_invoice", "expand": ["latest_invoice"]}
    invoice = stripe.subscriptions.update(subscription.id, fields).latest_invoice
    assert [line.amount for line in invoice.lines.data] == [-200, 2000]


def test_a_discount_is_given_to_a_running_subscription_and_taken_again(stripe, premium, clock):
    customer = make_customer(stripe, clock=clock)
    subscription = subscribe(stripe, customer, premium)
    coupon = half(stripe, "forever")
    after = stripe.subscriptions.update(subscription.id, {"discounts": [{"coupon": coupon.id}]})
    again = stripe.subscriptions.update(subscription.id, {"discounts": [{"discount": after.discounts[0]}]})
    assert again.discounts == after.discounts
    assert stripe.coupons.retrieve(coupon.id).times_redeemed == 1
    clock.advance_to(FEBRUARY + 7200)
    assert stripe.subscriptions.update(subscription.id, {"discounts": ""}).discounts == []
    live_through(clock, 28)
    assert totals_of(stripe, customer) == [800, 400, 800]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({}, "percent_off"),
        ({"percent_off": 50, "amount_off": 5}, "percent_off"),
        ({"amount_off": 5}, "currency"),
        ({"percent_off": 101}, "percent_off"),
        ({"percent_off": 50, "duration": "repeating"}, "duration_in_months"),
        ({"percent_off": 50, "duration_in_months": 3}, "duration_in_months"),
    ],
)
def test_a_coupon_that_makes_no_sense_is_refused(sandbox, stripe, fields, param):
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        stripe.coupons.create(fields)
    assert refusal.value.param == param
    assert sandbox.objects("coupon") == []


def refused(stripe, customer, price, **named):
    """The error code of a subscription that is refused because of its discount."""
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        subscribe(stripe, customer, price, discounts=[named])
    assert stripe.subscriptions.list({"customer": customer.id, "status": "all"}).data == []
    return refusal.value.code


def test_a_coupon_is_redeemed_so_often_and_no_more(stripe, premium):
    coupon = half(stripe, max_redemptions=1)
    subscribe(stripe, make_customer(stripe), premium, discounts=[{"coupon": coupon.id}])
    used = stripe.coupons.retrieve(coupon.id)
    assert (used.times_redeemed, used.valid) == (1, False)
    assert refused(stripe, make_customer(stripe), premium, coupon=coupon.id) == "coupon_expired"


def test_a_coupon_ends_on_its_day(stripe, premium, clock):
    coupon = half(stripe, redeem_by=JANUARY + DAY)
    clock.advance(days=2)
    assert refused(stripe, make_customer(stripe, clock=clock), premium, coupon=coupon.id) == "coupon_expired"


def test_an_amount_is_for_one_currency(stripe):
    coupon = stripe.coupons.create({"amount_off": 500, "currency": "usd"})
    euros = make_price(stripe, "Premium", 800, currency="eur")
    assert refused(stripe, make_customer(stripe), euros, coupon=coupon.id) == "coupon_currency"


def test_a_deleted_coupon_stays_with_who_has_it(stripe, premium, clock):
    customer, coupon = make_customer(stripe, clock=clock), half(stripe, "forever")
    subscription = subscribe(stripe, customer, premium, discounts=[{"coupon": coupon.id}])
    assert stripe.coupons.delete(coupon.id).deleted is True
    clock.advance_to(FEBRUARY + 7200)
    assert totals_of(stripe, customer) == [400, 400]
    found = stripe.subscriptions.retrieve(subscription.id, {"expand": ["discounts.source.coupon"]})
    assert found.discounts[0].source.coupon.percent_off == 50
    assert refused(stripe, make_customer(stripe), premium, coupon=coupon.id) == "resource_missing"


def test_a_promotion_code_redeems_its_coupon(stripe, premium):
    code = code_for(stripe, half(stripe), code="SPRING", max_redemptions=1)
    assert (code.active, code.promotion.coupon is None) == (True, False)
    fields = {"discounts": [{"promotion_code": code.id}], "expand": ["latest_invoice.discounts"]}
    invoice = subscribe(stripe, make_customer(stripe), premium, **fields).latest_invoice
    assert (invoice.total, invoice.discounts[0].promotion_code) == (400, code.id)
    used = stripe.promotion_codes.retrieve(code.id)
    assert (used.times_redeemed, used.active) == (1, False)
    assert refused(stripe, make_customer(stripe), premium, promotion_code=code.id) == "promotion_code_expired"


def test_a_word_is_active_once(stripe):
    coupon = half(stripe)
    first = code_for(stripe, coupon, code="SPRING")
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        code_for(stripe, coupon, code="spring")
    assert refusal.value.user_message == "An active promotion code with `code: spring` already exists."
    stripe.promotion_codes.update(first.id, {"active": False})
    assert code_for(stripe, coupon, code="SPRING").active is True
    assert len(stripe.promotion_codes.list({"code": "spring"}).data) == 2
    assert len(stripe.promotion_codes.list({"active": True}).data) == 1


def test_a_code_keeps_its_restrictions(stripe, premium):
    coupon, ana, ben = half(stripe), make_customer(stripe), make_customer(stripe)
    least = {"minimum_amount": 1000, "minimum_amount_currency": "usd"}
    limited = code_for(stripe, coupon, restrictions=least)
    assert refused(stripe, ana, premium, promotion_code=limited.id) == "promotion_code_minimum"
    hers = code_for(stripe, coupon, customer=ben.id)
    assert refused(stripe, ana, premium, promotion_code=hers.id) == "promotion_code_not_for_customer"
    first = code_for(stripe, coupon, restrictions={"first_time_transaction": True})
    subscription = subscribe(stripe, ana, premium, discounts=[{"promotion_code": first.id}], expand=["latest_invoice"])
    assert subscription.latest_invoice.total == 400
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        subscribe(stripe, ana, premium, discounts=[{"promotion_code": first.id}])
    assert refusal.value.code == "promotion_code_first_time"


def test_coupons_are_listed_renamed_and_found(stripe):
    coupon = half(stripe, id="WELCOME", name="Welcome")
    assert stripe.coupons.update(coupon.id, {"name": "Hello"}).name == "Hello"
    assert [each.id for each in stripe.coupons.list().data] == ["WELCOME"]
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        half(stripe, id="WELCOME")
    assert refusal.value.code == "resource_already_exists"
