"""What the person's archive holds of billing, and what leaves with the person."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.billing import credit_data
from apps.billing.models import (
    BillingAccount,
    CheckoutAttempt,
    CreditNoteMirror,
    DisputeMirror,
    EntitlementSnapshot,
    InvoiceMirror,
    PaymentMirror,
    PlanChange,
    PlanGrant,
    RefundMirror,
    RefundRequest,
    StripeEvent,
    StripeOutbox,
    SubscriptionMirror,
)

ACCOUNT_FIELDS = ("created_at", "stripe_customer_id", "stripe_email", "currency", "last_synced_at", "trial_consumed_at")
SUBSCRIPTION_FIELDS = (
    "stripe_subscription_id", "status", "plan", "currency", "started_at", "current_period_end", "cancel_at_period_end",
    "canceled_at", "ended_at", "trial_end", "card_brand", "card_last4", "card_exp_month",
    "card_exp_year", "planned_price", "planned_at", "renewal_minor", "coupons",
)  # fmt: skip
INVOICE_FIELDS = (
    "number", "status", "billing_reason", "currency", "total_minor", "amount_paid_minor", "created", "paid_at",
    "period_start", "period_end",
)  # fmt: skip
REFUND_FIELDS = ("created", "amount_minor", "currency", "status")
DISPUTE_FIELDS = ("created", "amount_minor", "currency", "status", "reason")
NOTE_FIELDS = ("created", "number", "amount_minor", "currency", "status")
GRANT_FIELDS = ("plan", "starts_at", "ends_at", "revoked_at", "reason")
CHANGE_FIELDS = ("created_at", "kind", "state", "to_price", "agreed_at", "takes_effect_at", "feedback", "comment")
ACCESS_FIELDS = ("valid_from", "valid_until", "plan_version__plan", "source", "reason")


class BillingData:
    """Invoices stay, as the law asks, and name nobody once the account is anonymised; the rest leaves."""

    slug = "billing"
    title = _("Plan, invoices and payments")

    def export(self, user: User) -> Iterable[tuple[str, object]]:
        """The account, what was bought, and what was paid."""
        mine = {"account__owner": user}
        yield "account", list(BillingAccount.objects.filter(owner=user).values(*ACCOUNT_FIELDS))
        yield "subscriptions", list(SubscriptionMirror.objects.filter(**mine).values(*SUBSCRIPTION_FIELDS))
        yield "invoices", list(InvoiceMirror.objects.filter(**mine).order_by("created").values(*INVOICE_FIELDS))
        yield "refunds", list(RefundMirror.objects.filter(**mine).order_by("created").values(*REFUND_FIELDS))
        yield "disputes", list(DisputeMirror.objects.filter(**mine).order_by("created").values(*DISPUTE_FIELDS))
        yield "credit notes", list(CreditNoteMirror.objects.filter(**mine).order_by("created").values(*NOTE_FIELDS))
        yield "grants", list(PlanGrant.objects.filter(**mine).order_by("starts_at").values(*GRANT_FIELDS))
        yield "changes", list(PlanChange.objects.filter(**mine).order_by("created_at").values(*CHANGE_FIELDS))
        yield "plans", list(EntitlementSnapshot.objects.filter(**mine).order_by("version").values(*ACCESS_FIELDS))
        yield from credit_data.export(user)

    def erase(self, user: User, *, now: datetime) -> int:
        """Drop the card's digits, open payment pages, letters, and what anybody wrote of or as the person."""
        mine = {"account__owner": user}
        customers = BillingAccount.objects.filter(owner=user, stripe_customer_id__isnull=False)
        cards = SubscriptionMirror.objects.filter(**mine).exclude(card_last4="")
        payments = PaymentMirror.objects.filter(**mine).exclude(card_last4="")
        theirs = Q(customer__in=customers.values("stripe_customer_id")) | Q(**mine)
        events = StripeEvent.objects.filter(theirs, payload__isnull=False)
        attempts = CheckoutAttempt.objects.filter(**mine, state=CheckoutAttempt.State.OPEN)
        letters = StripeOutbox.objects.filter(**mine, kind="mail")  # those that left as well
        grants = PlanGrant.objects.filter(**mine).exclude(reason="")  # what staff wrote may name the person
        refunds = RefundRequest.objects.filter(**mine).exclude(reason="")
        return (
            cards.update(card_brand="", card_last4="", card_exp_month=None, card_exp_year=None)
            + payments.update(card_brand="", card_last4="")
            + events.update(payload=None)
            + grants.update(reason="")
            + refunds.update(reason="")
            + PlanChange.objects.filter(**mine).exclude(comment="").update(comment="")
            + credit_data.erase(user, now=now)
            + BillingAccount.objects.filter(owner=user).exclude(stripe_email="").update(stripe_email="")
            + attempts.delete()[0]
            + letters.delete()[0]
        )
