"""Who may call: anyone with a test key. Live keys are refused, loudly."""

import base64
import binascii
import re

from apps.stripe_sandbox.errors import StripeError, invalid

TEST_KEY = re.compile(r"(sk|rk)_test_[A-Za-z0-9]+")


def require_test_key(header: str) -> None:
    """Check an `Authorization` header, Bearer or Basic with the key as user.

    Raises  StripeError 401: no key, not a test key, or a live one.
    """
    key = _key_in(header)
    if not key:
        raise invalid(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using "
            "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See "
            "https://stripe.com/docs/api#authentication for details.",
            status=401,
        )
    if re.match(r"(sk|rk)_live_", key):
        raise invalid("This is the local sandbox: it takes no live key. Use one that begins with sk_test_.", status=401)
    if not TEST_KEY.fullmatch(key):
        raise invalid(f"Invalid API Key provided: {key[:8]}{'*' * 12}", status=401)


def _key_in(header: str) -> str:
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""


def is_unauthorized(error: StripeError) -> bool:
    """Say whether an answer must carry `WWW-Authenticate`."""
    return error.status == 401  # noqa: PLR2004  HTTP's own number
