"""Payments that a caller makes: which steps an intent allows, and how a failed one is answered."""

from apps.stripe_sandbox import intents, payment_methods, proration
from apps.stripe_sandbox.cards import AUTHENTICATION, Decline, Verdict
from apps.stripe_sandbox.documents import Document, public
from apps.stripe_sandbox.errors import StripeError, declined, invalid
from apps.stripe_sandbox.invoicing import format_amount

UNEXPECTED = "payment_intent_unexpected_state"
CHANGEABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
CANCELABLE = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action", "processing")


def require_enough(amount: int, currency: str) -> None:
    """Refuse an amount that no card can be charged with.

    Raises  StripeError 400: below the minimum.
    """
    if amount < 1:
        raise invalid("This value must be greater than or equal to 1.", "amount", "parameter_invalid_integer")
    if amount < proration.MINIMUM_CHARGE:
        least = f"{format_amount(proration.MINIMUM_CHARGE, currency)} {currency}"
        raise invalid(f"Amount must be at least {least}", "amount", "amount_too_small")


def find_method(key: str, customer: Document | None, *, now: int) -> Document:
    """Give the card that is to pay: the customer's, or a new one from an alias such as `pm_card_visa`.

    Raises  StripeError 400: no such card, or it is somebody else's.
    """
    method = payment_methods.get(key, param="payment_method", now=now)
    owner = method["customer"]
    if owner and customer is None:
        raise invalid(
            f"The payment method {method['id']} is attached to a customer. To use it, provide that customer as well.",
            "payment_method",
        )
    if owner and customer and owner != customer["id"]:
        raise invalid(
            f"The customer does not have a payment method with the ID {method['id']}. "
            "The payment method must be attached to the customer.",
            "payment_method",
            "resource_missing",
        )
    return method


def confirm(intent: Document, method: Document | None, *, off_session: bool, now: int) -> Document:
    """Charge an intent; on session, 3-D Secure leaves it waiting for its owner.

    Raises  StripeError 400: it is not to be confirmed now; 402: declined, and the failed charge is kept.
    """
    _require_confirmable(intent, method)
    if method is None:
        raise _missing_method(intent)
    result = intents.confirm_payment(intent, method, on_session=not off_session, now=now)
    if result.answer.verdict is Verdict.DECLINED:
        raise refusal(result.intent, result.answer.decline or AUTHENTICATION, method)
    return result.intent


def refusal(intent: Document, decline: Decline, method: Document) -> StripeError:
    """Build the answer to a declined payment: it carries the intent and the card."""
    more: Document = {"payment_intent": public(intent), "payment_method": public(method)}
    if intent["latest_charge"]:
        more["charge"] = intent["latest_charge"]
    return declined(decline.code, decline.message, decline.decline_code, keeps_rows=True, **more)


def require_changeable(intent: Document, names: list[str]) -> None:
    """Refuse to change what a payment was made with.

    Raises  StripeError 400: it succeeded or was canceled.
    """
    fixed = [name for name in names if name not in ("description", "metadata", "receipt_email")]
    if fixed and intent["status"] not in CHANGEABLE:
        raise _unexpected(
            f"This PaymentIntent's {fixed[0]} could not be updated because it has a status of {intent['status']}. "
            f"You may only update the {fixed[0]} of a PaymentIntent with one of the following statuses: "
            f"{', '.join(CHANGEABLE)}.",
            intent,
        )


def cancel(intent: Document, reason: str | None, *, now: int) -> Document:
    """Give up a payment.

    Raises  StripeError 400: it succeeded, was canceled already, or belongs to an invoice.
    """
    if intent.get("_invoice"):
        raise _unexpected("You cannot cancel this PaymentIntent because it was created by an Invoice.", intent)
    if intent["status"] not in CANCELABLE:
        raise _unexpected(
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}. Only a PaymentIntent "
            f"with one of the following statuses may be canceled: {', '.join(CANCELABLE)}.",
            intent,
        )
    return intents.cancel(intent, reason, now=now)


def _require_confirmable(intent: Document, method: Document | None) -> None:
    if intent["status"] == "succeeded":
        message = "it has already succeeded after being previously confirmed."
    elif intent["status"] == "canceled":
        message = "it has a status of canceled."
    elif intent["status"] == "requires_action" and method is None:
        message = "it has a status of requires_action."
    else:
        return
    raise _unexpected(f"You cannot confirm this PaymentIntent because {message}", intent)


def _missing_method(intent: Document) -> StripeError:
    hint = (
        f"To confirm the PaymentIntent with {intent['customer']}, specify a payment method attached to this customer "
        "along with the customer ID."
        if intent["customer"]
        else "You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it "
        "again directly with a payment method or ConfirmationToken."
    )
    return _unexpected(
        f"You cannot confirm this PaymentIntent because it's missing a payment method. {hint}",
        intent,
    )


def _unexpected(message: str, intent: Document) -> StripeError:
    refused = invalid(message, code=UNEXPECTED)
    refused.error["payment_intent"] = public(intent)
    return refused
