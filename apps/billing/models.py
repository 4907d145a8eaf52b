"""Our mirror of Stripe, and what each account may use because of it."""

from datetime import datetime
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from apps.core import ids

LIVE_STATUSES = ("trialing", "active", "past_due", "unpaid", "paused")


class Plan(models.Model):
    """One row is one plan of the catalogue; a plan that left the catalogue stays, for those who have it."""

    key = models.CharField(primary_key=True, max_length=32)
    name = models.CharField(max_length=64)
    rank = models.PositiveSmallIntegerField()  # higher is more: decides between several live plans
    is_default = models.BooleanField(default=False)
    stripe_product_id = models.CharField(max_length=64, blank=True)  # set by publication
    left_at = models.DateTimeField(null=True)  # when publication saw it leave the catalogue; empty again if it returns

    def __str__(self) -> str:
        return self.name


class PlanVersion(models.Model):
    """One row is the terms of a plan as the catalogue stated them at one time; never changed."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="versions")
    version = models.PositiveIntegerField()
    terms = models.JSONField()  # what billing.plans.PlanTerms says, as JSON
    digest = models.CharField(max_length=64)  # of `terms`: equal terms make no new version
    effective_from = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "version"], name="plan_version_once")]

    def __str__(self) -> str:
        return f"{self.plan_id} v{self.version}"


class Price(models.Model):
    """One row is one Stripe Price; its amount never changes. `plan` is empty for a Price that is not ours."""

    stripe_price_id = models.CharField(primary_key=True, max_length=64)
    livemode = models.BooleanField()
    lookup_key = models.CharField(max_length=200, blank=True)
    plan = models.ForeignKey(Plan, null=True, on_delete=models.PROTECT, related_name="prices")
    currency = models.CharField(max_length=3)  # lower case, as Stripe writes it
    unit_amount_minor = models.BigIntegerField(null=True)
    interval = models.CharField(max_length=8, blank=True)  # day, week, month, year; empty for one-off prices
    interval_count = models.PositiveSmallIntegerField(default=1)
    usage_type = models.CharField(max_length=16, default="licensed")
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.lookup_key or self.stripe_price_id


class BillingAccountQuerySet(models.QuerySet["BillingAccount"]):
    """Accounts, as sentences."""

    def in_need_of_sync(self) -> Self:
        return self.filter(sync_wanted_seq__gt=F("sync_done_seq"))

    def want_sync(self) -> int:
        """Say that something happened at Stripe; the number of accounts that heard it."""
        return self.update(sync_wanted_seq=F("sync_wanted_seq") + 1)


class BillingAccount(models.Model):
    """One row is one customer: the person's side of everything that is counted and paid."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    owner = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="billing_account")
    stripe_customer_id = models.CharField(max_length=64, null=True)  # noqa: DJ001 unique, so absent must be NULL
    livemode = models.BooleanField(default=False)
    currency = models.CharField(max_length=3, blank=True)  # fixed by the first payment; empty until then
    sync_wanted_seq = models.BigIntegerField(default=0)  # raised by the inbox: “something happened at Stripe”
    sync_done_seq = models.BigIntegerField(default=0)  # what `wanted` was when the last finished sync began
    sync_lease_until = models.DateTimeField(null=True)  # who holds it is the only one to fetch and apply
    last_synced_at = models.DateTimeField(null=True)
    delinquent_since = models.DateTimeField(null=True)  # first failed attempt of the open invoice; set by sync
    hold_reason = models.CharField(max_length=32, blank=True)  # "dispute": set and lifted by sync
    trial_consumed_at = models.DateTimeField(null=True)  # set by sync when a trial is first seen
    customer_gone_at = models.DateTimeField(null=True)  # deleted at Stripe; the next checkout makes a new customer
    erased_at = models.DateTimeField(null=True)  # set by privacy: the person left, invoices are kept without a name
    created_at = models.DateTimeField()

    objects: ClassVar = BillingAccountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["livemode", "stripe_customer_id"], name="account_customer_once"),
            models.CheckConstraint(condition=Q(sync_done_seq__lte=F("sync_wanted_seq")), name="account_sync_order"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class CheckoutAttempt(models.Model):
    """One row is one try to buy; at most one is open per account. Moved by checkout and sync."""

    class State(models.TextChoices):
        OPEN = "open"
        COMPLETE = "complete"  # seen complete at Stripe
        EXPIRED = "expired"  # seen expired at Stripe, or replaced by a newer attempt

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)  # also the idempotency key at Stripe
    account = models.ForeignKey(BillingAccount, on_delete=models.CASCADE, related_name="checkout_attempts")
    lookup_key = models.CharField(max_length=200)
    session_id = models.CharField(max_length=200, blank=True)  # empty until Stripe answered
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account"], condition=Q(state="open"), name="checkout_one_open"),
        ]

    def __str__(self) -> str:
        return f"{self.lookup_key} {self.state}"


