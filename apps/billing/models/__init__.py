"""What billing keeps: the offer, accounts, our mirror of Stripe, and what each account may use because of it."""

from apps.billing.models.access import EntitlementSnapshot, PlanGrant
from apps.billing.models.accounts import (
    BillingAccount,
    CheckoutAttempt,
    FormerCustomer,
    ReadMark,
    StripeEvent,
    StripeOutbox,
)
from apps.billing.models.drift import DriftItem, Reconciliation
from apps.billing.models.mirror import (
    LIVE_STATUSES,
    CreditNoteMirror,
    DisputeMirror,
    InvoiceMirror,
    PaymentMirror,
    RefundMirror,
    SubscriptionItemMirror,
    SubscriptionMirror,
    SubscriptionState,
)
from apps.billing.models.offer import ModelPrice, Plan, PlanVersion, Price
from apps.billing.models.pay_as_you_go import (
    AutoRecharge,
    CreditPayment,
    CreditPurchase,
    MeterOutbox,
    Overage,
    SavedCard,
)
from apps.billing.models.plan_changes import PlanChange
from apps.billing.models.refunds import RefundRequest

__all__ = [
    "LIVE_STATUSES",
    "AutoRecharge",
    "BillingAccount",
    "CheckoutAttempt",
    "CreditNoteMirror",
    "CreditPayment",
    "CreditPurchase",
    "DisputeMirror",
    "DriftItem",
    "EntitlementSnapshot",
    "FormerCustomer",
    "InvoiceMirror",
    "MeterOutbox",
    "ModelPrice",
    "Overage",
    "PaymentMirror",
    "Plan",
    "PlanChange",
    "PlanGrant",
    "PlanVersion",
    "Price",
    "ReadMark",
    "Reconciliation",
    "RefundMirror",
    "RefundRequest",
    "SavedCard",
    "StripeEvent",
    "StripeOutbox",
    "SubscriptionItemMirror",
    "SubscriptionMirror",
    "SubscriptionState",
]
