"""The hosted invoice: paying what is open."""

import pytest

from tests.stripe_sandbox.conftest import make_customer, subscribe, use_card


@pytest.fixture
def overdue(stripe, premium, clock):
    """A renewal that failed."""
    customer = make_customer(stripe, clock=clock)
    subscription = subscribe(stripe, customer, premium)
    use_card(stripe, customer.id, "pm_card_chargeCustomerFail")
    clock.advance_to(subscription["items"].data[0].current_period_end + 3600)
    return stripe.invoices.list({"customer": customer.id}).data[0]


def status_of(stripe, invoice):
    key = invoice.parent.subscription_details.subscription
    return stripe.invoices.retrieve(invoice.id).status, stripe.subscriptions.retrieve(key).status


def test_another_card_pays_and_becomes_the_default(stripe, overdue, browser):
    assert "Pay $8.00" in browser.get(overdue.hosted_invoice_url).text
    assert browser.pay(overdue.hosted_invoice_url, "4242424242424242").status_code == 303
    assert status_of(stripe, overdue) == ("paid", "active")
    settings = stripe.customers.retrieve(overdue.customer).invoice_settings
    assert stripe.payment_methods.retrieve(settings.default_payment_method).card.last4 == "4242"


def test_the_card_on_file_can_be_tried_again(stripe, overdue, browser):
    answer = browser.submit(overdue.hosted_invoice_url, use_saved="1")
    assert (answer.status_code, "Your card was declined." in answer.text) == (402, True)
    assert status_of(stripe, overdue) == ("open", "past_due")


def test_a_declined_card_changes_nothing(sandbox, stripe, overdue, browser):
    charges = len(sandbox.objects("charge"))
    answer = browser.pay(overdue.hosted_invoice_url, "4000000000000002")
    assert answer.status_code == 402
    assert status_of(stripe, overdue) == ("open", "past_due")
    assert len(sandbox.objects("charge")) == charges


def test_3d_secure_is_finished_here(stripe, premium, browser):
    customer = make_customer(stripe, card="pm_card_threeDSecure2Required")
    subscription = subscribe(stripe, customer, premium, expand=["latest_invoice"])
    invoice = subscription.latest_invoice
    asked = browser.submit(invoice.hosted_invoice_url, use_saved="1").headers["Location"]
    assert browser.submit(asked, answer="complete").headers["Location"] == invoice.hosted_invoice_url
    assert status_of(stripe, invoice) == ("paid", "active")


def test_a_refused_3d_secure_leaves_it_open(stripe, premium, browser):
    customer = make_customer(stripe, card="pm_card_threeDSecure2Required")
    invoice = subscribe(stripe, customer, premium, expand=["latest_invoice"]).latest_invoice
    asked = browser.submit(invoice.hosted_invoice_url, use_saved="1").headers["Location"]
    browser.submit(asked, answer="fail")
    assert status_of(stripe, invoice) == ("open", "incomplete")
    assert "We are unable to authenticate" in browser.get(invoice.hosted_invoice_url).text


def test_a_paid_invoice_has_a_plain_receipt_and_no_form(stripe, premium, browser):
    invoice = subscribe(stripe, make_customer(stripe), premium, expand=["latest_invoice"]).latest_invoice
    assert "<form" not in browser.get(invoice.hosted_invoice_url).text
    assert "1 × Premium (at $8.00 / month)" in browser.get(invoice.invoice_pdf).text


def test_an_unknown_invoice_is_404(sandbox, browser):
    assert browser.get(f"{sandbox.base}/i/in_x").status_code == 404
