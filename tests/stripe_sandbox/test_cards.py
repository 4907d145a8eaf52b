"""What every test card does, as rules and over the API."""

import pytest
import stripe as stripe_library

from apps.stripe_sandbox import cards
from apps.stripe_sandbox.cards import Verdict
from tests.stripe_sandbox.conftest import make_customer, subscribe

REFUSED = [
    ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline", "Your card was declined."),
    ("pm_card_chargeDeclined", "card_declined", "generic_decline", "Your card was declined."),
    (
        "pm_card_visa_chargeDeclinedInsufficientFunds",
        "card_declined",
        "insufficient_funds",
        "Your card has insufficient funds.",
    ),
    ("pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card", "Your card was declined."),
    ("pm_card_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card", "Your card was declined."),
    ("pm_card_chargeDeclinedExpiredCard", "expired_card", None, "Your card has expired."),
    ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", None, "Your card's security code is incorrect."),
    (
        "pm_card_chargeDeclinedProcessingError",
        "processing_error",
        None,
        "An error occurred while processing your card. Try again in a little bit.",
    ),
]


@pytest.mark.parametrize(("alias", "code", "decline_code", "message"), REFUSED)
def test_a_card_that_is_refused_is_not_attached(stripe, alias, code, decline_code, message):
    customer = make_customer(stripe, card=None)
    with pytest.raises(stripe_library.CardError) as refusal:
        stripe.payment_methods.attach(alias, {"customer": customer.id})
    error = refusal.value.error
    assert (refusal.value.http_status, error.code, error.message) == (402, code, message)
    assert getattr(error, "decline_code", None) == decline_code
    assert stripe.payment_methods.list({"customer": customer.id}).data == []


@pytest.mark.parametrize(
    ("alias", "status", "last4"),
    [
        ("pm_card_visa", "active", "4242"),
        ("pm_card_mastercard", "active", "4444"),
        ("pm_card_createDispute", "active", "0259"),
        ("pm_card_createDisputeProductNotReceived", "active", "2685"),
        ("pm_card_createDisputeInquiry", "active", "1976"),
        ("pm_card_pendingRefund", "active", "7726"),
        ("pm_card_refundFail", "active", "5126"),
        ("pm_card_chargeCustomerFail", "incomplete", "0341"),
        ("pm_card_authenticationRequiredOnSetup", "incomplete", "3155"),
        ("pm_card_authenticationRequired", "incomplete", "3184"),
        ("pm_card_threeDSecure2Required", "incomplete", "3220"),
        ("pm_card_threeDSecureRequiredChargeDeclined", "incomplete", "1629"),
    ],
)
def test_a_card_that_attaches_decides_how_a_subscription_begins(stripe, premium, alias, status, last4):
    customer = make_customer(stripe, card=alias)
    assert stripe.payment_methods.list({"customer": customer.id}).data[0].card.last4 == last4
    assert subscribe(stripe, customer, premium).status == status


@pytest.mark.parametrize(
    ("number", "on_session", "was_set_up", "verdict"),
    [
        ("4000002500003155", False, True, Verdict.SUCCEEDED),
        ("4000002500003155", True, True, Verdict.REQUIRES_ACTION),
        ("4000002760003184", False, True, Verdict.DECLINED),
        ("4000000000003220", False, True, Verdict.SUCCEEDED),
        ("4000000000003220", False, False, Verdict.DECLINED),
    ],
)
def test_whether_a_later_charge_asks_depends_on_the_card(number, on_session, was_set_up, verdict):
    answer = cards.answer_charge(cards.BY_NUMBER[number], on_session=on_session, was_set_up=was_set_up)
    assert answer.verdict is verdict


def test_after_3d_secure_one_card_is_declined_all_the_same():
    answer = cards.answer_charge(cards.BY_NUMBER["4000008400001629"], on_session=True, authenticated=True)
    assert answer.decline == cards.GENERIC


def test_every_number_has_a_valid_last_digit():
    assert all(cards.has_valid_checksum(card.number) for card in cards.CARDS)
    assert not cards.has_valid_checksum("4242424242424241")
