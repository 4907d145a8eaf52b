"""Customers, as the API and Checkout make them."""

from apps.stripe_sandbox import events, ids
from apps.stripe_sandbox.documents import Document


def open_customer(fields: Document, *, now: int) -> Document:
    """Keep a new customer."""
    return events.create("customer.created", describe(fields, now=now))


def describe(fields: Document, *, now: int) -> Document:
    """Describe a customer that is not kept yet."""
    return {
        "id": ids.new("cus"),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": now,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": ids.word(8).upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
        **fields,
    }
