"""What subscribers ask of their subscription, each as a row with its own key at Stripe."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from apps.billing.models.accounts import BillingAccount
from apps.billing.models.mirror import SubscriptionMirror
from apps.billing.models.offer import Price
from apps.core import ids


class PlanChangeQuerySet(models.QuerySet["PlanChange"]):
    """Changes, as sentences."""

    def offered(self) -> Self:
        """Shown to the person, who has not said yes."""
        return self.filter(state=PlanChange.State.OFFERED)

    def unanswered(self) -> Self:
        """Agreed to, and what Stripe made of it is not known yet."""
        return self.filter(state=PlanChange.State.AGREED)

    def forgotten(self, *, before: datetime) -> Self:
        """Unanswered for so long that whoever asked must have died."""
        return self.unanswered().filter(agreed_at__lt=before)


class PlanChange(models.Model):
    """One row is one thing a person wants of their subscription: offered, agreed to, then what Stripe made of it."""

    class Kind(models.TextChoices):
        NOW = "now"  # another price at once, paid at once
        LATER = "later"  # another price from the next period on
        KEEP = "keep"  # undo what is planned
        CANCEL = "cancel"  # end with the period
        RESUME = "resume"  # undo that
        DROP = "drop"  # give up what waits for its payment

    class State(models.TextChoices):
        OFFERED = "offered"  # shown, with what it costs; only NOW and LATER begin here
        AGREED = "agreed"  # the person said yes; from here on the row's id is the key at Stripe
        DONE = "done"  # seen at Stripe, by the answer or by a sync
        UNPAID = "unpaid"  # waits at Stripe for its payment; sync moves it on
        LAPSED = "lapsed"  # offered or unpaid for too long, replaced, or paid before it was dropped
        REFUSED = "refused"  # Stripe said no; nothing changed

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey(BillingAccount, on_delete=models.CASCADE, related_name="plan_changes")
    subscription = models.ForeignKey(SubscriptionMirror, on_delete=models.CASCADE, related_name="changes")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    state = models.CharField(max_length=8, choices=State.choices)
    to_price = models.ForeignKey(Price, null=True, on_delete=models.PROTECT, related_name="+")  # of NOW, LATER, DROP
    quote = models.JSONField(default=dict)  # what was shown, see billing.quotes
    prorated_at = models.DateTimeField(null=True)  # Stripe's proration_date of the quote, whole seconds
    takes_effect_at = models.DateTimeField(null=True)  # of LATER, CANCEL: the end of the period
    invoice_id = models.CharField(max_length=64, blank=True)  # of UNPAID: what must be paid
    feedback = models.CharField(max_length=24, blank=True)  # of CANCEL: why, in Stripe's words
    comment = models.CharField(max_length=500, blank=True)  # of CANCEL: why, in the person's
    error = models.CharField(max_length=300, blank=True)  # why it is unpaid or refused
    created_at = models.DateTimeField()
    agreed_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)  # when we heard what became of it

    objects: ClassVar = PlanChangeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account"], condition=Q(state="offered"), name="change_one_offered"),
            models.UniqueConstraint(fields=["account"], condition=Q(state="agreed"), name="change_one_agreed"),
            models.CheckConstraint(
                condition=Q(to_price__isnull=False) | Q(kind__in=["keep", "cancel", "resume"]),
                name="change_names_its_price",
            ),
        ]
        indexes = [
            models.Index(fields=["agreed_at"], condition=Q(state="agreed"), name="change_unanswered"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"
