"""What is on offer, as rows: plans, their terms at one time, and prices at Stripe."""

from django.db import models

from apps.core import ids


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


class ModelPrice(models.Model):
    """One row is what a model cost and was sold for, as the catalogue stated it at one time; a trigger keeps it so."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    model = models.CharField(max_length=64)  # key in the catalogue
    version = models.PositiveIntegerField()
    rates = models.JSONField()  # currency and cost, and price by currency: micro-units for a million tokens
    digest = models.CharField(max_length=64)  # of `rates`: equal rates make no new version
    effective_from = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model", "version"], name="model_price_once")]

    def __str__(self) -> str:
        return f"{self.model} v{self.version}"


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
