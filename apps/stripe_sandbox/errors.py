"""How Stripe refuses: one exception that carries the status and the body of the answer."""

from apps.stripe_sandbox.documents import Document, Json

# Stripe's own word for each kind of object in "No such …".
LABELS = {
    "payment_method": "PaymentMethod",
    "billing.meter": "meter",
    "credit_note": "credit note",
    "setup_intent": "setupintent",
    "subscription_schedule": "subscription schedule",
    "test_helpers.test_clock": "test clock",
    "webhook_endpoint": "webhook endpoint",
    "billing_portal.configuration": "configuration",
}


class StripeError(Exception):
    """A refusal in Stripe's words.

    status      HTTP status of the answer.
    error       the `error` object: type, code, message, param, …
    keeps_rows  true when what was written before stays, as after a declined charge.
    """

    def __init__(self, status: int, error: Document, *, keeps_rows: bool = False) -> None:
        super().__init__(error["message"])
        self.status = status
        self.error = {key: value for key, value in error.items() if value is not None}
        self.keeps_rows = keeps_rows


def invalid(message: str, param: str | None = None, code: str | None = None, *, status: int = 400) -> StripeError:
    """Build an `invalid_request_error`."""
    return StripeError(status, {"type": "invalid_request_error", "message": message, "param": param, "code": code})


def missing_object(kind: str, key: str, param: str, *, status: int = 404) -> StripeError:
    """Build “No such …”: 404 for the id in the path, 400 for a parameter or a cursor."""
    return invalid(f"No such {LABELS.get(kind, kind)}: '{key}'", param, "resource_missing", status=status)


def declined(code: str, message: str, decline_code: str | None, *, keeps_rows: bool, **more: Json) -> StripeError:
    """Build a `card_error`, status 402."""
    body = {"type": "card_error", "code": code, "message": message, "decline_code": decline_code, **more}
    body["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"
    return StripeError(402, body, keeps_rows=keeps_rows)
