"""How a letter is signed: HMAC-SHA-256 over `{t}.{body}` with the whole secret."""

import hashlib
import hmac
from collections.abc import Sequence


def header(body: str, moment: int, secrets: Sequence[str]) -> str:
    """Write `Stripe-Signature`: the moment, and one `v1` for each secret in force."""
    return ",".join([f"t={moment}", *(f"v1={sign(body, moment, secret)}" for secret in secrets)])


def sign(body: str, moment: int, secret: str) -> str:
    """Sign one body at one moment with one secret."""
    return hmac.new(secret.encode(), f"{moment}.{body}".encode(), hashlib.sha256).hexdigest()
