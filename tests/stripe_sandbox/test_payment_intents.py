"""Payments that a caller makes: with and without their owner, declined, asked for, given up."""

import pytest
import stripe as stripe_library

from tests.stripe_sandbox.conftest import event_types, make_customer, subscribe


@pytest.fixture
def customer(stripe):
    return make_customer(stripe)


def card_of(stripe, customer):
    return stripe.payment_methods.list({"customer": customer.id}).data[0].id


def recharge(stripe, customer, **fields):
    card = {"customer": customer.id, "payment_method": card_of(stripe, customer), "off_session": True, "confirm": True}
    return stripe.payment_intents.create({"amount": 2000, "currency": "usd", **card, **fields})


def test_a_saved_card_is_charged_without_its_owner(stripe, customer):
    intent = recharge(stripe, customer, metadata={"purchase": "7"}, description="Recharge")
    assert (intent.status, intent.amount_received, intent.metadata.to_dict()) == ("succeeded", 2000, {"purchase": "7"})
    charge = stripe.charges.retrieve(intent.latest_charge, {"expand": ["balance_transaction"]})
    entry = charge.balance_transaction
    assert (charge.description, entry.amount, entry.fee, entry.net) == ("Recharge", 2000, 88, 1912)
    assert event_types(stripe)[-3:] == ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]


@pytest.mark.parametrize(("amount", "fee"), [(800, 53), (8400, 274), (50, 31), (5000, 175)])
def test_the_stand_in_fee_is_rounded_half_up(stripe, customer, amount, fee):
    intent = recharge(stripe, customer, amount=amount, expand=["latest_charge.balance_transaction"])
    assert intent.latest_charge.balance_transaction.fee == fee


@pytest.mark.parametrize(
    ("card", "code", "decline_code"),
    [
        ("pm_card_chargeCustomerFail", "card_declined", "generic_decline"),
        ("pm_card_authenticationRequired", "authentication_required", "authentication_required"),
        ("pm_card_threeDSecure2Required", "authentication_required", "authentication_required"),
    ],
)
def test_a_decline_keeps_the_intent_and_its_failed_charge(stripe, card, code, decline_code):
    customer = make_customer(stripe, card=card)
    with pytest.raises(stripe_library.CardError) as refusal:
        recharge(stripe, customer)
    error = refusal.value.error
    assert (refusal.value.http_status, error.code, error.decline_code) == (402, code, decline_code)
    kept = stripe.payment_intents.retrieve(error.payment_intent.id)
    assert (kept.status, kept.payment_method, kept.amount_received) == ("requires_payment_method", None, 0)
    assert (kept.last_payment_error.code, kept.last_payment_error.charge) == (code, error.charge)
    assert stripe.charges.retrieve(error.charge).status == "failed"
    assert stripe.charges.retrieve(error.charge).balance_transaction is None
    assert event_types(stripe)[-2:] == ["charge.failed", "payment_intent.payment_failed"]


def test_a_retry_with_the_same_key_repeats_the_decline(sandbox, stripe):
    customer = make_customer(stripe, card="pm_card_chargeCustomerFail")
    fields = {"amount": 500, "currency": "usd", "customer": customer.id, "payment_method": card_of(stripe, customer)}
    for _ in range(2):
        options = {"idempotency_key": "recharge:7:1"}
        with pytest.raises(stripe_library.CardError):
            stripe.payment_intents.create({**fields, "off_session": True, "confirm": True}, options)
    assert len(sandbox.objects("payment_intent")) == len(sandbox.objects("charge")) == 1


def charge_wrongly(stripe, customer, fields):
    card = {"customer": customer.id, "payment_method": card_of(stripe, customer), "off_session": True, "confirm": True}
    stripe.payment_intents.create({"amount": 2000, "currency": "usd", **card, **fields})


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"amount": 49}, "amount_too_small", "amount"),
        ({"amount": 0}, "parameter_invalid_integer", "amount"),
        ({"customer": "cus_x"}, "resource_missing", "customer"),
        ({"payment_method": "pm_x"}, "resource_missing", "payment_method"),
        ({"surprise": "1"}, "parameter_unknown", "surprise"),
        ({"confirm": False}, None, "off_session"),
    ],
)
def test_refuses_what_cannot_be_charged(sandbox, stripe, customer, fields, code, param):
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        charge_wrongly(stripe, customer, fields)
    assert (refusal.value.code, refusal.value.param) == (code, param)
    assert sandbox.objects("payment_intent") == sandbox.objects("charge") == []


def test_somebody_elses_card_is_refused(sandbox, stripe, customer):
    other = make_customer(stripe)
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        recharge(stripe, other, payment_method=card_of(stripe, customer))
    assert (refusal.value.code, refusal.value.param) == ("resource_missing", "payment_method")
    assert sandbox.objects("charge") == []


