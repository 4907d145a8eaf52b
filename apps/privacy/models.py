"""What people asked about their data, and how far it is."""

from django.conf import settings
from django.db import models

from apps.core import ids


class DataRequest(models.Model):
    """One row is one request to take one's data, or to leave. Moved by `exports` and `erasures`."""

    class Kind(models.TextChoices):
        EXPORT = "export"
        ERASURE = "erasure"

    class State(models.TextChoices):
        WAITING = "waiting"  # a worker will take it up
        CANCELLING = "cancelling"  # erasure: Stripe was asked to cancel, its end is awaited
        DONE = "done"
        FAILED = "failed"  # tried again by the sweeper

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="data_requests"
    )
    kind = models.CharField(max_length=8, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    asked_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    archive = models.BinaryField(null=True)  # export: the ZIP, dropped after 7 days
    receipt = models.JSONField(default=dict)  # erasure: each store and what was removed from it

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"
