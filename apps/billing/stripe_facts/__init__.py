"""What Stripe says, as our own values. Nothing above the gateway sees a type of the SDK. Pure."""

from apps.billing.stripe_facts.customers import Card, Customer, read_card, read_customer
from apps.billing.stripe_facts.events import Event, read_event
from apps.billing.stripe_facts.money import (
    REQUEST,
    Charge,
    CreditNote,
    Dispute,
    Fee,
    Invoice,
    Refund,
    read_charge,
    read_credit_note,
    read_dispute,
    read_fee,
    read_invoice,
    read_reason,
    read_refund,
)
from apps.billing.stripe_facts.payments import CardOnFile, Payment, read_card_on_file, read_payment
from apps.billing.stripe_facts.previews import Preview, PreviewLine, read_preview
from apps.billing.stripe_facts.sessions import Promotion, Session, read_promotion, read_session
from apps.billing.stripe_facts.shelf import Meter, Price, Product, read_meter, read_price, read_product
from apps.billing.stripe_facts.subscriptions import Awaited, Coupon, Item, Subscription, read_subscription

__all__ = [
    "REQUEST",
    "Awaited",
    "Card",
    "CardOnFile",
    "Charge",
    "Coupon",
    "CreditNote",
    "Customer",
    "Dispute",
    "Event",
    "Fee",
    "Invoice",
    "Item",
    "Meter",
    "Payment",
    "Preview",
    "PreviewLine",
    "Price",
    "Product",
    "Promotion",
    "Refund",
    "Session",
    "Subscription",
    "read_card",
    "read_card_on_file",
    "read_charge",
    "read_credit_note",
    "read_customer",
    "read_dispute",
    "read_event",
    "read_fee",
    "read_invoice",
    "read_meter",
    "read_payment",
    "read_preview",
    "read_price",
    "read_product",
    "read_promotion",
    "read_reason",
    "read_refund",
    "read_session",
    "read_subscription",
]
