"""The one account: the sandbox itself."""

from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.operations import NOTHING, Operation


def retrieve(params: Document) -> Document:
    """Give the account."""
    return {
        "id": "acct_sandbox000000",
        "object": "account",
        "business_type": "company",
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "country": "FR",
        "created": 0,
        "default_currency": "usd",
        "details_submitted": True,
        "email": "sandbox@localhost",
        "metadata": {},
        "payouts_enabled": False,
        "type": "standard",
    }


OPERATIONS = [Operation("GET", "/v1/account", retrieve, NOTHING)]
