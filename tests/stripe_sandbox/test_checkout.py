"""Hosted Checkout: over the API, and as a person without JavaScript meets it."""

import pytest
import stripe as stripe_library

from tests.stripe_sandbox.conftest import DAY, JANUARY, Browser, event_types, make_customer

SHOP = "http://127.0.0.1:8000/back?session_id={CHECKOUT_SESSION_ID}"


@pytest.fixture
def customer(stripe):
    return make_customer(stripe, card=None)


def open_session(stripe, price, customer=None, **fields):
    items = [{"price": price.id, "quantity": 1}]
    fields = {"mode": "subscription", "line_items": items, "success_url": SHOP, **fields}
    return stripe.checkout.sessions.create(fields | ({"customer": customer.id} if customer else {}))


@pytest.fixture
def session(stripe, premium, customer):
    return open_session(stripe, premium, customer)


def test_a_session_waits_for_a_day(stripe, premium, customer):
    data = {"client_reference_id": "7", "metadata": {"a": "1"}, "cancel_url": "http://127.0.0.1:8000/"}
    session = open_session(stripe, premium, customer, **data)
    assert (session.status, session.payment_status, session.mode) == ("open", "unpaid", "subscription")
    assert session.expires_at - session.created == DAY
    assert (session.amount_total, session.currency) == (800, "usd")
    assert (session.client_reference_id, session.metadata.to_dict()) == ("7", {"a": "1"})
    assert stripe.checkout.sessions.line_items.list(session.id).data[0].description == "Premium"


def test_a_good_card_pays_and_leads_back(sandbox, stripe, premium, customer, browser):
    data = {"metadata": {"account_id": "7"}, "billing_mode": {"type": "flexible"}}
    session = open_session(stripe, premium, customer, subscription_data=data)
    page = browser.get(session.url)
    assert (page.status_code, "$8.00" in page.text, "Sandbox money" in page.text) == (200, True, True)
    answer = browser.pay(session.url, "4242 4242 4242 4242")
    assert answer.status_code == 303
    assert answer.headers["Location"] == SHOP.replace("{CHECKOUT_SESSION_ID}", session.id)
    done = stripe.checkout.sessions.retrieve(session.id, {"expand": ["subscription", "invoice"]})
    assert (done.status, done.payment_status, done.url) == ("complete", "paid", None)
    assert (done.subscription.status, done.subscription.metadata.to_dict()) == ("active", {"account_id": "7"})
    assert (done.invoice.status, done.invoice.amount_paid) == ("paid", 800)
    method = stripe.payment_methods.retrieve(done.subscription.default_payment_method)
    assert (method.customer, method.card.last4, method.billing_details.name) == (customer.id, "4242", "Ana")
    assert len(sandbox.objects("charge")) == len(sandbox.objects("payment_intent")) == 1
    names = event_types(stripe)
    assert {"checkout.session.completed", "customer.subscription.created", "invoice.paid"} <= set(names)


def test_a_declined_card_says_so_and_the_session_stays_open(sandbox, stripe, premium, customer, browser):
    session = open_session(stripe, premium, customer)
    answer = browser.pay(session.url, "4000000000000002")
    assert answer.status_code == 402
    assert '<p class="problem" role="alert">Your card was declined.</p>' in answer.text
    assert stripe.checkout.sessions.retrieve(session.id).status == "open"
    assert sandbox.objects("subscription") == sandbox.objects("invoice") == []
    assert stripe.payment_methods.list({"customer": customer.id}).data == []
    assert [charge["status"] for charge in sandbox.objects("charge")] == ["failed"]
    assert browser.pay(session.url, "4242424242424242").status_code == 303


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"number": "4242424242424241"}, "Your card number is invalid."),
        ({"number": "4111111111111111"}, "Only test cards work here."),
        ({"expiry": "12 / 20"}, "expiration date is in the past."),
        ({"expiry": "13 / 34"}, "Write month and year, such as 12 / 34."),
        ({"cvc": "12a"}, "The security code has three or four digits."),
        ({"name": ""}, "This field is required."),
    ],
)
def test_a_mistyped_field_is_explained_beside_it(sandbox, session, browser, fields, message):
    answer = browser.pay(session.url, **{"number": "4242424242424242", **fields})
    field = next(iter(fields))
    assert answer.status_code == 200
    assert f'id="id_{field}_error"' in answer.text
    assert f'aria-describedby="id_{field}_error"' in answer.text
    assert message in answer.text.replace("&#x27;", "'")
    assert sandbox.objects("charge") == []


def test_3d_secure_comes_first_and_then_all_is_paid(stripe, premium, customer, browser):
    session = open_session(stripe, premium, customer)
    asked = browser.pay(session.url, "4000000000003220").headers["Location"]
    assert "/3ds/pi_" in asked
    assert stripe.subscriptions.list({"customer": customer.id, "status": "all"}).data == []
    answer = browser.submit(asked, answer="complete")
    assert answer.headers["Location"] == SHOP.replace("{CHECKOUT_SESSION_ID}", session.id)
    assert stripe.checkout.sessions.retrieve(session.id).payment_status == "paid"
    again = browser.get(asked)
    assert "This payment is not waiting any more." in again.text


