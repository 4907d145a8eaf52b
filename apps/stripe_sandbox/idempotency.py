"""One key, one effect: a repeated POST gets the first answer again."""

from collections.abc import Callable

from django.db import IntegrityError, transaction

from apps.stripe_sandbox.errors import StripeError
from apps.stripe_sandbox.models import IdempotentCall

LONGEST_KEY = 255
CARD_ERROR, SERVER_ERROR = 402, 500


def _is_kept(status: int) -> bool:
    """Say whether an answer uses the key up: refused parameters and conflicts do not."""
    return status < 300 or status == CARD_ERROR or status >= SERVER_ERROR  # noqa: PLR2004  HTTP's own numbers


def answer_once(key: str, fingerprint: str, act: Callable[[], tuple[int, str]]) -> tuple[int, str, bool]:
    """Give status, body and whether they are a repetition.

    Raises  StripeError 400: the key came with other parameters; 409: the first call is still under way.
    """
    if len(key) > LONGEST_KEY:
        message = f"Idempotency keys have at most {LONGEST_KEY} characters; this one has {len(key)}."
        raise StripeError(400, {"type": "idempotency_error", "message": message})
    try:
        with transaction.atomic():
            IdempotentCall.objects.create(key=key, fingerprint=fingerprint)
    except IntegrityError:
        return (*_repeat(key, fingerprint), True)
    try:
        status, body = act()
    except BaseException:
        IdempotentCall.objects.filter(key=key).delete()
        raise
    if _is_kept(status):
        IdempotentCall.objects.filter(key=key).update(status=status, answer=body)
    else:
        IdempotentCall.objects.filter(key=key).delete()
    return status, body, False


def _repeat(key: str, fingerprint: str) -> tuple[int, str]:
    known = IdempotentCall.objects.filter(key=key).first()
    if known and known.fingerprint != fingerprint:
        raise StripeError(
            400,
            {
                "type": "idempotency_error",
                "message": "Keys for idempotent requests can only be used with the same parameters they were first "
                f"used with. Try using a key other than '{key}' if you meant to execute a different request.",
            },
        )
    if known is None or known.status is None:
        raise StripeError(
            409,
            {
                "type": "idempotency_error",
                "code": "idempotency_key_in_use",
                "message": "There is currently another in-progress request using this Idempotent Key (that probably "
                "means you submitted twice, and the other request is still going through). Please try again later.",
            },
        )
    return known.status, known.answer


def forget_unfinished() -> None:
    """Free the keys of calls that a stopped sandbox never finished."""
    IdempotentCall.objects.filter(status=None).delete()
