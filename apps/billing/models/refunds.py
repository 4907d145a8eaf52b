"""Money that staff give back."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from apps.billing.models.accounts import BillingAccount
from apps.billing.models.mirror import InvoiceMirror
from apps.core import ids


class RefundRequestQuerySet(models.QuerySet["RefundRequest"]):
    """Requests, as sentences."""

    def promised(self) -> Self:
        """Those whose money is on its way, or may be: Stripe has not said yet."""
        return self.filter(state__in=(RefundRequest.State.WAITING, RefundRequest.State.APPROVED))


class RefundRequest(models.Model):
    """One row is money of one invoice that staff want to give back, and what they want done besides."""

    class State(models.TextChoices):
        WAITING = "waiting"  # beyond what one person may give alone: a second one must agree
        APPROVED = "approved"  # in the outbox
        DONE = "done"  # Stripe made the refund
        REJECTED = "rejected"  # the second person said no
        FAILED = "failed"  # Stripe refused for good

    class Ending(models.TextChoices):
        KEEP = "keep"  # the plan goes on
        PERIOD_END = "period_end"
        NOW = "now"

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey(BillingAccount, on_delete=models.PROTECT, related_name="refund_requests")
    invoice = models.ForeignKey(InvoiceMirror, on_delete=models.PROTECT, related_name="refund_requests")
    stripe_payment_intent_id = models.CharField(max_length=64)  # the payment that goes back
    amount_minor = models.BigIntegerField()  # of the invoice's currency
    why = models.CharField(max_length=24)  # Stripe's word: requested_by_customer, duplicate, fraudulent
    reason = models.CharField(max_length=300)  # in the words of who asked
    ending = models.CharField(max_length=12, choices=Ending.choices)
    has_credit_note = models.BooleanField(default=False)
    state = models.CharField(max_length=12, choices=State.choices)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True)
    stripe_refund_id = models.CharField(max_length=64, blank=True)
    error = models.CharField(max_length=300, blank=True)  # what Stripe said when it refused

    objects: ClassVar = RefundRequestQuerySet.as_manager()

    class Meta:
        permissions = [("approve_refundrequest", "Can agree to a refund that somebody else asked for")]
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="refund_gives_something"),
            models.CheckConstraint(
                condition=Q(decided_by=None) | Q(asked_by=None) | ~Q(decided_by=F("asked_by")),
                name="refund_second_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.invoice_id} {self.state}"