def test_a_refused_3d_secure_leads_back_to_the_open_session(sandbox, stripe, premium, customer, browser):
    session = open_session(stripe, premium, customer)
    asked = browser.pay(session.url, "4000000000003220").headers["Location"]
    back = browser.submit(asked, answer="fail").headers["Location"]
    assert back == session.url
    assert "We are unable to authenticate your payment method." in browser.get(back).text
    assert stripe.checkout.sessions.retrieve(session.id).status == "open"
    assert sandbox.objects("subscription") == sandbox.objects("charge") == []


def test_a_card_can_be_declined_after_3d_secure(sandbox, stripe, premium, customer, browser):
    session = open_session(stripe, premium, customer)
    asked = browser.pay(session.url, "4000008400001629").headers["Location"]
    back = browser.submit(asked, answer="complete").headers["Location"]
    assert "Your card was declined." in browser.get(back).text
    assert sandbox.objects("subscription") == []


def test_a_second_submit_creates_nothing(sandbox, stripe, premium, customer, browser):
    session = open_session(stripe, premium, customer)
    token_page = Browser()
    token_page.get(session.url)
    browser.pay(session.url, "4242424242424242")
    answer = browser.get(session.url)
    assert "This checkout was already paid." in answer.text
    late = token_page.http.post(session.url, data={"csrfmiddlewaretoken": token_page.http.cookies["sandbox_csrf"]})
    assert "This checkout was already paid." in late.text
    token_page.http.close()
    assert len(sandbox.objects("subscription")) == len(sandbox.objects("charge")) == 1


def test_an_expired_session_has_its_own_page(stripe, premium, customer, browser):
    session = open_session(stripe, premium, customer)
    assert stripe.checkout.sessions.expire(session.id).status == "expired"
    assert "This checkout has expired" in browser.get(session.url).text
    assert event_types(stripe)[-1] == "checkout.session.expired"
    with pytest.raises(stripe_library.InvalidRequestError):
        stripe.checkout.sessions.expire(session.id)


def test_a_session_expires_by_itself(stripe, premium, clock):
    session = open_session(stripe, premium, make_customer(stripe, card=None, clock=clock))
    clock.advance(days=1)
    assert stripe.checkout.sessions.retrieve(session.id).status == "expired"


@pytest.mark.parametrize("seconds", [60, 2 * DAY])
def test_refuses_to_expire_too_soon_or_too_late(stripe, premium, clock, seconds):
    customer = make_customer(stripe, card=None, clock=clock)
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        open_session(stripe, premium, customer, expires_at=JANUARY + seconds)
    assert refusal.value.param == "expires_at"


def test_a_trial_saves_the_card_and_charges_nothing(sandbox, stripe, premium, customer, browser):
    session = open_session(stripe, premium, customer, subscription_data={"trial_period_days": 14})
    assert "Free until" in browser.get(session.url).text
    assert browser.pay(session.url, "4242424242424242").status_code == 303
    done = stripe.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]})
    assert (done.payment_status, done.subscription.status) == ("no_payment_required", "trialing")
    assert sandbox.objects("charge") == []
    assert sandbox.objects("setup_intent")[0]["status"] == "succeeded"


def test_without_a_customer_one_is_made_from_what_was_typed(stripe, premium, browser):
    session = open_session(stripe, premium)
    assert browser.pay(session.url, "4242424242424242", email="new@example.com").status_code == 303
    done = stripe.checkout.sessions.retrieve(session.id, {"expand": ["customer"]})
    assert (done.customer.email, done.customer_details.email) == ("new@example.com", "new@example.com")


def test_a_chip_fills_the_form_in(stripe, premium, customer, browser):
    page = browser.get(open_session(stripe, premium, customer).url + "?card=4000000000000341").text
    assert 'value="4000 0000 0000 0341"' in page


def test_forms_are_refused_without_their_token(sandbox, stripe, premium, customer):
    session = open_session(stripe, premium, customer)
    assert sandbox.http.post(session.url, data={"number": "4242424242424242"}).status_code == 403
    assert stripe.checkout.sessions.retrieve(session.id).status == "open"


def test_an_unknown_session_is_404(sandbox, browser):
    assert browser.get(f"{sandbox.base}/c/pay/cs_test_x").status_code == 404


def test_speaks_french_to_those_who_ask(stripe, premium, customer):
    french = Browser(language="fr")
    page = french.get(open_session(stripe, premium, customer).url).text
    french.http.close()
    assert '<html lang="fr">' in page
    assert "Argent fictif" in page
    assert "Numéro de carte" in page
    assert "Payer 8,00\N{NO-BREAK SPACE}$" in page


def test_speaks_the_language_the_session_was_made_for(stripe, premium, customer, browser):
    page = browser.get(open_session(stripe, premium, customer, locale="fr").url).text
    assert '<html lang="fr">' in page
    assert "Votre commande" in page


def test_an_address_that_leads_nowhere_has_a_page(sandbox, browser):
    answer = browser.get(f"{sandbox.base}/nowhere")
    assert (answer.status_code, "There is nothing here" in answer.text) == (404, True)


def test_a_price_archived_since_cannot_be_paid(sandbox, stripe, premium, customer, browser):
    session = open_session(stripe, premium, customer)
    stripe.prices.update(premium.id, {"active": False})
    answer = browser.get(session.url)
    assert (answer.status_code, "This checkout cannot be paid any more" in answer.text) == (400, True)
    assert sandbox.objects("payment_intent") == []
