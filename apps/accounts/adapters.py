"""Where allauth asks us: what happens around signing up and in."""

from allauth.account.adapter import DefaultAccountAdapter


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Allauth's behaviour, with our words."""
