"""What people asked about their data, and how far it is."""

from datetime import datetime
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.core import ids


class DataRequestQuerySet(models.QuerySet["DataRequest"]):
    """Requests, as sentences."""

    def open(self) -> Self:
        return self.filter(state__in=DataRequest.OPEN)

    def due(self, *, at: datetime) -> Self:
        return self.open().filter(next_at__lte=at)

    def exports(self) -> Self:
        return self.filter(kind=DataRequest.Kind.EXPORT)

    def erasures(self) -> Self:
        return self.filter(kind=DataRequest.Kind.ERASURE)


class DataRequest(models.Model):
    """One row is one request to take one's data, or to leave. Moved by `exports` and `erasures`.

    state  scheduled → waiting when the week to change one's mind is over, or → kept when the person did;
           waiting → done by the worker that makes the archive, or → failed when it gave up; for an erasure
           waiting → cancelling while Stripe or a running answer is awaited, then → done.
    """

    class Kind(models.TextChoices):
        EXPORT = "export"
        ERASURE = "erasure"

    class State(models.TextChoices):
        SCHEDULED = "scheduled"  # erasure: due at `next_at`, and until then can be called off
        WAITING = "waiting"  # a worker will take it up
        CANCELLING = "cancelling"  # erasure: something must end first
        DONE = "done"
        KEPT = "kept"  # erasure: called off
        FAILED = "failed"  # export: tried often enough; the person may ask again

    OPEN = (State.SCHEDULED, State.WAITING, State.CANCELLING)

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="data_requests"
    )
    kind = models.CharField(max_length=8, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    asked_at = models.DateTimeField()
    next_at = models.DateTimeField()  # when a worker may take it up; moved away by the one that does
    attempts = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField(null=True)  # erasure: when the letter of a day before was written
    notify = models.EmailField(blank=True)  # erasure: who gets the receipt; emptied when it is on its way
    language = models.CharField(max_length=8, blank=True)  # of that letter
    archive = models.BinaryField(null=True)  # export: the ZIP, dropped after 7 days
    receipt = models.JSONField(default=dict)  # erasure: each store's slug → how much was removed from it

    objects: ClassVar = DataRequestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "kind"],
                condition=Q(state__in=["scheduled", "waiting", "cancelling"]),
                name="data_request_one_open",
            )
        ]
        indexes = [
            models.Index(
                fields=["next_at"], condition=Q(state__in=["scheduled", "waiting", "cancelling"]), name="data_due"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"
