"""The test cards as the pages offer them, each with a word for what it does."""

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.stripe_sandbox import cards

# The three that are wanted most come first.
WORDS = {
    "4242424242424242": _("succeeds"),
    "4000000000000002": _("declined"),
    "4000000000003220": _("asks for 3-D Secure"),
    "5555555555554444": _("succeeds"),
    "4000000000009995": _("insufficient funds"),
    "4000000000009987": _("lost card"),
    "4000000000009979": _("stolen card"),
    "4000000000000069": _("expired"),
    "4000000000000127": _("wrong security code"),
    "4000000000000119": _("processing error"),
    "4000000000000341": _("is saved, then every charge fails"),
    "4000002500003155": _("asks for 3-D Secure once"),
    "4000002760003184": _("asks for 3-D Secure every time"),
    "4000008400001629": _("3-D Secure, then declined"),
    "4000000000000259": _("succeeds, then the payment is disputed"),
    "4000000000001976": _("succeeds; the bank only asks"),
    "4000000000005126": _("succeeds; refunds come back"),
}
EXAMPLE = {"expiry": "12 / 34", "cvc": "123", "name": "Sandy Box", "country": "FR", "postal_code": "75001"}
# What Stripe says of declined cards and refused codes, for translation: the texts stand in `cards` and `discounts`.
MESSAGES = (
    _("Your card was declined."),
    _("Your card has insufficient funds."),
    _("Your card has expired."),
    _("Your card's security code is incorrect."),
    _("An error occurred while processing your card. Try again in a little bit."),
    _("Your card was declined. This transaction requires authentication."),
    _("This code is invalid."),
    _("This promotion code has expired."),
    _("This promotion code is for another customer."),
    _("This promotion code is for another currency."),
    _("This coupon is for another currency."),
    _("Your order is below the minimum of this promotion code."),
    _("This promotion code is for first orders only."),
    _("We are unable to authenticate your payment method. Please choose a different payment method and try again."),
)


def all_chips() -> list[dict[str, object]]:
    """List the test cards with their words."""
    return [{"number": number, "text": _spaced(number), "does": does} for number, does in WORDS.items()]


def picked(request: HttpRequest) -> dict[str, str]:
    """Give the form's first values after a chip was chosen; none before."""
    card = cards.BY_NUMBER.get(request.GET.get("card", ""))
    return {**EXAMPLE, "number": _spaced(card.number)} if card else {}


def _spaced(number: str) -> str:
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))