class StripeEvent(models.Model):
    """One row is one event that Stripe delivered: a hint that something changed. Moved by inbox and sync."""

    class State(models.TextChoices):
        STORED = "stored"
        HANDLED = "handled"  # a sync that began after it has finished
        IGNORED = "ignored"  # no account has this customer, or the type does not concern us

    id = models.CharField(primary_key=True, max_length=64)
    type = models.CharField(max_length=80)
    object_id = models.CharField(max_length=80, blank=True)
    customer = models.CharField(max_length=64, blank=True)
    livemode = models.BooleanField()
    api_version = models.CharField(max_length=40, blank=True)
    created = models.DateTimeField()  # Stripe's clock; never compared
    received_at = models.DateTimeField()
    payload = models.JSONField(null=True)  # dropped after 30 days
    state = models.CharField(max_length=16, choices=State.choices, default=State.STORED)

    class Meta:
        indexes = [models.Index(fields=["customer", "state"], name="event_customer_state")]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"


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
    has_schedule = models.BooleanField(default=False)  # a change is planned at Stripe, such as a downgrade
    current_period_end = models.DateTimeField(null=True)  # earliest over licensed items: “renews on”
    mrr_micro = models.BigIntegerField(default=0)  # micro-units of `currency` a month; see billing.mrr
    card_brand = models.CharField(max_length=20, blank=True)
    card_last4 = models.CharField(max_length=4, blank=True)
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
    status = models.CharField(max_length=16)
    billing_reason = models.CharField(max_length=40, blank=True)
    currency = models.CharField(max_length=3)
    total_minor = models.BigIntegerField()
    amount_due_minor = models.BigIntegerField()
    amount_paid_minor = models.BigIntegerField()
    attempt_count = models.PositiveSmallIntegerField(default=0)
    created = models.DateTimeField()
    paid_at = models.DateTimeField(null=True)
    first_failed_at = models.DateTimeField(null=True)
    period_start = models.DateTimeField(null=True)
    period_end = models.DateTimeField(null=True)
    synced_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.number or self.stripe_invoice_id


class RefundMirror(models.Model):
    """One row is one refund at Stripe as last fetched."""

    stripe_refund_id = models.CharField(primary_key=True, max_length=64)
    account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, related_name="refunds")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=24)
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
    created = models.DateTimeField()
    synced_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.stripe_dispute_id


class PlanGrantQuerySet(models.QuerySet["PlanGrant"]):
    """Grants, as sentences."""

    def standing(self) -> Self:
        """Those that nobody took back, over or to come as well."""
        return self.filter(revoked_at=None)

    def open(self, *, at: datetime) -> Self:
        """Those that give something now or later."""
        return self.standing().filter(Q(ends_at=None) | Q(ends_at__gt=at))


class PlanGrant(models.Model):
    """One row is a plan that staff gave an account for a time, or for good: taken back, never edited or deleted."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, related_name="grants")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT)
    reason = models.CharField(max_length=300)
    granted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects: ClassVar = PlanGrantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")), name="grant_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan_id} for {self.account_id}"


class EntitlementSnapshotQuerySet(models.QuerySet["EntitlementSnapshot"]):
    """Snapshots, as sentences."""

    def run_out(self, *, at: datetime) -> Self:
        """The last snapshot of each account whose time is over."""
        newer = EntitlementSnapshot.objects.filter(account=OuterRef("account"), version__gt=OuterRef("version"))
        return self.filter(~Exists(newer), valid_until__lte=at)


class EntitlementSnapshot(models.Model):
    """One row is what an account may use from `valid_from` on; append-only, the highest version is in force."""

    class Source(models.TextChoices):
        SUBSCRIPTION = "subscription"
        TRIAL = "trial"
        GRANT = "grant"
        MANUAL = "manual"
        DEFAULT = "default"
        NONE = "none"

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, related_name="snapshots")
    version = models.PositiveIntegerField()
    plan_version = models.ForeignKey(PlanVersion, on_delete=models.PROTECT)
    source = models.CharField(max_length=16, choices=Source.choices)
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)  # then the same facts say something else, and are asked again
    reason = models.CharField(max_length=40)
    inputs_hash = models.CharField(max_length=64)  # equal inputs make no new row

    objects: ClassVar = EntitlementSnapshotQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "version"], name="snapshot_version_once")]
        indexes = [models.Index(fields=["valid_until"], condition=~Q(valid_until=None), name="snapshot_runs_out")]

    def __str__(self) -> str:
        return f"{self.account_id} v{self.version}"


class StripeOutbox(models.Model):
    """One row is one thing we want of Stripe, or one mail, with the key that makes a repeat harmless."""

    class State(models.TextChoices):
        PENDING = "pending"
        DONE = "done"
        DEAD = "dead"  # refused for good: shown as drift

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey(BillingAccount, null=True, on_delete=models.CASCADE, related_name="outbox")
    kind = models.CharField(max_length=40)  # cancel_subscription, move_price, mail
    key = models.CharField(max_length=200, unique=True)
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=16, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["state", "next_at"], name="outbox_due")]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"


class DriftItem(models.Model):
    """One row is one difference between Stripe and us that a person should see; `fixed_at` when it is gone."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=80, blank=True)  # the subscription, price or row it is about
    severity = models.CharField(max_length=8, choices=[("high", "high"), ("low", "low")])
    account = models.ForeignKey(BillingAccount, null=True, on_delete=models.CASCADE, related_name="drift_items")
    ours = models.CharField(max_length=300, blank=True)
    stripe = models.CharField(max_length=300, blank=True)
    first_seen = models.DateTimeField()
    fixed_at = models.DateTimeField(null=True)  # set by sync or reconciliation when the difference is gone

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "account", "subject"],
                condition=Q(fixed_at=None),
                name="drift_once_while_open",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return self.kind
