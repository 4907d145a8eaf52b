"""Tax numbers that buyers give: of which kind one is follows from their country."""

from apps.stripe_sandbox.documents import Document

KINDS = {"CA": "ca_bn", "CH": "ch_vat", "GB": "gb_vat", "US": "us_ein"}


def read(value: str, country: str) -> Document | None:
    """Read what was typed as Stripe keeps it; nothing typed is nothing."""
    plain = value.replace(" ", "").upper()
    return {"type": KINDS.get(country, "eu_vat"), "value": plain} if plain else None
