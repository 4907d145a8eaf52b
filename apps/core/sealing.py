"""Secrets that must be read again, such as the key of a model's provider, lie encrypted in the database."""

import base64
import hashlib

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.utils.encoding import force_bytes


def seal(text: str, *, purpose: str) -> str:
    """Encrypt with a key made of SECRET_KEY for this purpose alone."""
    return _keys(purpose).encrypt(text.encode()).decode()


def unseal(sealed: str, *, purpose: str) -> str:
    """Decrypt, also what was sealed under a key of SECRET_KEY_FALLBACKS.

    Raises  cryptography.fernet.InvalidToken: the key is gone, or it was sealed for another purpose.
    """
    return _keys(purpose).decrypt(sealed.encode()).decode()


def _keys(purpose: str) -> MultiFernet:
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return MultiFernet([Fernet(_key_of(purpose, secret)) for secret in secrets])


def _key_of(purpose: str, secret: str | bytes) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(f"{purpose}:".encode() + force_bytes(secret)).digest())
