"""Automatic tax at one rate of 20 %: who is asked for an address, what is added, and what waits without one."""

import pytest
import stripe as stripe_library

from tests.stripe_sandbox.conftest import (
    DAY,
    JANUARY,
    Clock,
    client_for,
    event_types,
    make_customer,
    make_price,
    subscribe,
)
from tests.stripe_sandbox.test_checkout import open_session
from tests.stripe_sandbox.test_coupons import half
from tests.support.stripe import start_sandbox

TAXED = {"automatic_tax": {"enabled": True}}
PARIS = {"address": {"country": "FR", "postal_code": "75001"}}


@pytest.fixture(scope="module")
def taxing_process(tmp_path_factory):
    made = start_sandbox(tmp_path_factory.mktemp("taxing"), tax_percent="20")
    yield made
    made.stop()


@pytest.fixture
def sandbox(taxing_process):
    taxing_process.empty()
    yield taxing_process
    assert taxing_process.violations() == []


@pytest.fixture
def stripe(sandbox):
    return client_for(sandbox)


@pytest.fixture
def clock(stripe):
    return Clock(stripe, stripe.test_helpers.test_clocks.create({"frozen_time": JANUARY}).id)


@pytest.fixture
def premium(stripe):
    return make_price(stripe, "Premium", 800)


def test_tax_is_added_to_the_price(stripe, premium, clock):
    customer = make_customer(stripe, clock=clock, **PARIS)
    subscription = subscribe(stripe, customer, premium, **TAXED, expand=["latest_invoice"])
    invoice = subscription.latest_invoice
    assert (invoice.subtotal, invoice.total_excluding_tax, invoice.total, invoice.amount_paid) == (800, 800, 960, 960)
    tax = invoice.total_taxes[0]
    assert (tax.amount, tax.taxable_amount, tax.tax_behavior) == (160, 800, "exclusive")
    assert (invoice.lines.data[0].amount, invoice.lines.data[0].taxes[0].amount) == (800, 160)
    assert (invoice.automatic_tax.status, subscription.automatic_tax.enabled) == ("complete", True)
    clock.advance_to(JANUARY + 31 * DAY + 7200)
    assert stripe.invoices.list({"customer": customer.id}).data[0].total == 960


def test_who_did_not_ask_pays_none(stripe, premium):
    invoice = subscribe(stripe, make_customer(stripe, **PARIS), premium, expand=["latest_invoice"]).latest_invoice
    assert (invoice.total, invoice.total_taxes, invoice.automatic_tax.enabled) == (800, [], False)


def test_tax_comes_after_the_discount(stripe, premium):
    fields = {"discounts": [{"coupon": half(stripe).id}], "expand": ["latest_invoice"]}
    invoice = subscribe(stripe, make_customer(stripe, **PARIS), premium, **TAXED, **fields).latest_invoice
    assert (invoice.subtotal, invoice.total_excluding_tax, invoice.total) == (800, 400, 480)


@pytest.mark.parametrize(("exempt", "reason"), [("exempt", "customer_exempt"), ("reverse", "reverse_charge")])
def test_who_is_exempt_pays_none(stripe, premium, exempt, reason):
    customer = make_customer(stripe, tax_exempt=exempt, **PARIS)
    invoice = subscribe(stripe, customer, premium, **TAXED, expand=["latest_invoice"]).latest_invoice
    assert (invoice.total, invoice.total_taxes[0].amount, invoice.total_taxes[0].taxability_reason) == (800, 0, reason)


def test_without_an_address_nothing_begins(sandbox, stripe, premium):
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        subscribe(stripe, make_customer(stripe), premium, **TAXED)
    assert refusal.value.code == "customer_tax_location_invalid"
    assert sandbox.objects("subscription") == sandbox.objects("charge") == []


def test_a_renewal_without_an_address_waits_until_there_is_one(stripe, premium, clock):
    customer = make_customer(stripe, clock=clock, **PARIS)
    subscribe(stripe, customer, premium, **TAXED)
    stripe.customers.update(customer.id, {"address": ""})
    clock.advance_to(JANUARY + 31 * DAY + 7200)
    draft = stripe.invoices.list({"customer": customer.id}).data[0]
    assert (draft.status, draft.automatic_tax.status) == ("draft", "requires_location_inputs")
    assert draft.last_finalization_error.code == "customer_tax_location_invalid"
    assert "invoice.finalization_failed" in event_types(stripe)
    stripe.customers.update(customer.id, PARIS)
    opened = stripe.invoices.finalize_invoice(draft.id)
    assert (opened.status, opened.total, opened.last_finalization_error) == ("open", 960, None)


