"""Checkout without a subscription: purchases that are paid once, and cards that are saved for later."""

import pytest
import stripe as stripe_library

from tests.stripe_sandbox.conftest import Browser, event_types, make_customer, make_price

SHOP = "http://127.0.0.1:8000/back?session_id={CHECKOUT_SESSION_ID}"
GOOD = "4242424242424242"


@pytest.fixture
def customer(stripe):
    return make_customer(stripe, card=None)


@pytest.fixture
def credit(stripe):
    """USD 20.00, once."""
    product = stripe.products.create({"name": "Credit"})
    return stripe.prices.create({"currency": "usd", "unit_amount": 2000, "product": product.id})


def open_purchase(stripe, price, customer=None, **fields):
    items = fields.pop("line_items", None)
    items = [{"price": price.id, "quantity": 1}] if items is None else items
    fields = {"mode": "payment", "line_items": items, "success_url": SHOP, **fields}
    return stripe.checkout.sessions.create(fields | ({"customer": customer.id} if customer else {}))


def test_a_purchase_is_paid_once_and_begins_no_subscription(sandbox, stripe, credit, customer, browser):
    data = {"metadata": {"order": "7"}, "description": "Credit for the API"}
    session = open_purchase(stripe, credit, customer, payment_intent_data=data)
    assert (session.mode, session.amount_total, session.payment_status) == ("payment", 2000, "unpaid")
    assert (session.payment_intent, session.invoice_creation.enabled) == (None, False)
    page = browser.get(session.url).text
    assert ("paid once" in page, "Pay $20.00" in page, "Total today" in page) == (True, True, False)
    answer = browser.pay(session.url, GOOD)
    assert answer.headers["Location"] == SHOP.replace("{CHECKOUT_SESSION_ID}", session.id)
    done = stripe.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})
    assert (done.status, done.payment_status, done.subscription, done.invoice) == ("complete", "paid", None, None)
    intent = done.payment_intent
    assert (intent.status, intent.amount_received, intent.setup_future_usage) == ("succeeded", 2000, None)
    assert (intent.metadata.to_dict(), intent.description) == ({"order": "7"}, "Credit for the API")
    assert (intent.latest_charge.amount, intent.latest_charge.metadata.to_dict()) == (2000, {"order": "7"})
    assert sandbox.objects("subscription") == sandbox.objects("invoice") == []
    assert event_types(stripe)[-4:] == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]


def test_the_card_is_kept_only_when_the_shop_asks_for_it(stripe, credit, customer, browser):
    browser.pay(open_purchase(stripe, credit, customer).url, GOOD)
    assert stripe.payment_methods.list({"customer": customer.id}).data == []
    data = {"setup_future_usage": "off_session"}
    browser.pay(open_purchase(stripe, credit, customer, payment_intent_data=data).url, GOOD)
    kept = stripe.payment_methods.list({"customer": customer.id}).data
    assert [method.card.last4 for method in kept] == ["4242"]
    paid = {"customer": customer.id, "amount": 2000, "currency": "usd", "payment_method": kept[0].id}
    assert stripe.payment_intents.create({**paid, "off_session": True, "confirm": True}).status == "succeeded"


def test_a_price_can_be_described_in_place(sandbox, stripe, customer, browser):
    described = {"currency": "eur", "unit_amount": 1050, "product_data": {"name": "Two weeks"}}
    items = [{"price_data": described, "quantity": 2}]
    session = open_purchase(stripe, None, customer, line_items=items)
    assert (session.amount_total, session.currency) == (2100, "eur")
    line = stripe.checkout.sessions.line_items.list(session.id).data[0]
    assert (line.description, line.quantity, line.amount_total) == ("Two weeks", 2, 2100)
    assert (line.price.active, line.price.type) == (False, "one_time")
    assert "€10.50 each" in browser.get(session.url).text
    assert browser.pay(session.url, GOOD).status_code == 303


def test_an_invoice_is_written_where_it_is_asked_for(stripe, credit, customer, browser):
    wanted = {"enabled": True, "invoice_data": {"metadata": {"order": "7"}, "description": "Thank you"}}
    session = open_purchase(stripe, credit, customer, invoice_creation=wanted)
    browser.pay(session.url, GOOD)
    done = stripe.checkout.sessions.retrieve(session.id, {"expand": ["invoice.payments"]})
    invoice = done.invoice
    assert (invoice.status, invoice.amount_paid, invoice.billing_reason) == ("paid", 2000, "manual")
    assert (invoice.metadata.to_dict(), invoice.description) == ({"order": "7"}, "Thank you")
    assert (invoice.parent, invoice.lines.data[0].description) == (None, "Credit")
    assert invoice.payments.data[0].payment.payment_intent == done.payment_intent
    assert {"invoice.finalized", "invoice.paid"} <= set(event_types(stripe))


