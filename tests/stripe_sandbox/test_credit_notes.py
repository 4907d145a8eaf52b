"""Credit notes: on open invoices, on paid ones, too much, taken back; and what else ends an invoice."""

import pytest
import stripe as stripe_library

from tests.stripe_sandbox.conftest import event_types, make_customer, subscribe
from tests.stripe_sandbox.test_meters import refusal_of


@pytest.fixture
def paid(stripe, premium):
    """An invoice of 8.00 that was paid."""
    return subscribe(stripe, make_customer(stripe), premium, expand=["latest_invoice"]).latest_invoice


@pytest.fixture
def unpaid(stripe, premium):
    """An invoice of 8.00 that is open: its card failed."""
    customer = make_customer(stripe, card="pm_card_chargeCustomerFail")
    return subscribe(stripe, customer, premium, expand=["latest_invoice"]).latest_invoice


def test_a_paid_invoice_gives_money_back_to_the_card(stripe, paid):
    fields = {
        "invoice": paid.id,
        "amount": 300,
        "refund_amount": 300,
        "reason": "product_unsatisfactory",
        "memo": "Sorry",
    }
    note = stripe.credit_notes.create({**fields, "metadata": {"case": "7"}})
    assert (note.number, note.type, note.total, note.status) == (f"{paid.number}-CN-01", "post_payment", 300, "issued")
    assert (note.reason, note.memo, note.metadata.to_dict()) == ("product_unsatisfactory", "Sorry", {"case": "7"})
    refund = stripe.refunds.retrieve(note.refunds[0].refund)
    assert (refund.amount, refund.status) == (300, "succeeded")
    assert stripe.charges.retrieve(refund.charge).amount_refunded == 300
    invoice = stripe.invoices.retrieve(paid.id)
    assert (invoice.post_payment_credit_notes_amount, invoice.amount_paid, invoice.status) == (300, 800, "paid")
    again = stripe.credit_notes.create({"invoice": paid.id, "amount": 500, "refund_amount": 500})
    assert again.number == f"{paid.number}-CN-02"
    assert [each.id for each in stripe.credit_notes.list({"invoice": paid.id})] == [again.id, note.id]
    assert {"credit_note.created", "refund.created", "charge.refunded"} <= set(event_types(stripe))


def test_a_paid_invoice_can_fill_the_balance_instead(stripe, paid):
    fields = {"invoice": paid.id, "amount": 500, "credit_amount": 300, "out_of_band_amount": 200}
    note = stripe.credit_notes.create({**fields, "expand": ["customer_balance_transaction"]})
    assert (note.customer_balance_transaction.amount, note.out_of_band_amount, note.refunds) == (-300, 200, [])
    assert stripe.customers.retrieve(paid.customer).balance == -300


def test_a_refund_that_was_made_before_is_linked(stripe, paid):
    payment = stripe.invoice_payments.list({"invoice": paid.id}).data[0].payment.payment_intent
    refund = stripe.refunds.create({"payment_intent": payment, "amount": 200})
    linked = [{"refund": refund.id, "amount_refunded": 200}]
    note = stripe.credit_notes.create({"invoice": paid.id, "amount": 200, "refunds": linked})
    assert [each.refund for each in note.refunds] == [refund.id]
    assert len(stripe.refunds.list({"payment_intent": payment}).data) == 1


def test_a_line_of_the_invoice_can_be_credited(stripe, paid):
    line = paid.lines.data[0].id
    wanted = {"type": "invoice_line_item", "invoice_line_item": line, "amount": 250}
    note = stripe.credit_notes.create({"invoice": paid.id, "lines": [wanted], "credit_amount": 250})
    (credited,) = stripe.credit_notes.line_items.list(note.id).data
    assert (credited.invoice_line_item, credited.amount, credited.type) == (line, 250, "invoice_line_item")
    assert note.total == 250


def test_words_of_ones_own_can_be_credited(stripe, paid):
    wanted = {"type": "custom_line_item", "description": "An outage", "unit_amount": 100, "quantity": 3}
    note = stripe.credit_notes.create({"invoice": paid.id, "lines": [wanted], "credit_amount": 300})
    assert (note.total, note.lines.data[0].description) == (300, "An outage")


def test_a_preview_keeps_nothing(sandbox, stripe, paid):
    shown = stripe.credit_notes.preview({"invoice": paid.id, "amount": 300, "refund_amount": 300})
    assert (shown.total, shown.number) == (300, f"{paid.number}-CN-01")
    assert sandbox.objects("credit_note") == sandbox.objects("refund") == []


def test_an_open_invoice_asks_for_less(stripe, unpaid):
    note = stripe.credit_notes.create({"invoice": unpaid.id, "amount": 300})
    assert (note.type, note.pre_payment_amount, note.post_payment_amount) == ("pre_payment", 300, 0)
    invoice = stripe.invoices.retrieve(unpaid.id)
    assert (invoice.amount_due, invoice.amount_remaining, invoice.pre_payment_credit_notes_amount) == (500, 500, 300)
    done = stripe.invoices.pay(unpaid.id, {"payment_method": "pm_card_visa"})
    assert (done.status, done.amount_paid) == ("paid", 500)
    assert [charge.amount for charge in stripe.charges.list({"customer": unpaid.customer}) if charge.paid] == [500]


