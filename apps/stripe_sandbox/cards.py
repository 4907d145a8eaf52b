"""The test cards: what each number does when it is saved and when it is charged. Pure; no card here is real."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What the bank says."""

    SUCCEEDED = "succeeded"
    REQUIRES_ACTION = "requires_action"
    DECLINED = "declined"


@dataclass(frozen=True)
class Decline:
    """Why a card was declined, in Stripe's codes and words."""

    code: str
    message: str
    decline_code: str | None = None


@dataclass(frozen=True)
class Answer:
    """A verdict, and the reason when it is a decline."""

    verdict: Verdict
    decline: Decline | None = None


@dataclass(frozen=True)
class Card:
    """One test card.

    saving          the decline when it is attached, or None
    charging        the decline when it is charged, or None
    authentication  "" never, "setup" on setup and on session, "required" until done once, "always" every time
    dispute         the reason of the dispute that follows a charge, or None; `is_inquiry`: the bank only asks
    refunding       "" at once, "pending" or "failed" for what becomes of a refund to it
    """

    number: str
    aliases: tuple[str, ...]
    brand: str = "visa"
    country: str = "US"
    saving: Decline | None = None
    charging: Decline | None = None
    authentication: str = ""
    dispute: str | None = None
    is_inquiry: bool = False
    refunding: str = ""

    @property
    def last4(self) -> str:
        return self.number[-4:]


GENERIC = Decline("card_declined", "Your card was declined.", "generic_decline")
INSUFFICIENT = Decline("card_declined", "Your card has insufficient funds.", "insufficient_funds")
LOST = Decline("card_declined", "Your card was declined.", "lost_card")
STOLEN = Decline("card_declined", "Your card was declined.", "stolen_card")
EXPIRED = Decline("expired_card", "Your card has expired.")
WRONG_CVC = Decline("incorrect_cvc", "Your card's security code is incorrect.")
PROCESSING = Decline("processing_error", "An error occurred while processing your card. Try again in a little bit.")
AUTHENTICATION = Decline(
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
    "authentication_required",
)
NOT_AUTHENTICATED = Decline(
    "payment_intent_authentication_failure",
    "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
)

CARDS = (
    Card("4242424242424242", ("pm_card_visa",)),
    Card("5555555555554444", ("pm_card_mastercard",), brand="mastercard"),
    Card("4000000000000002", ("pm_card_visa_chargeDeclined", "pm_card_chargeDeclined"), saving=GENERIC),
    Card(
        "4000000000009995",
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "pm_card_chargeDeclinedInsufficientFunds"),
        saving=INSUFFICIENT,
    ),
    Card(
        "4000000000009987",
        ("pm_card_visa_chargeDeclinedLostCard", "pm_card_chargeDeclinedLostCard"),
        saving=LOST,
    ),
    Card(
        "4000000000009979",
        ("pm_card_visa_chargeDeclinedStolenCard", "pm_card_chargeDeclinedStolenCard"),
        saving=STOLEN,
    ),
    Card("4000000000000069", ("pm_card_chargeDeclinedExpiredCard",), saving=EXPIRED),
    Card("4000000000000127", ("pm_card_chargeDeclinedIncorrectCvc",), saving=WRONG_CVC),
    Card("4000000000000119", ("pm_card_chargeDeclinedProcessingError",), saving=PROCESSING),
    Card("4000000000000341", ("pm_card_chargeCustomerFail",), charging=GENERIC),
    Card(
        "4000002500003155",
        ("pm_card_authenticationRequiredOnSetup",),
        authentication="setup",
    ),
    Card("4000002760003184", ("pm_card_authenticationRequired",), authentication="always"),
    Card(
        "4000000000003220",
        ("pm_card_threeDSecure2Required", "pm_card_threeDSecureRequired"),
        authentication="required",
    ),
    Card(
        "4000008400001629",
        ("pm_card_threeDSecureRequiredChargeDeclined",),
        charging=GENERIC,
        authentication="required",
    ),
    Card("4000000000000259", ("pm_card_createDispute",), dispute="fraudulent"),
    Card("4000000000002685", ("pm_card_createDisputeProductNotReceived",), dispute="product_not_received"),
    Card("4000000000001976", ("pm_card_createDisputeInquiry",), dispute="fraudulent", is_inquiry=True),
    Card("4000000000007726", ("pm_card_pendingRefund",), refunding="pending"),
    Card("4000000000005126", ("pm_card_refundFail",), refunding="failed"),
)
BY_NUMBER = {card.number: card for card in CARDS}
BY_ALIAS = {alias: card for card in CARDS for alias in card.aliases}


def has_valid_checksum(number: str) -> bool:
    """Check the last digit by Luhn's rule."""
    digits = [int(digit) for digit in reversed(number)]
    doubled = sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + doubled) % 10 == 0


def answer_setup(card: Card, *, authenticated: bool = False) -> Answer:
    """Say what happens when the card is saved by its owner for later payments."""
    if card.saving:
        return Answer(Verdict.DECLINED, card.saving)
    if card.authentication and not authenticated:
        return Answer(Verdict.REQUIRES_ACTION)
    return Answer(Verdict.SUCCEEDED)


def answer_charge(card: Card, *, on_session: bool, authenticated: bool = False, was_set_up: bool = False) -> Answer:
    """Say what happens when the card is charged.

    on_session     its owner is there and could be asked
    authenticated  they were asked for this payment, and agreed
    was_set_up     they agreed once before, when the card was saved or first charged
    """
    if card.saving:
        return Answer(Verdict.DECLINED, card.saving)
    if not authenticated and _asks(card, on_session=on_session, was_set_up=was_set_up):
        return Answer(Verdict.REQUIRES_ACTION) if on_session else Answer(Verdict.DECLINED, AUTHENTICATION)
    if card.charging:
        return Answer(Verdict.DECLINED, card.charging)
    return Answer(Verdict.SUCCEEDED)


def _asks(card: Card, *, on_session: bool, was_set_up: bool) -> bool:
    if card.authentication in ("", "always"):
        return card.authentication == "always"
    return on_session or not was_set_up