def test_a_purchase_leaves_the_customers_balance_alone(sandbox, stripe, credit, premium, clock, browser):
    owing = make_customer(stripe, clock=clock)
    tiny = make_price(stripe, "Tiny", 30)
    stripe.subscriptions.create({"customer": owing.id, "items": [{"price": tiny.id}]})
    assert stripe.customers.retrieve(owing.id).balance == 30
    session = open_purchase(stripe, credit, owing, invoice_creation={"enabled": True})
    browser.pay(session.url, GOOD)
    assert stripe.checkout.sessions.retrieve(session.id, {"expand": ["invoice"]}).invoice.amount_paid == 2000
    assert stripe.customers.retrieve(owing.id).balance == 30


def test_a_guest_stays_a_guest(sandbox, stripe, credit, browser):
    session = open_purchase(stripe, credit)
    assert session.customer_creation == "if_required"
    browser.pay(session.url, GOOD, email="guest@example.com")
    done = stripe.checkout.sessions.retrieve(session.id)
    assert (done.customer, done.customer_details.email) == (None, "guest@example.com")
    assert sandbox.objects("customer") == []


def test_a_guest_becomes_a_customer_where_something_is_kept(stripe, credit, browser):
    session = open_purchase(stripe, credit, invoice_creation={"enabled": True})
    browser.pay(session.url, GOOD, email="guest@example.com")
    done = stripe.checkout.sessions.retrieve(session.id, {"expand": ["customer"]})
    assert done.customer.email == "guest@example.com"


def test_a_declined_purchase_stays_open(sandbox, stripe, credit, customer, browser):
    session = open_purchase(stripe, credit, customer, invoice_creation={"enabled": True})
    assert browser.pay(session.url, "4000000000009995").status_code == 402
    assert stripe.checkout.sessions.retrieve(session.id).status == "open"
    assert [charge["status"] for charge in sandbox.objects("charge")] == ["failed"]
    assert sandbox.objects("invoice") == []
    assert browser.pay(session.url, GOOD).status_code == 303


def test_3d_secure_comes_before_a_purchase_too(stripe, credit, customer, browser):
    session = open_purchase(stripe, credit, customer)
    asked = browser.pay(session.url, "4000000000003220").headers["Location"]
    assert stripe.checkout.sessions.retrieve(session.id).payment_status == "unpaid"
    browser.submit(asked, answer="complete")
    assert stripe.checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_setup_saves_a_card_and_charges_nothing(sandbox, stripe, customer, browser):
    fields = {"mode": "setup", "currency": "usd", "customer": customer.id, "success_url": SHOP}
    session = stripe.checkout.sessions.create({**fields, "setup_intent_data": {"metadata": {"a": "1"}}})
    assert (session.amount_total, session.payment_status) == (None, "unpaid")
    page = browser.get(session.url).text
    assert ("Save a card" in page, "Nothing is charged now." in page, "$0.00" in page) == (True, True, False)
    assert browser.pay(session.url, GOOD).status_code == 303
    done = stripe.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent"]})
    assert (done.status, done.payment_status) == ("complete", "no_payment_required")
    assert (done.setup_intent.status, done.setup_intent.metadata.to_dict()) == ("succeeded", {"a": "1"})
    assert len(stripe.payment_methods.list({"customer": customer.id}).data) == 1
    assert sandbox.objects("charge") == sandbox.objects("payment_intent") == []


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"subscription_data": {"metadata": {"a": "1"}}}, "subscription_data"),
        ({"line_items": []}, "line_items"),
        ({"line_items": [{"quantity": 1}]}, "line_items[0]"),
        ({"line_items": [{"price": "price_x", "quantity": 1}]}, "line_items[0][price]"),
        ({"mode": "subscription", "invoice_creation": {"enabled": True}}, "invoice_creation"),
        ({"mode": "setup"}, "line_items"),
    ],
)
def test_refuses_what_does_not_fit_the_mode(sandbox, stripe, credit, customer, fields, param):
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        open_purchase(stripe, credit, customer, **fields)
    assert refusal.value.param == param
    assert sandbox.objects("checkout.session") == []


def test_refuses_a_recurring_price_and_one_without_a_quantity(sandbox, stripe, credit, premium, customer):
    with pytest.raises(stripe_library.InvalidRequestError, match="You specified `payment` mode but passed a recurring"):
        open_purchase(stripe, premium, customer)
    with pytest.raises(stripe_library.InvalidRequestError, match="Quantity is required"):
        open_purchase(stripe, credit, customer, line_items=[{"price": credit.id}])
    assert sandbox.objects("checkout.session") == []


def test_refuses_less_than_can_be_charged_and_two_currencies(sandbox, stripe, credit, customer):
    cheap, euros = (
        {"price_data": {"currency": currency, "unit_amount": amount, "product_data": {"name": "x"}}, "quantity": 1}
        for currency, amount in (("usd", 49), ("eur", 500))
    )
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        open_purchase(stripe, credit, customer, line_items=[cheap])
    assert refusal.value.code == "amount_too_small"
    with pytest.raises(stripe_library.InvalidRequestError, match="expected currency: `usd`"):
        open_purchase(stripe, credit, customer, line_items=[{"price": credit.id, "quantity": 1}, euros])
    assert sandbox.objects("checkout.session") == []


def test_speaks_french(stripe, credit, customer):
    french = Browser(language="fr")
    page = french.get(open_purchase(stripe, credit, customer).url).text
    french.http.close()
    assert "payé une seule fois" in page
