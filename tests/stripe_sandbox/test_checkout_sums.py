"""What a checkout costs: promotion codes, trials with and without a card, credit."""

import pytest
import stripe as stripe_library

from tests.stripe_sandbox.conftest import DAY, JANUARY, make_customer, make_price, use_card
from tests.stripe_sandbox.test_checkout import open_session
from tests.stripe_sandbox.test_coupons import code_for, half


@pytest.fixture
def customer(stripe, clock):
    return make_customer(stripe, card=None, clock=clock)


@pytest.fixture
def session(stripe, premium, customer):
    return open_session(stripe, premium, customer, allow_promotion_codes=True)


def test_a_promotion_code_is_applied_before_paying(stripe, session, browser):
    code = code_for(stripe, half(stripe), code="SPRING")
    assert browser.submit(session.url, code="apply", promotion_code="spring").status_code == 303
    page = browser.get(session.url).text
    for words in ("Code SPRING is applied.", "Discount (SPRING)", "−$4.00", "Pay $4.00", "At the next renewal"):
        assert words in page
    shown = stripe.checkout.sessions.retrieve(session.id)
    assert (shown.amount_subtotal, shown.amount_total, shown.total_details.amount_discount) == (800, 400, 400)
    assert shown.discounts[0].promotion_code == code.id
    browser.pay(session.url, "4242424242424242")
    done = stripe.checkout.sessions.retrieve(session.id, {"expand": ["invoice", "line_items"]})
    assert (done.invoice.amount_paid, done.amount_total, done.line_items.data[0].amount_total) == (400, 400, 400)
    assert stripe.promotion_codes.retrieve(code.id).times_redeemed == 1


def test_an_applied_code_can_be_removed(stripe, session, browser):
    code_for(stripe, half(stripe), code="SPRING")
    browser.submit(session.url, code="apply", promotion_code="SPRING")
    assert browser.submit(session.url, code="remove").status_code == 303
    assert "Pay $8.00" in browser.get(session.url).text
    assert stripe.checkout.sessions.retrieve(session.id).discounts == []


@pytest.mark.parametrize(
    ("word", "restrictions", "message"),
    [
        ("FREE", {}, "This code is invalid."),
        ("", {}, "This field is required."),
        ("SPRING", {"minimum_amount": 900, "minimum_amount_currency": "usd"}, "below the minimum"),
    ],
)
def test_a_code_that_does_not_fit_is_explained_beside_its_field(stripe, session, browser, word, restrictions, message):
    code_for(stripe, half(stripe), code="SPRING", restrictions=restrictions)
    answer = browser.submit(session.url, code="apply", promotion_code=word)
    assert message in answer.text
    assert 'aria-describedby="id_promotion_code_error"' in answer.text
    assert stripe.checkout.sessions.retrieve(session.id).amount_total == 800


def test_a_code_speaks_french(stripe, premium, customer, browser):
    session = open_session(stripe, premium, customer, allow_promotion_codes=True, locale="fr")
    answer = browser.submit(session.url, code="apply", promotion_code="RIEN")
    assert "Ce code n’est pas valable." in answer.text


def test_without_leave_no_code_is_taken(stripe, premium, customer, browser):
    session = open_session(stripe, premium, customer)
    code_for(stripe, half(stripe), code="SPRING")
    assert "id_promotion_code" not in browser.get(session.url).text
    browser.submit(session.url, code="apply", promotion_code="SPRING")
    assert stripe.checkout.sessions.retrieve(session.id).amount_total == 800


def test_a_session_may_come_with_its_discount(stripe, premium, customer, browser):
    coupon = half(stripe, "forever")
    session = open_session(stripe, premium, customer, discounts=[{"coupon": coupon.id}])
    assert (session.amount_total, session.discounts[0].coupon) == (400, coupon.id)
    browser.pay(session.url, "4242424242424242")
    done = stripe.checkout.sessions.retrieve(session.id, {"expand": ["subscription.discounts", "invoice"]})
    assert (done.invoice.amount_paid, done.subscription.discounts[0].source.coupon) == (400, coupon.id)


