"""Our mirror of what Stripe has."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from apps.billing.models.accounts import BillingAccount
from apps.billing.models.offer import Plan, Price
from apps.core import ids

LIVE_STATUSES = ("trialing", "active", "past_due", "unpaid", "paused")


class SubscriptionMirrorQuerySet(models.QuerySet["SubscriptionMirror"]):
    """Subscriptions, as sentences."""

    def live(self) -> Self:
        """Those to one of our plans that have begun and not ended, paid or not."""
        return self.filter(gone_at=None, plan__isnull=False, status__in=LIVE_STATUSES)


class SubscriptionMirror(models.Model):
    """One row is one Stripe subscription as last fetched; `gone_at` when Stripe no longer lists it."""

    stripe_subscription_id = models.CharField(primary_key=True, max_length=64)
    account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, related_name="subscriptions")
    status = models.CharField(max_length=24)  # Stripe's word
    plan = models.ForeignKey(Plan, null=True, on_delete=models.PROTECT)  # empty: not one of our products
    currency = models.CharField(max_length=3)
    cancel_at_period_end = models.BooleanField(default=False)
    cancel_at = models.DateTimeField(null=True)
    canceled_at = models.DateTimeField(null=True)  # cancellation asked
    ended_at = models.DateTimeField(null=True)  # cancellation happened
    cancellation_reason = models.CharField(max_length=40, blank=True)
    trial_end = models.DateTimeField(null=True)
    is_collection_paused = models.BooleanField(default=False)
    has_pending_update = models.BooleanField(default=False)
    pending_price = models.ForeignKey(Price, null=True, on_delete=models.PROTECT, related_name="+")
    pending_until = models.DateTimeField(null=True)  # when the change that waits for its payment is dropped
    has_schedule = models.BooleanField(default=False)  # a change is planned at Stripe, such as a downgrade
    stripe_schedule_id = models.CharField(max_length=64, blank=True)
    planned_price = models.ForeignKey(Price, null=True, on_delete=models.PROTECT, related_name="+")
    planned_at = models.DateTimeField(null=True)  # from when on `planned_price` holds
    current_period_end = models.DateTimeField(null=True)  # earliest over licensed items: “renews on”
    renewal_minor = models.BigIntegerField(null=True)  # what the next renewal charges; empty: nothing, or not known
    renewal_tax_minor = models.BigIntegerField(default=0)  # within `renewal_minor`
    renewal_digest = models.CharField(
        max_length=64, blank=True
    )  # of what the amount follows from; see billing.renewals
    coupons = models.JSONField(default=list)  # name, duration, percent_off, amount_off_minor, ends_at of each
    mrr_micro = models.BigIntegerField(default=0)  # micro-units of `currency` a month; see billing.mrr
    card_brand = models.CharField(max_length=20, blank=True)
    card_last4 = models.CharField(max_length=4, blank=True)
    card_exp_month = models.PositiveSmallIntegerField(null=True)
    card_exp_year = models.PositiveSmallIntegerField(null=True)
    started_at = models.DateTimeField()
    synced_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True)

    objects: ClassVar = SubscriptionMirrorQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.stripe_subscription_id} {self.status}"


class SubscriptionItemMirror(models.Model):
    """One row is one item of a mirrored subscription."""

    stripe_item_id = models.CharField(primary_key=True, max_length=64)
    subscription = models.ForeignKey(SubscriptionMirror, on_delete=models.CASCADE, related_name="items")
    price = models.ForeignKey(Price, on_delete=models.PROTECT)
    quantity = models.PositiveIntegerField(null=True)
    period_start = models.DateTimeField(null=True)
    period_end = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.stripe_item_id


class SubscriptionState(models.Model):
    """One row is one change of one subscription, as sync saw it; append-only. MRR movements follow from it."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    subscription = models.ForeignKey(SubscriptionMirror, on_delete=models.PROTECT, related_name="states")
    account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, related_name="subscription_states")
    effective_at = models.DateTimeField(db_index=True)  # when it became true at Stripe
    observed_at = models.DateTimeField(db_index=True)  # when sync saw it
    status = models.CharField(max_length=24)
    plan = models.ForeignKey(Plan, null=True, on_delete=models.PROTECT)
    interval = models.CharField(max_length=8, blank=True)
    mrr_micro = models.BigIntegerField()  # 0 unless the status counts
    currency = models.CharField(max_length=3)
    cause = models.CharField(max_length=24)  # checkout, upgrade, downgrade, voluntary, payment_failed, paused, …
    digest = models.CharField(max_length=64)  # of what changed: an equal state makes no row

    def __str__(self) -> str:
        return f"{self.subscription_id} {self.status}"