def test_nothing_left_is_paid(stripe, unpaid):
    stripe.credit_notes.create({"invoice": unpaid.id, "amount": 800})
    invoice = stripe.invoices.retrieve(unpaid.id, {"expand": ["payments"]})
    assert (invoice.status, invoice.amount_paid, invoice.payments.data[0].status) == ("paid", 0, "canceled")


def test_it_can_be_taken_back_while_the_invoice_is_open(stripe, unpaid):
    note = stripe.credit_notes.create({"invoice": unpaid.id, "amount": 300})
    assert stripe.credit_notes.void_credit_note(note.id).status == "void"
    assert stripe.invoices.retrieve(unpaid.id).amount_due == 800
    assert refusal_of(stripe.credit_notes.void_credit_note, note.id).http_status == 400
    assert event_types(stripe)[-1] == "credit_note.voided"


def test_it_cannot_be_taken_back_once_paid(stripe, paid):
    note = stripe.credit_notes.create({"invoice": paid.id, "amount": 300, "credit_amount": 300})
    assert refusal_of(stripe.credit_notes.void_credit_note, note.id).http_status == 400
    assert stripe.credit_notes.retrieve(note.id).status == "issued"
    changed = stripe.credit_notes.update(note.id, {"memo": "A word"})
    assert (changed.memo, changed.total) == ("A word", 300)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"amount": 801, "refund_amount": 801}, "amount"),
        ({"amount": 300, "refund_amount": 200}, "amount"),
        ({"amount": 300}, "amount"),
        ({"amount": 0}, "amount"),
        ({}, "amount"),
        ({"lines": [{"type": "invoice_line_item", "invoice_line_item": "il_x"}]}, "lines[0][invoice_line_item]"),
        ({"lines": [{"type": "custom_line_item", "description": "x"}]}, "lines[0][unit_amount]"),
        ({"amount": 300, "surprise": "1"}, "surprise"),
    ],
)
def test_refuses_what_does_not_add_up(sandbox, stripe, paid, fields, param):
    assert refusal_of(stripe.credit_notes.create, {"invoice": paid.id, **fields}).param == param
    assert sandbox.objects("credit_note") == sandbox.objects("refund") == []


def test_its_page_can_be_printed(stripe, paid, browser):
    note = stripe.credit_notes.create({"invoice": paid.id, "amount": 300, "refund_amount": 300, "memo": "Sorry"})
    page = browser.get(note.pdf).text
    assert (note.number in page, "$3.00" in page, "Sorry" in page) == (True, True, True)
    answer = browser.get(note.pdf + "x")
    assert (answer.status_code, "There is no such credit note" in answer.text) == (404, True)


def test_an_open_invoice_is_voided_and_then_not_paid(stripe, unpaid):
    done = stripe.invoices.void_invoice(unpaid.id)
    assert (done.status, done.status_transitions.voided_at is not None) == ("void", True)
    assert refusal_of(stripe.invoices.pay, unpaid.id).code == "invoice_not_editable"
    assert refusal_of(stripe.invoices.void_invoice, unpaid.id).code == "invoice_not_editable"
    assert refusal_of(stripe.credit_notes.create, {"invoice": unpaid.id, "amount": 100}).param == "invoice"
    assert event_types(stripe)[-1] == "invoice.voided"


def test_an_invoice_that_was_given_up_can_still_be_paid(stripe, unpaid):
    given_up = stripe.invoices.mark_uncollectible(unpaid.id)
    assert (given_up.status, given_up.status_transitions.marked_uncollectible_at is not None) == ("uncollectible", True)
    assert refusal_of(stripe.invoices.mark_uncollectible, unpaid.id).code == "invoice_not_editable"
    assert stripe.invoices.pay(unpaid.id, {"payment_method": "pm_card_visa"}).status == "paid"


def test_paid_elsewhere_gives_up_the_payment(sandbox, stripe, unpaid):
    done = stripe.invoices.pay(unpaid.id, {"paid_out_of_band": True})
    assert (done.status, done.amount_paid, done.amount_paid_off_stripe) == ("paid", 0, 800)
    payment = stripe.invoice_payments.list({"invoice": unpaid.id}).data[0]
    assert (payment.status, stripe.payment_intents.retrieve(payment.payment.payment_intent).status) == (
        "canceled",
        "canceled",
    )
    assert stripe.invoice_payments.retrieve(payment.id).id == payment.id
    names = event_types(stripe)
    assert ("invoice.paid" in names, "invoice.payment_succeeded" in names) == (True, False)


def test_a_paid_invoice_is_neither_voided_nor_given_up(stripe, paid):
    for act in (stripe.invoices.void_invoice, stripe.invoices.mark_uncollectible):
        assert refusal_of(act, paid.id).code == "invoice_not_editable"
    assert stripe.invoices.retrieve(paid.id).status == "paid"
    assert stripe.invoices.update(paid.id, {"metadata": {"a": "1"}}).metadata.to_dict() == {"a": "1"}
    with pytest.raises(stripe_library.InvalidRequestError):
        stripe.invoices.update(paid.id, {"amount_due": 1})
