"""What is counted: buckets for limits, reservations that will be settled, and a ledger that is never changed.

Where another index begins with the account, or nobody looks for it, its key has no index of its own: these rows are
written with every answer.
"""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q

from apps.billing.models import BillingAccount, ModelPrice
from apps.core import ids


class UsageBucketQuerySet(models.QuerySet["UsageBucket"]):
    """Buckets, as sentences."""

    def of(self, account: BillingAccount) -> Self:
        return self.filter(account=account)

    def running(self, *, at: datetime) -> Self:
        return self.filter(is_open=True, window_end__gt=at)


class UsageBucket(models.Model):
    """One row is one limit of one account in one window. A window opens at first use; at most one is open per limit."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey(BillingAccount, on_delete=models.CASCADE, related_name="buckets", db_index=False)
    limit_key = models.CharField(max_length=120)  # meter + models + window
    meter = models.CharField(max_length=24)
    window_start = models.DateTimeField()
    window_end = models.DateTimeField()  # a limit without a window ends in the year 9999
    limit_value = models.BigIntegerField(null=True)  # as of the last reserve; NULL is no limit
    reserved = models.BigIntegerField(default=0)  # moved by reserve, settle, release, expire
    settled = models.BigIntegerField(default=0)  # moved by settle
    is_open = models.BooleanField(default=True)  # cleared when the next window opens

    objects: ClassVar = UsageBucketQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(reserved__gte=0) & Q(settled__gte=0), name="bucket_not_negative"),
            models.UniqueConstraint(fields=["account", "limit_key", "window_start"], name="bucket_window_once"),
            models.UniqueConstraint(fields=["account", "limit_key"], condition=Q(is_open=True), name="bucket_one_open"),
        ]

    def __str__(self) -> str:
        return f"{self.limit_key} {self.settled}+{self.reserved}/{self.limit_value}"


class UsageReservationQuerySet(models.QuerySet["UsageReservation"]):
    """Reservations, as sentences."""

    def of_run(self, run_id: object) -> Self:
        return self.filter(run_id=run_id)


class UsageReservation(models.Model):
    """One row is what one run set aside in one bucket, or in the account's credit when `bucket` is empty."""

    class State(models.TextChoices):
        OPEN = "open"
        SETTLED = "settled"  # by settle, with what was really used
        RELEASED = "released"  # by release: nothing was used
        EXPIRED = "expired"  # by the sweeper: its time ran out

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey(BillingAccount, on_delete=models.CASCADE, related_name="reservations", db_index=False)
    run_id = models.UUIDField()
    bucket = models.ForeignKey(UsageBucket, null=True, on_delete=models.CASCADE, related_name="reservations")
    amount = models.BigIntegerField()  # in the bucket's meter; micro-units for credit
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    objects: ClassVar = UsageReservationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run_id", "bucket"], nulls_distinct=False, name="reservation_once"),
        ]
        indexes = [models.Index(fields=["expires_at"], condition=Q(state="open"), name="reservation_due")]

    def __str__(self) -> str:
        return f"{self.run_id} {self.amount} {self.state}"


class UsageLedger(models.Model):
    """One row is one fact about usage; append-only, enforced by a trigger. Each answer leaves one `settle` row."""

    class Kind(models.TextChoices):
        SETTLE = "settle"
        ADJUST = "adjust"
        REFUND = "refund"
        GRANT = "grant"
        EXPIRE = "expire"
        DEBT = "debt"

    class Provenance(models.TextChoices):
        REPORTED = "reported"  # the back end said so
        ESTIMATED = "estimated"  # our count of the streamed text
        NONE = "none"  # nothing came

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, related_name="ledger", db_index=False)
    run_id = models.UUIDField(null=True)
    key_id = models.UUIDField(null=True)  # the API key that asked; NULL in the chat
    kind = models.CharField(max_length=8, choices=Kind.choices)
    channel = models.CharField(max_length=8)  # chat, api, batch
    plan_key = models.CharField(max_length=32)  # the account's plan at that moment
    model = models.CharField(max_length=64, blank=True)
    backend = models.CharField(max_length=64, blank=True)
    messages = models.PositiveIntegerField(default=0)
    input_tokens = models.BigIntegerField(default=0)  # all of the prompt; the three that follow are parts of it
    cached_input_tokens = models.BigIntegerField(default=0)  # read from the back end's cache
    cache_write_tokens = models.BigIntegerField(default=0)  # written to it
    image_input_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)  # all that was written, thinking included
    reasoning_tokens = models.BigIntegerField(default=0)  # the thinking
    price_micro = models.BigIntegerField(default=0)  # what the account pays, micro-units of `currency`
    cost_micro = models.BigIntegerField(default=0)  # what the model cost us, micro-units of `cost_currency`
    credit_micro = models.BigIntegerField(
        default=0
    )  # how this row moved the prepaid credit: a grant up, an answer down
    charged_micro = models.BigIntegerField(default=0)  # what the month's end charges for it, in place of credit
    earned_micro = models.BigIntegerField(default=0)  # what became revenue: bought credit used or ended, and charges
    currency = models.CharField(max_length=3)  # lower case; the account's
    cost_currency = models.CharField(max_length=3, blank=True)  # the model's; empty where no model was called
    model_price = models.ForeignKey(  # the rates that were used
        ModelPrice, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    provenance = models.CharField(max_length=10, choices=Provenance.choices)
    occurred_at = models.DateTimeField(db_index=True)
    recorded_at = models.DateTimeField(db_index=True)
    idempotency_key = models.CharField(max_length=120, unique=True)

    class Meta:
        verbose_name_plural = "usage ledger"
        indexes = [models.Index(fields=["account", "-occurred_at"], name="ledger_of_account")]

    def __str__(self) -> str:
        return f"{self.kind} {self.run_id}"


class UsageSlice(models.Model):
    """One row sums up what one account settled in one quarter of an hour; pages read this and not the ledger.

    Raised by settle, in the transaction that writes the ledger row: Σ slices = Σ ledger. A quarter of an hour is the
    finest difference between time zones, so every zone's days are whole slices.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, related_name="usage_slices", db_index=False)
    starts_at = models.DateTimeField()
    channel = models.CharField(max_length=8)
    model = models.CharField(max_length=64)
    key_id = models.UUIDField(null=True)
    currency = models.CharField(max_length=3)  # of `price_micro`
    answers = models.PositiveIntegerField(default=0)
    estimated = models.PositiveIntegerField(default=0)  # answers whose tokens we counted, because nobody reported them
    messages = models.PositiveIntegerField(default=0)
    input_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    price_micro = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "starts_at", "channel", "model", "key_id", "currency"],
                nulls_distinct=False,
                name="usage_slice_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.starts_at:%Y-%m-%d %H:%M} {self.answers}"


class GuestDay(models.Model):
    """One row is what guests used in a UTC day: from one address, or, without an `origin`, all of them together."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    day = models.DateField()
    origin = models.CharField(max_length=64, blank=True)  # of the address a keyed hash, which is forgotten after days
    messages = models.PositiveIntegerField(default=0)
    cost_micro = models.BigIntegerField(default=0)  # the most that their answers can have cost

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "origin"], name="guest_day_once")]

    def __str__(self) -> str:
        return f"{self.day} {self.messages}"