def test_a_payment_is_made_step_by_step(stripe, customer):
    intent = stripe.payment_intents.create({"amount": 700, "currency": "usd", "customer": customer.id})
    assert intent.status == "requires_payment_method"
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        stripe.payment_intents.confirm(intent.id)
    assert refusal.value.code == "payment_intent_unexpected_state"
    changed = stripe.payment_intents.update(intent.id, {"amount": 900, "payment_method": card_of(stripe, customer)})
    assert (changed.status, changed.amount) == ("requires_confirmation", 900)
    assert stripe.payment_intents.confirm(intent.id).status == "succeeded"
    for act in (stripe.payment_intents.confirm, stripe.payment_intents.cancel):
        with pytest.raises(stripe_library.InvalidRequestError) as refusal:
            act(intent.id)
        assert refusal.value.code == "payment_intent_unexpected_state"
    with pytest.raises(stripe_library.InvalidRequestError, match="amount could not be updated"):
        stripe.payment_intents.update(intent.id, {"amount": 100})
    assert stripe.payment_intents.update(intent.id, {"metadata": {"a": "1"}}).metadata.to_dict() == {"a": "1"}
    assert stripe.payment_intents.retrieve(intent.id).amount_received == 900


def test_a_payment_can_be_given_up(stripe, customer):
    intent = stripe.payment_intents.create({"amount": 700, "currency": "usd", "customer": customer.id})
    gone = stripe.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})
    assert (gone.status, gone.cancellation_reason) == ("canceled", "abandoned")
    with pytest.raises(stripe_library.InvalidRequestError, match="status of canceled"):
        stripe.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert event_types(stripe)[-1] == "payment_intent.canceled"


def test_its_owner_is_asked_when_they_are_there(stripe, browser):
    customer = make_customer(stripe, card="pm_card_authenticationRequired")
    back = "http://127.0.0.1:8000/paid?a=1"
    intent = recharge(stripe, customer, off_session=False, return_url=back)
    assert (intent.status, intent.next_action.redirect_to_url.return_url) == ("requires_action", back)
    answer = browser.submit(intent.next_action.redirect_to_url.url, answer="complete").headers["Location"]
    assert answer.startswith(f"{back}&payment_intent={intent.id}&")
    assert answer.endswith("redirect_status=succeeded")
    assert stripe.payment_intents.retrieve(intent.id).status == "succeeded"


def test_its_owner_can_refuse(stripe, sandbox, browser):
    customer = make_customer(stripe, card="pm_card_authenticationRequired")
    intent = recharge(stripe, customer, off_session=False, return_url="http://127.0.0.1:8000/paid")
    answer = browser.submit(intent.next_action.redirect_to_url.url, answer="fail").headers["Location"]
    assert answer.endswith("redirect_status=failed")
    assert stripe.payment_intents.retrieve(intent.id).status == "requires_payment_method"
    assert sandbox.objects("charge") == []


def test_payments_are_listed_by_customer_newest_first(stripe, customer):
    first, second = recharge(stripe, customer), recharge(stripe, customer)
    recharge(stripe, make_customer(stripe))
    assert [each.id for each in stripe.payment_intents.list({"customer": customer.id})] == [second.id, first.id]
    assert [each.id for each in stripe.charges.list({"payment_intent": first.id})] == [first.latest_charge]


def test_an_invoices_own_payment_is_not_given_up_alone(stripe):
    customer = make_customer(stripe, card="pm_card_chargeCustomerFail")
    invoice = subscribe(stripe, customer, stripe.prices.retrieve(_price(stripe)), expand=["latest_invoice.payments"])
    key = invoice.latest_invoice.payments.data[0].payment.payment_intent
    with pytest.raises(stripe_library.InvalidRequestError, match="created by an Invoice"):
        stripe.payment_intents.cancel(key)
    paid = stripe.payment_intents.confirm(key, {"payment_method": "pm_card_visa"})
    assert (paid.status, stripe.invoices.retrieve(invoice.latest_invoice.id).status) == ("succeeded", "paid")


def test_a_declined_invoice_names_its_payment_and_its_charge(stripe):
    customer = make_customer(stripe, card="pm_card_chargeCustomerFail")
    subscription = subscribe(stripe, customer, stripe.prices.retrieve(_price(stripe)))
    with pytest.raises(stripe_library.CardError) as refusal:
        stripe.invoices.pay(subscription.latest_invoice)
    error = refusal.value.error
    assert (error.payment_intent.status, error.payment_intent.latest_charge) == (
        "requires_payment_method",
        error.charge,
    )
    assert stripe.charges.retrieve(error.charge).status == "failed"


def _price(stripe):
    fields = {"currency": "usd", "unit_amount": 800, "recurring": {"interval": "month"}}
    return stripe.prices.create({**fields, "product_data": {"name": "Premium"}}).id


def test_a_receipt_shows_what_was_paid_and_what_went_back(stripe, customer, browser):
    intent = recharge(stripe, customer, description="Recharge", expand=["latest_charge"])
    stripe.refunds.create({"payment_intent": intent.id, "amount": 500})
    page = browser.get(intent.latest_charge.receipt_url).text
    assert ("Recharge" in page, "$20.00" in page, "$5.00" in page, "$15.00" in page) == (True, True, True, True)


def test_a_receipt_that_is_none_is_404(sandbox, browser):
    answer = browser.get(f"{sandbox.base}/receipts/ch_x")
    assert (answer.status_code, "There is no such receipt" in answer.text) == (404, True)
