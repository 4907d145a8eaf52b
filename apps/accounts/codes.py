"""Codes that are mailed and typed: six letters without vowels or look-alikes, kept as digests alone."""

from hmac import compare_digest

from allauth.core.internal.cryptokit import generate_user_code
from django.utils.crypto import salted_hmac

from apps.accounts.models import User

LENGTH = 6


def make() -> str:
    """A new code."""
    return str(generate_user_code(length=LENGTH, dashed=False))


def digest(user: User, code: str, *, purpose: str) -> str:
    """What is kept of a person’s code, for one purpose; it may be typed with spaces and in small letters."""
    plain = "".join(code.split()).replace("-", "").upper()
    return salted_hmac(purpose, f"{user.pk}:{plain}", algorithm="sha256").hexdigest()


def is_right(user: User, code: str, kept: str, *, purpose: str) -> bool:
    """Whether this is the code of which the digest was kept; how long it takes tells nothing."""
    return compare_digest(digest(user, code, purpose=purpose), kept)