def test_a_change_is_prorated_before_tax(stripe, premium, clock):
    clock.advance_to(JANUARY + 90 * DAY)
    subscription = subscribe(stripe, make_customer(stripe, clock=clock, **PARIS), premium, **TAXED)
    clock.advance(days=15)
    item = {"id": subscription["items"].data[0].id, "price": make_price(stripe, "Premium+", 4000).id}
    fields = {"items": [item], "proration_behavior": "always_invoice", "expand": ["latest_invoice"]}
    invoice = stripe.subscriptions.update(subscription.id, fields).latest_invoice
    assert [(line.amount, line.taxes[0].amount) for line in invoice.lines.data] == [(-400, -80), (2000, 400)]
    assert (invoice.total_excluding_tax, invoice.total) == (1600, 1920)


def test_checkout_shows_the_tax_and_learns_the_address(stripe, premium, browser):
    customer = make_customer(stripe, card=None)
    update = {"customer_update": {"address": "auto", "name": "auto"}}
    session = open_session(stripe, premium, customer, **TAXED, **update)
    assert (session.amount_subtotal, session.amount_total, session.total_details.amount_tax) == (800, 960, 160)
    assert session.automatic_tax.status == "requires_location_inputs"
    page = browser.get(session.url).text
    assert ("Tax" in page, "$1.60" in page, "Pay $9.60" in page) == (True, True, True)
    browser.pay(session.url, "4242424242424242", postal_code="75001")
    done = stripe.checkout.sessions.retrieve(session.id, {"expand": ["invoice", "subscription", "line_items"]})
    assert (done.invoice.amount_paid, done.amount_total, done.automatic_tax.status) == (960, 960, "complete")
    assert done.line_items.data[0].amount_tax == 160
    assert done.subscription.automatic_tax.enabled is True
    learnt = stripe.customers.retrieve(customer.id)
    assert (learnt.address.country, learnt.address.postal_code, learnt.name) == ("FR", "75001", "Ana")


def test_checkout_needs_an_address_it_may_learn(sandbox, stripe, premium):
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        open_session(stripe, premium, make_customer(stripe, card=None), **TAXED)
    assert refusal.value.code == "customer_tax_location_invalid"
    assert sandbox.objects("checkout.session") == []
    assert open_session(stripe, premium, make_customer(stripe, card=None, **PARIS), **TAXED).status == "open"


def test_a_new_buyer_is_made_with_the_address_of_the_form(stripe, premium, browser):
    session = open_session(stripe, premium, customer_email="ben@example.com", **TAXED)
    browser.pay(session.url, "4242424242424242")
    done = stripe.checkout.sessions.retrieve(session.id, {"expand": ["customer", "invoice"]})
    assert (done.customer.address.country, done.customer.name, done.invoice.total) == ("FR", "Ana", 960)


def test_a_tax_number_is_kept_and_printed(stripe, premium, browser):
    customer = make_customer(stripe, card=None)
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        open_session(stripe, premium, customer, tax_id_collection={"enabled": True})
    assert refusal.value.param == "customer_update[name]"
    update = {"customer_update": {"address": "auto", "name": "auto"}}
    session = open_session(stripe, premium, customer, tax_id_collection={"enabled": True}, **update)
    browser.pay(session.url, "4242424242424242", tax_id="FR 40 303265045")
    done = stripe.checkout.sessions.retrieve(session.id, {"expand": ["invoice"]})
    assert done.customer_details.tax_ids[0].to_dict() == {"type": "eu_vat", "value": "FR40303265045"}
    assert done.invoice.customer_tax_ids[0].value == "FR40303265045"
    assert "FR40303265045" in browser.get(done.invoice.invoice_pdf).text


def test_a_credit_note_gives_its_share_of_the_tax_back(stripe, premium):
    customer = make_customer(stripe, **PARIS)
    invoice = subscribe(stripe, customer, premium, **TAXED, expand=["latest_invoice"]).latest_invoice
    whole = stripe.credit_notes.preview({"invoice": invoice.id, "amount": 480, "refund_amount": 480})
    assert (whole.total, whole.total_excluding_tax, whole.total_taxes[0].amount) == (480, 400, 80)
    wanted = {"type": "invoice_line_item", "invoice_line_item": invoice.lines.data[0].id, "amount": 100}
    note = stripe.credit_notes.create({"invoice": invoice.id, "lines": [wanted], "refund_amount": 120})
    assert (note.subtotal, note.total, note.total_taxes[0].taxable_amount) == (100, 120, 100)
