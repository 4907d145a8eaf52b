"""The paying side of a person, and what passes between us and Stripe about it."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from apps.core import ids


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
    stripe_email = models.EmailField(blank=True)  # what we told Stripe; empty: we never did
    livemode = models.BooleanField(default=False)
    currency = models.CharField(max_length=3, blank=True)  # fixed by the first payment; empty until then
    sync_wanted_seq = models.BigIntegerField(default=0)  # raised by the inbox: “something happened at Stripe”
    sync_done_seq = models.BigIntegerField(default=0)  # what `wanted` was when the last finished sync began
    sync_lease_until = models.DateTimeField(null=True)  # who holds it is the only one to fetch and apply
    last_synced_at = models.DateTimeField(null=True)
    read_in_full_at = models.DateTimeField(null=True)  # empty: the next sync reads every invoice, not the latest
    compared_at = models.DateTimeField(null=True)  # when the reconciler last met its customer at Stripe
    delinquent_since = models.DateTimeField(null=True)  # first failed attempt of the open invoice; set by sync
    hold_reason = models.CharField(max_length=32, blank=True)  # "dispute" or "staff"; see `billing.holds`
    staff_hold_at = models.DateTimeField(null=True)  # staff stopped what is paid, until they lift it
    disputes_settled_at = models.DateTimeField(null=True)  # staff lifted the hold of disputes lost until then
    trial_consumed_at = models.DateTimeField(null=True)  # set by sync when a trial is first seen
    customer_gone_at = models.DateTimeField(null=True)  # deleted at Stripe; the next checkout makes a new customer
    erased_at = models.DateTimeField(null=True)  # set by privacy: the person left, invoices are kept without a name
    is_guest = models.BooleanField(default=False)  # as its owner is, who has the guest plan until they sign up
    created_at = models.DateTimeField()

    objects: ClassVar = BillingAccountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["livemode", "stripe_customer_id"], name="account_customer_once"),
            models.CheckConstraint(condition=Q(sync_done_seq__lte=F("sync_wanted_seq")), name="account_sync_order"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class FormerCustomer(models.Model):
    """One row is a customer at Stripe that an account had before: its late events and its money stay with it.

    Written where another customer takes its place: by checkout, and when two accounts become one.
    """

    stripe_customer_id = models.CharField(primary_key=True, max_length=64)
    account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, related_name="former_customers")
    livemode = models.BooleanField()
    replaced_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True)  # deleted at Stripe; nothing more is asked about it

    def __str__(self) -> str:
        return self.stripe_customer_id


class CheckoutAttempt(models.Model):
    """One row is one try to buy; at most one is open per account. Moved by checkout and sync."""

    class State(models.TextChoices):
        OPEN = "open"
        COMPLETE = "complete"  # seen complete at Stripe
        EXPIRED = "expired"  # seen expired at Stripe, or replaced by a newer attempt

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)  # also the idempotency key at Stripe
    account = models.ForeignKey(BillingAccount, on_delete=models.CASCADE, related_name="checkout_attempts")
    lookup_key = models.CharField(max_length=200)
    promotion_code = models.CharField(max_length=64, blank=True)  # Stripe's id of the code that came with the link
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
    account = models.ForeignKey(BillingAccount, null=True, on_delete=models.SET_NULL, related_name="events")
    mentions = models.JSONField(default=list)  # ids of what it is about: what of the account to read anew
    state = models.CharField(max_length=16, choices=State.choices, default=State.STORED)
    handled_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["account", "state"], name="event_account_state"),
            models.Index(fields=["received_at"], condition=Q(state="stored"), name="event_stored"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"


class StripeOutbox(models.Model):
    """One row is one thing we want of Stripe, or one mail, with the key that makes a repeat harmless."""

    class State(models.TextChoices):
        PENDING = "pending"
        DONE = "done"
        DEAD = "dead"  # refused for good: shown as drift

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey(BillingAccount, null=True, on_delete=models.CASCADE, related_name="outbox")
    kind = models.CharField(max_length=40)  # a kind of `billing.outbox_acts`
    key = models.CharField(max_length=200, unique=True)
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=16, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()
    first_tried_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["state", "next_at"], name="outbox_due")]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"


class ReadMark(models.Model):
    """One row is how far a long read at Stripe has come, so that the next one goes on there."""

    name = models.CharField(primary_key=True, max_length=40)
    seen_until = models.DateTimeField(null=True)  # Stripe's clock
    taken_at = models.DateTimeField(null=True)  # our clock: who moves this has the turn

    def __str__(self) -> str:
        return self.name
