"""Saved cards: made from a test card, attached to one customer."""

import hashlib

from apps.stripe_sandbox import cards, events, ids, store
from apps.stripe_sandbox.cards import Card, Verdict
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import declined, missing_object

NOBODY: Document = {
    "address": {"city": None, "country": None, "line1": None, "line2": None, "postal_code": None, "state": None},
    "email": None,
    "name": None,
    "phone": None,
    "tax_id": None,
}


def build(
    card: Card, *, exp_month: int = 12, exp_year: int = 2034, details: Document | None = None, now: int
) -> Document:
    """Describe a card as a payment method that is not kept yet. Only the last four digits can ever be read."""
    return {
        "id": ids.new("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": details or NOBODY,
        "card": {
            "brand": card.brand,
            "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
            "country": card.country,
            "display_brand": card.brand,
            "exp_month": exp_month,
            "exp_year": exp_year,
            "fingerprint": hashlib.sha256(card.number.encode()).hexdigest()[:16],
            "funding": "credit",
            "generated_from": None,
            "last4": card.last4,
            "networks": {"available": [card.brand], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        "created": now,
        "customer": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
        "_alias": card.aliases[0],  # which test card it is, without its number
    }


def card_of(method: Document) -> Card:
    """Give the test card behind a payment method."""
    return cards.BY_ALIAS[method["_alias"]]


def get(key: str, *, param: str, status: int = 400, now: int) -> Document:
    """Give a saved card, or make a new one from an alias such as `pm_card_visa`."""
    if key in cards.BY_ALIAS:
        return store.insert(build(cards.BY_ALIAS[key], now=now))
    return store.get("payment_method", key, param=param, status=status)


def attach(method: Document, customer: Document) -> Document:
    """Save a card for a customer.

    Raises  StripeError 402: the card is one that is declined when it is saved. Nothing is kept.
    """
    if method["customer"] == customer["id"]:
        return method
    answer = cards.answer_setup(card_of(method), authenticated=True)
    if answer.verdict is Verdict.DECLINED and answer.decline:
        raise declined(answer.decline.code, answer.decline.message, answer.decline.decline_code, keeps_rows=False)
    after = {**method, "customer": customer["id"], "_clock": customer.get("test_clock")}
    store.save(after)
    events.emit("payment_method.attached", after)
    return after


def remember_setup(key: str) -> None:
    """Note that the owner of the card agreed once: later charges without them may pass."""
    method = store.read("payment_method", key)
    store.save({**method, "_was_set_up": True})


def choose(customer: Document, subscription: Document | None) -> Document | None:
    """Find the card that pays: the subscription's own, else the customer's default."""
    own = subscription and subscription["default_payment_method"]
    key = own or customer["invoice_settings"]["default_payment_method"]
    method = store.find("payment_method", key)
    return method if method and method["customer"] == customer["id"] else None


def require_attached(method: Document, customer: Document, param: str) -> Document:
    """Refuse a card that belongs to someone else or to nobody."""
    if method["customer"] != customer["id"]:
        raise missing_object("payment_method", method["id"], param, status=400)
    return method