def test_a_discount_and_a_field_for_codes_exclude_each_other(sandbox, stripe, premium, customer):
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        open_session(stripe, premium, customer, discounts=[{"coupon": "X"}], allow_promotion_codes=True)
    assert refusal.value.user_message.startswith("You may only specify one of these parameters")
    assert sandbox.objects("checkout.session") == []


def trial(stripe, price, customer, *, days=14, collection="always", ending="cancel"):
    data = {"trial_period_days": days, "trial_settings": {"end_behavior": {"missing_payment_method": ending}}}
    return open_session(stripe, price, customer, payment_method_collection=collection, subscription_data=data)


def test_a_trial_with_a_card_costs_nothing_today(sandbox, stripe, premium, customer, clock, browser):
    session = trial(stripe, premium, customer)
    assert (session.amount_total, session.payment_method_collection) == (0, "always")
    page = browser.get(session.url).text
    for words in ("Free until 15 January 2026, then", "$8.00", "Start the trial", "The card pays from"):
        assert words in page.replace("Jan. 15, 2026", "15 January 2026")
    browser.pay(session.url, "4242424242424242")
    done = stripe.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]})
    assert (done.payment_status, done.subscription.status) == ("no_payment_required", "trialing")
    assert done.subscription.trial_end == JANUARY + 14 * DAY
    assert sandbox.objects("charge") == []
    clock.advance(days=14, hours=2)
    assert [charge["amount"] for charge in sandbox.objects("charge")] == [800]


def test_a_trial_without_a_card_asks_for_none(sandbox, stripe, premium, customer, clock, browser):
    session = trial(stripe, premium, customer, collection="if_required")
    page = browser.get(session.url).text
    assert ("id_number" in page, "No card is needed now." in page) == (False, True)
    assert browser.submit(session.url, name="Ana", country="FR", postal_code="").status_code == 303
    done = stripe.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]})
    assert (done.status, done.subscription.status) == ("complete", "trialing")
    assert done.subscription.default_payment_method is None
    assert sandbox.objects("setup_intent") == sandbox.objects("payment_method") == []
    clock.advance(days=14)
    assert stripe.subscriptions.retrieve(done.subscription.id).status == "canceled"


def test_if_required_asks_for_a_card_where_something_is_due(stripe, premium, customer, browser):
    session = open_session(stripe, premium, customer, payment_method_collection="if_required")
    assert "id_number" in browser.get(session.url).text
    assert browser.submit(session.url, name="Ana", country="FR").status_code == 200
    assert stripe.checkout.sessions.retrieve(session.id).status == "open"


def test_a_discount_waits_for_the_end_of_the_trial(stripe, premium, customer, clock, browser):
    data = {"trial_period_days": 7}
    session = open_session(stripe, premium, customer, subscription_data=data, discounts=[{"coupon": half(stripe).id}])
    assert "$4.00" in browser.get(session.url).text
    browser.pay(session.url, "4242424242424242")
    clock.advance(days=7, hours=2)
    newest = stripe.invoices.list({"customer": customer.id}).data[0]
    assert (newest.total, newest.status) == (400, "paid")


def test_credit_is_used_first(stripe, premium, customer, browser):
    stripe.customers.update(customer.id, {"balance": -300})
    session = open_session(stripe, premium, customer)
    page = browser.get(session.url).text
    assert ("Your balance" in page, "Pay $5.00" in page) == (True, True)
    browser.pay(session.url, "4242424242424242")
    assert stripe.customers.retrieve(customer.id).balance == 0
    assert stripe.invoices.list({"customer": customer.id}).data[0].amount_paid == 500


def test_a_customer_of_another_currency_is_refused(sandbox, stripe, premium, clock):
    customer = make_customer(stripe, clock=clock)
    use_card(stripe, customer.id, "pm_card_visa")
    stripe.subscriptions.create({"customer": customer.id, "items": [{"price": premium.id}]})
    euros = make_price(stripe, "Premium", 800, currency="eur")
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        open_session(stripe, euros, customer)
    assert refusal.value.param == "line_items[0][price]"
    assert sandbox.objects("checkout.session") == []
