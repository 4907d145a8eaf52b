"""The card that is charged when nobody is there: the customer's default, else the newest one they left."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from apps.billing import stripe_gateway
from apps.billing.models import BillingAccount, SavedCard
from apps.billing.stripe_facts import CardOnFile, Customer
from apps.core import guards


def choose(customer: Customer, cards: Iterable[CardOnFile]) -> CardOnFile | None:
    """Of the cards that a customer left, the newest first: the one to charge."""
    listed = list(cards)
    preset = next((card for card in listed if card.id == customer.payment_method), None)
    return preset or next(iter(listed), None)


def write(account: BillingAccount, card: CardOnFile | None, *, now: datetime) -> None:
    """Mirror it; one that is gone at Stripe is gone here. A step."""
    guards.inside_transaction()
    if card is None or account.erased_at is not None:
        SavedCard.objects.filter(account=account).delete()
        return
    facts = {"payment_method_id": card.id, "brand": card.brand, "last4": card.last4}
    known = SavedCard.objects.filter(account=account)
    if not known.filter(**facts).exists() and not known.update(**facts, synced_at=now):
        SavedCard.objects.create(account=account, **facts, synced_at=now)


def find(account: BillingAccount, *, now: datetime) -> SavedCard | None:
    """The card of an account; Stripe is asked where we know of none, since a plan may have been paid with one.

    Effect  the network, then an act.
    Raises  PaymentsAway.
    """
    known: SavedCard | None = SavedCard.objects.filter(account=account).first()
    if known is not None or account.stripe_customer_id is None or account.customer_gone_at is not None:
        return known
    gateway = stripe_gateway.patient()
    customer = gateway.fetch_customer(account.stripe_customer_id)
    card = None if customer.is_deleted else choose(customer, gateway.list_cards(customer.id))
    with transaction.atomic(durable=True):
        write(account, card, now=now)
    return SavedCard.objects.filter(account=account).first()
