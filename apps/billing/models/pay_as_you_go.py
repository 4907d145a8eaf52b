"""What developers pay as they go: credit that is bought, recharges, and usage that is charged at the end of a month."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from apps.billing.models.accounts import BillingAccount
from apps.core import ids


class SavedCard(models.Model):
    """One row is the card that is charged when nobody is there, as last fetched; no row: there is none."""

    account = models.OneToOneField(
        BillingAccount, primary_key=True, on_delete=models.CASCADE, related_name="saved_card"
    )
    payment_method_id = models.CharField(max_length=64)
    brand = models.CharField(max_length=20, blank=True)
    last4 = models.CharField(max_length=4, blank=True)
    synced_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.payment_method_id


class CreditPurchaseQuerySet(models.QuerySet["CreditPurchase"]):
    """Purchases, as sentences."""

    def open(self) -> Self:
        return self.filter(state=CreditPurchase.State.OPEN)

    def checkouts(self) -> Self:
        return self.filter(kind=CreditPurchase.Kind.CHECKOUT)

    def recharges(self) -> Self:
        return self.filter(kind=CreditPurchase.Kind.RECHARGE)


class CreditPurchase(models.Model):
    """One row is one try to buy credit. Of each kind at most one is open per account; its id is the key at Stripe."""

    class Kind(models.TextChoices):
        CHECKOUT = "checkout"  # the person pays on Stripe's page
        RECHARGE = "recharge"  # the saved card is charged, because little credit was left

    class State(models.TextChoices):
        OPEN = "open"
        PAID = "paid"  # by sync: Stripe has the payment
        EXPIRED = "expired"  # by sync, or replaced by a newer try: nobody paid
        FAILED = "failed"  # by the outbox: the card was refused; `failure_code` says why

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey(BillingAccount, on_delete=models.CASCADE, related_name="credit_purchases")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)  # lower case
    saves_card = models.BooleanField(default=False)  # the person wants to be charged again without being there
    session_id = models.CharField(max_length=200, blank=True)  # of a checkout, once Stripe answered
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    failure_code = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)  # of a checkout's page
    closed_at = models.DateTimeField(null=True)  # when it was seen paid, expired or failed

    objects: ClassVar = CreditPurchaseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "kind"], condition=Q(state="open"), name="purchase_one_open"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="purchase_of_something"),
        ]
        indexes = [models.Index(fields=["account", "-created_at"], name="purchase_of_account")]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount_minor} {self.currency} {self.state}"


class CreditPaymentQuerySet(models.QuerySet["CreditPayment"]):
    """Payments, as sentences."""

    def received(self) -> Self:
        return self.filter(status="succeeded")


class CreditPayment(models.Model):
    """One row is one payment at Stripe for credit, as last fetched: the fact from which `usage` grants, once."""

    stripe_payment_intent_id = models.CharField(primary_key=True, max_length=64)
    account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, related_name="credit_payments")
    purchase = models.ForeignKey(CreditPurchase, null=True, on_delete=models.SET_NULL, related_name="payments")
    status = models.CharField(max_length=32)  # Stripe's word
    amount_minor = models.BigIntegerField()  # what was received
    currency = models.CharField(max_length=3)
    refunded_minor = models.BigIntegerField(default=0)
    lost_minor = models.BigIntegerField(default=0)  # taken back by disputes that were lost
    created = models.DateTimeField()
    synced_at = models.DateTimeField()

    objects: ClassVar = CreditPaymentQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["account", "-created"], name="payment_of_account")]

    def __str__(self) -> str:
        return f"{self.stripe_payment_intent_id} {self.status}"


class AutoRecharge(models.Model):
    """One row is how an account buys credit by itself. Written by the person, and switched off by a refused card."""

    account = models.OneToOneField(
        BillingAccount, primary_key=True, on_delete=models.CASCADE, related_name="auto_recharge"
    )
    is_on = models.BooleanField(default=False)
    threshold_micro = models.BigIntegerField()  # below it the card is charged; micro-units of `currency`
    amount_minor = models.BigIntegerField()  # so much each time
    most_minor = models.BigIntegerField()  # in a calendar month (UTC)
    currency = models.CharField(max_length=3)
    number = models.PositiveIntegerField(default=0)  # of the last recharge: names its key at Stripe
    consented_at = models.DateTimeField()  # when the person agreed to be charged so
    off_reason = models.CharField(max_length=80, blank=True)  # Stripe's code; empty: the person switched it off
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(threshold_micro__gte=0, amount_minor__gt=0, most_minor__gte=0), name="recharge_amounts"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {'on' if self.is_on else 'off'}"


class Overage(models.Model):
    """One row is whether an account pays at the end of the month what credit no longer covers, and up to what.

    The person moves `is_on`; the outbox makes and ends the subscription, and the mirror says how that stands.
    """

    account = models.OneToOneField(BillingAccount, primary_key=True, on_delete=models.CASCADE, related_name="overage")
    is_on = models.BooleanField(default=False)
    cap_micro = models.BigIntegerField()  # in a calendar month (UTC); micro-units of `currency`
    currency = models.CharField(max_length=3)
    number = models.PositiveIntegerField(default=0)  # of the switch: names the keys at Stripe
    stripe_subscription_id = models.CharField(max_length=64, blank=True, db_index=True)  # empty until Stripe answered
    consented_at = models.DateTimeField()  # when the person last agreed to be charged so
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(cap_micro__gte=0), name="usage_cap_not_negative")]

    def __str__(self) -> str:
        return f"{self.account_id} {'on' if self.is_on else 'off'}"


class MeterOutboxQuerySet(models.QuerySet["MeterOutbox"]):
    """What Stripe must be told, as sentences."""

    def pending(self) -> Self:
        return self.filter(state=MeterOutbox.State.PENDING)

    def due(self, *, at: datetime) -> Self:
        return self.pending().filter(next_at__lte=at)


class MeterOutbox(models.Model):
    """One row is one ledger row that Stripe must be told once; written in the transaction that settles."""

    class State(models.TextChoices):
        PENDING = "pending"
        SENT = "sent"  # Stripe has it
        FAILED = "failed"  # Stripe refused it; shown as drift
        DEAD = "dead"  # nobody can say any more whether Stripe has it; shown as drift

    ledger_id = models.UUIDField(primary_key=True, editable=False)  # also the identifier at Stripe
    account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, related_name="meter_outbox")
    event_name = models.CharField(max_length=100)
    value = models.BigIntegerField()  # micro-units of the account's currency
    ts = models.DateTimeField()  # when it was used
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    first_tried_at = models.DateTimeField(null=True)  # Stripe knows an identifier for 24 hours from then on
    reported_ts = models.DateTimeField(null=True)  # the moment that Stripe was told: `ts`, unless its month was closed
    next_at = models.DateTimeField()
    error = models.CharField(max_length=300, blank=True)

    objects: ClassVar = MeterOutboxQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(value__gt=0), name="meter_value_positive")]
        indexes = [
            models.Index(fields=["next_at"], condition=Q(state="pending"), name="meter_due"),
            models.Index(fields=["account", "state"], name="meter_of_account"),
        ]

    def __str__(self) -> str:
        return f"{self.ledger_id} {self.value} {self.state}"
