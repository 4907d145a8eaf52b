"""What proves a person beside a password: where allauth asks us how its secrets are kept."""

import base64
import hashlib

from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.utils.encoding import force_bytes
from django.utils.translation import gettext as _


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    """Secrets of authenticator apps and of recovery codes lie encrypted in the database."""

    def encrypt(self, text: str) -> str:
        """Encrypt with a key made of SECRET_KEY."""
        return _keys().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Decrypt, also what was encrypted under a key of SECRET_KEY_FALLBACKS.

        Raises  cryptography.fernet.InvalidToken: the key is gone.
        """
        return _keys().decrypt(encrypted_text.encode()).decode()

    def generate_authenticator_name(self, user: object, type: object) -> str:  # allauth's own name
        """What a new passkey is called until its owner says otherwise."""
        return _("My passkey")


def _keys() -> MultiFernet:
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return MultiFernet([Fernet(_key_of(secret)) for secret in secrets])


def _key_of(secret: str | bytes) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(b"accounts.second_factor:" + force_bytes(secret)).digest())
