"""What proves a person beside a password: where allauth asks us how its secrets are kept."""

from allauth.mfa.adapter import DefaultMFAAdapter
from django.utils.translation import gettext as _

from apps.core import sealing

PURPOSE = "accounts.second_factor"


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    """Secrets of authenticator apps and of recovery codes lie encrypted in the database."""

    def encrypt(self, text: str) -> str:
        """Encrypt with a key made of SECRET_KEY."""
        return sealing.seal(text, purpose=PURPOSE)

    def decrypt(self, encrypted_text: str) -> str:
        """Decrypt, also what was encrypted under a key of SECRET_KEY_FALLBACKS.

        Raises  cryptography.fernet.InvalidToken: the key is gone.
        """
        return sealing.unseal(encrypted_text, purpose=PURPOSE)

    def generate_authenticator_name(self, user: object, type: object) -> str:  # allauth's own name
        """What a new passkey is called until its owner says otherwise."""
        return _("My passkey")
