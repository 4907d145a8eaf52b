"""On what Stripe and we do not agree, and how far the search for it has come."""

from django.db import models
from django.db.models import Q

from apps.billing.models.accounts import BillingAccount
from apps.core import ids


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
    last_seen = models.DateTimeField()  # by the last comparison that met it
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


class Reconciliation(models.Model):
    """One row is one comparison of everything with Stripe; the next slice goes on where it stands."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    started_at = models.DateTimeField()
    since = models.DateTimeField(null=True)  # money made before this is not read again; empty: all is read
    walk = models.CharField(max_length=20, blank=True)  # what is being read; see billing.drift
    cursor = models.CharField(max_length=80, blank=True)  # the last object of it that was read
    turn_until = models.DateTimeField(null=True)  # who works on it; moved by one conditional UPDATE
    accounts = models.PositiveIntegerField(default=0)  # whose customers were met
    differences = models.PositiveIntegerField(default=0)  # that were found
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["finished_at"],
                condition=Q(finished_at=None),
                name="reconciliation_one_open",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}"