class UsageAlert(models.Model):
    """One row is one warning: a window of an account reached so many percent of its limit. Once per window and mark."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey(BillingAccount, on_delete=models.CASCADE, related_name="usage_alerts")
    bucket = models.ForeignKey(UsageBucket, on_delete=models.CASCADE, related_name="alerts")
    percent = models.PositiveSmallIntegerField()  # 80 or 100
    run_id = models.UUIDField()  # whose settling reached it
    used = models.BigIntegerField()  # in the bucket's meter, at that moment
    limit_value = models.BigIntegerField()  # at that moment
    raised_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["bucket", "percent"], name="alert_once")]
        indexes = [models.Index(fields=["account", "-raised_at"], name="alert_of_account")]

    def __str__(self) -> str:
        return f"{self.bucket_id} {self.percent} %"


class SpendingCap(models.Model):
    """One row is how much an account, or one of its API keys, may spend in a calendar month; set by the person."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey(BillingAccount, on_delete=models.CASCADE, related_name="spending_caps")
    key_id = models.UUIDField(null=True)  # NULL: the account's own cap, over all keys
    amount_micro = models.BigIntegerField()  # micro-units of the account's credit
    set_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "key_id"], nulls_distinct=False, name="cap_once"),
            models.CheckConstraint(condition=Q(amount_micro__gte=0), name="cap_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.key_id or '*'} {self.amount_micro}"


class CreditAccount(models.Model):
    """One row is the prepaid money of one account, in micro-units; moved by one conditional UPDATE at a time."""

    account = models.OneToOneField(BillingAccount, primary_key=True, on_delete=models.CASCADE, related_name="credit")
    currency = models.CharField(max_length=3)
    balance_micro = models.BigIntegerField(default=0)
    reserved_micro = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(reserved_micro__gte=0), name="credit_reserved_not_negative")]

    def __str__(self) -> str:
        return f"{self.balance_micro} {self.currency}"


class CreditGrantQuerySet(models.QuerySet["CreditGrant"]):
    """Grants, as sentences."""

    def due(self, *, at: datetime) -> Self:
        """Those whose time is over and of which something is left."""
        return self.filter(remaining_micro__gt=0, expires_at__lte=at)

    def in_spending_order(self) -> Self:
        return self.order_by("priority", F("expires_at").asc(nulls_last=True), "granted_at", "id")


class CreditGrant(models.Model):
    """One row is credit that was given or bought, once per source.

    remaining_micro  moved by settle in the order of spending, by expiry, by refunds, and by the debt it pays first:
                     over all grants of an account its sum is the balance, or nothing while there is a debt.
    """

    class Source(models.TextChoices):
        PURCHASE = "purchase"
        PROMO = "promo"
        SUPPORT = "support"

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey(BillingAccount, on_delete=models.CASCADE, related_name="credit_grants")
    source = models.CharField(max_length=10, choices=Source.choices)
    source_ref = models.CharField(max_length=120)
    amount_micro = models.BigIntegerField()
    remaining_micro = models.BigIntegerField()
    refunded_micro = models.BigIntegerField(default=0)  # of what it cost: so much money went back, and was dealt with
    taken_back_micro = models.BigIntegerField(default=0)  # … for which so much credit was taken
    priority = models.PositiveSmallIntegerField(default=50)  # 0 is spent first, as at Stripe
    expires_at = models.DateTimeField(null=True)  # then what is left is gone; NULL: never
    granted_at = models.DateTimeField()

    objects: ClassVar = CreditGrantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "source_ref"], name="grant_once"),
            models.CheckConstraint(
                condition=Q(remaining_micro__gte=0) & Q(remaining_micro__lte=F("amount_micro")),
                name="grant_remaining_within",
            ),
        ]
        indexes = [
            models.Index(fields=["account"], condition=Q(remaining_micro__gt=0), name="grant_unspent"),
            models.Index(fields=["expires_at"], condition=Q(remaining_micro__gt=0), name="grant_due"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.amount_micro}"
