"""What the sandbox keeps: Stripe's objects as JSON, and the letters it owes to webhook endpoints.

Managers are written out because this site is not among the product's apps, which is what the type checker knows.
"""

from typing import ClassVar

from django.db import models


class StoredObject(models.Model):
    """One row is one object of Stripe's; the newest has the highest `seq`, which is the order of every list."""

    seq = models.BigAutoField(primary_key=True)
    key = models.CharField(max_length=120, unique=True)  # Stripe's id
    kind = models.CharField(max_length=60, db_index=True)  # Stripe's `object`
    customer = models.CharField(max_length=40, blank=True, db_index=True)
    clock = models.CharField(max_length=40, blank=True, db_index=True)  # the test clock it lives on
    created = models.BigIntegerField()
    due_at = models.BigIntegerField(
        null=True
    )  # when work on it is due (`moments`), in the time of its clock; null: never
    body = models.JSONField()

    objects: ClassVar[models.Manager["StoredObject"]] = models.Manager()

    class Meta:
        app_label = "stripe_sandbox"
        indexes = [models.Index(fields=["clock", "due_at"])]

    def __str__(self) -> str:
        return self.key


class Delivery(models.Model):
    """One row is one letter to one webhook endpoint; its body never changes, each attempt is signed anew."""

    class State(models.TextChoices):
        PENDING = "pending"  # waits for `next_at`; set at creation, and again after a failed attempt
        SUCCEEDED = "succeeded"  # the endpoint answered 2xx
        FAILED = "failed"  # all attempts are used up, or the endpoint is gone

    id = models.BigAutoField(primary_key=True)
    event = models.CharField(max_length=40, db_index=True)
    event_type = models.CharField(max_length=80)
    endpoint = models.CharField(max_length=40, db_index=True)
    body = models.TextField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.FloatField()  # seconds since 1970, real time
    signature = models.TextField(blank=True)  # of the last attempt
    answer_status = models.IntegerField(null=True)  # of the last attempt; null: no answer
    answer_text = models.TextField(blank=True)
    skew_s = models.IntegerField(default=0)  # set by the fault webhook_clock: how far off `t` is
    has_wrong_signature = models.BooleanField(default=False)  # set by the fault webhook_signature

    objects: ClassVar[models.Manager["Delivery"]] = models.Manager()

    class Meta:
        app_label = "stripe_sandbox"
        indexes = [models.Index(fields=["state", "next_at"])]

    def __str__(self) -> str:
        return f"{self.event} to {self.endpoint}"


class MeterEvent(models.Model):
    """One row is one report of usage to a meter; only `is_canceled` ever changes, by an adjustment."""

    id = models.BigAutoField(primary_key=True)
    identifier = models.CharField(max_length=100, db_index=True)
    meter = models.CharField(max_length=40)
    customer = models.CharField(max_length=40)
    at = models.BigIntegerField()  # when it was used, seconds since 1970 in the time of its customer
    value = models.CharField(max_length=60)  # a decimal number, exactly as it was sent
    received_at = models.BigIntegerField()  # in the time of its customer
    is_canceled = models.BooleanField(default=False)

    objects: ClassVar[models.Manager["MeterEvent"]] = models.Manager()

    class Meta:
        app_label = "stripe_sandbox"
        indexes = [models.Index(fields=["meter", "customer", "at"])]

    def __str__(self) -> str:
        return f"{self.identifier}: {self.value}"


class IdempotentCall(models.Model):
    """One row is one idempotency key: in flight while `status` is null, then the answer to repeat."""

    key = models.CharField(primary_key=True, max_length=255)
    fingerprint = models.TextField()  # method, path and parameters
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.TextField(blank=True)

    objects: ClassVar[models.Manager["IdempotentCall"]] = models.Manager()

    class Meta:
        app_label = "stripe_sandbox"

    def __str__(self) -> str:
        return self.key


class Fault(models.Model):
    """One row is one armed fault; `left` runs down with each match."""

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=40, db_index=True)
    left = models.PositiveIntegerField()
    match = models.CharField(max_length=200, blank=True)  # part of a path, an event type or a customer; empty: any
    params = models.JSONField(default=dict)

    objects: ClassVar[models.Manager["Fault"]] = models.Manager()

    class Meta:
        app_label = "stripe_sandbox"

    def __str__(self) -> str:
        return f"{self.kind} × {self.left}"


class Violation(models.Model):
    """One row is one thing that Stripe's own description of its API forbids: in what was asked, or in what was sent."""

    class Side(models.TextChoices):
        ASKED = "asked"  # a call of the product
        ANSWERED = "answered"  # an answer or an event of the sandbox

    id = models.BigAutoField(primary_key=True)
    side = models.CharField(max_length=10, choices=Side.choices, default=Side.ANSWERED)
    where = models.CharField(max_length=200)
    problem = models.TextField()

    objects: ClassVar[models.Manager["Violation"]] = models.Manager()

    class Meta:
        app_label = "stripe_sandbox"

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}"