class InvoiceMirror(models.Model):
    """One row is one Stripe invoice as last fetched. Amounts in minor units of `currency`."""

    stripe_invoice_id = models.CharField(primary_key=True, max_length=64)
    account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, related_name="invoices")
    stripe_subscription_id = models.CharField(max_length=64, blank=True)
    number = models.CharField(max_length=64, blank=True)
    status = models.CharField(max_length=16)  # Stripe's word; "deleted" for a draft that is no longer there
    billing_reason = models.CharField(max_length=40, blank=True)
    currency = models.CharField(max_length=3)
    total_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField(default=0)  # within `total_minor`
    amount_due_minor = models.BigIntegerField()
    amount_paid_minor = models.BigIntegerField()
    attempt_count = models.PositiveSmallIntegerField(default=0)
    created = models.DateTimeField()
    paid_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True)  # marked uncollectible or voided, whichever came first
    first_failed_at = models.DateTimeField(null=True)
    needs_action = models.BooleanField(default=False)  # open, and the bank wants its customer to confirm the payment
    period_start = models.DateTimeField(null=True)
    period_end = models.DateTimeField(null=True)
    synced_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.number or self.stripe_invoice_id


class PaymentMirror(models.Model):
    """One row is one payment at Stripe with its last charge, of an invoice or without one. Amounts in minor units."""

    stripe_payment_intent_id = models.CharField(primary_key=True, max_length=64)
    account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, related_name="payments")
    invoice = models.ForeignKey(InvoiceMirror, null=True, on_delete=models.PROTECT, related_name="payments")
    stripe_charge_id = models.CharField(max_length=64, blank=True, db_index=True)
    status = models.CharField(max_length=24)  # of the charge: succeeded, pending, failed
    amount_minor = models.BigIntegerField()
    refunded_minor = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    is_disputed = models.BooleanField(default=False)
    card_brand = models.CharField(max_length=20, blank=True)
    card_last4 = models.CharField(max_length=4, blank=True)
    fee_minor = models.BigIntegerField(null=True)  # what Stripe keeps, in `fee_currency`; set by `fees`, later
    fee_currency = models.CharField(max_length=3, blank=True)  # of what we are paid out, which may be another
    available_on = models.DateTimeField(null=True)  # when the rest can be paid out
    created = models.DateTimeField()
    synced_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(
                fields=["-created"], condition=Q(fee_minor=None, status="succeeded"), name="payment_without_fee"
            ),
            models.Index(fields=["available_on"], name="payment_by_payout"),
        ]

    def __str__(self) -> str:
        return self.stripe_payment_intent_id


class RefundMirror(models.Model):
    """One row is one refund at Stripe as last fetched."""

    stripe_refund_id = models.CharField(primary_key=True, max_length=64)
    account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, related_name="refunds")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=24)
    stripe_payment_intent_id = models.CharField(max_length=64, blank=True)
    reason = models.CharField(max_length=40, blank=True)  # Stripe's word
    created = models.DateTimeField()
    synced_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.stripe_refund_id


class DisputeMirror(models.Model):
    """One row is one dispute at Stripe as last fetched."""

    stripe_dispute_id = models.CharField(primary_key=True, max_length=64)
    account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, related_name="disputes")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=32)
    stripe_payment_intent_id = models.CharField(max_length=64, blank=True)
    reason = models.CharField(max_length=40, blank=True)  # Stripe's word
    evidence_due_by = models.DateTimeField(null=True)  # until then Stripe takes an answer
    created = models.DateTimeField()
    synced_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.stripe_dispute_id


class CreditNoteMirror(models.Model):
    """One row is one credit note at Stripe as last fetched: what an invoice is less, on paper."""

    stripe_credit_note_id = models.CharField(primary_key=True, max_length=64)
    account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, related_name="credit_notes")
    stripe_invoice_id = models.CharField(max_length=64)
    number = models.CharField(max_length=64, blank=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=16)  # issued, void
    reason = models.CharField(max_length=40, blank=True)  # Stripe's word
    created = models.DateTimeField()
    synced_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.number or self.stripe_credit_note_id
