"""What each account may use, and what staff gave it."""

from datetime import datetime
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from apps.billing.models.accounts import BillingAccount
from apps.billing.models.offer import Plan, PlanVersion
from apps.core import ids


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
