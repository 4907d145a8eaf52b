"""One answer being made, and the servers that can make it."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from apps.billing.models import BillingAccount
from apps.core import ids


class RunQuerySet(models.QuerySet["Run"]):
    """Runs, as sentences."""

    def of(self, account: BillingAccount) -> Self:
        return self.filter(account=account)

    def unfinished(self) -> Self:
        return self.filter(state__in=(Run.State.QUEUED, Run.State.RUNNING))

    def in_line(self, *queues: str) -> Self:
        waiting = self.filter(state=Run.State.QUEUED, in_line_since__isnull=False)
        return waiting.filter(queue__in=queues) if queues else waiting

    def held(self) -> Self:
        return self.filter(state=Run.State.QUEUED, in_line_since=None)

    def abandoned(self, *, at: datetime) -> Self:
        return self.filter(state=Run.State.RUNNING, lease_until__lt=at)

    def waiting_since(self, moment: datetime) -> Self:
        return self.filter(state=Run.State.QUEUED, nudged_at__lt=moment)


class Run(models.Model):
    """One row is one answer, for a conversation or for the API.

    state  queued → running by the worker that claims it; running → succeeded, stopped or failed by the same worker, in
           the transaction that settles; running → queued by the sweeper when the lease ran out, and by the worker that
           claimed it, in that same transaction, when its account writes as many answers as its plan allows.
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        STOPPED = "stopped"
        FAILED = "failed"

    class Channel(models.TextChoices):
        CHAT = "chat"
        API = "api"
        BATCH = "batch"

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey(BillingAccount, on_delete=models.CASCADE, related_name="runs")
    channel = models.CharField(max_length=8, choices=Channel.choices)
    job = models.CharField(max_length=64)  # the task that answers it: "chat.answer_message"
    queue = models.CharField(max_length=16)  # runs.premium, runs.free, runs.batch
    model = models.CharField(max_length=64)  # key in the catalogue; the smaller one, where a spent limit fell back
    requested_model = models.CharField(max_length=64, blank=True)  # what was asked for, where another one answers
    key_id = models.UUIDField(null=True)  # the API key that asked; NULL in the chat
    request = models.JSONField(default=dict)  # API: the validated body, dropped at the end; chat: {}
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    stop_requested_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)  # renewed by the worker while it runs
    lease_token = models.UUIDField(null=True)  # which claim holds it: a late worker's writes are refused
    attempts = models.PositiveSmallIntegerField(default=0)  # how many workers claimed it
    nudged_at = models.DateTimeField()  # when a job was last sent for it
    in_line_since = models.DateTimeField(null=True)  # its place in its queue; NULL: held until an own answer ends
    text = models.TextField(blank=True)  # checkpoint while running; final afterwards
    reasoning = models.TextField(blank=True)
    backend = models.CharField(max_length=64, blank=True)
    finish_reason = models.CharField(max_length=24, blank=True)  # stop, length, stopped, …
    error_code = models.CharField(max_length=40, blank=True)
    refusal = models.JSONField(null=True)  # core.errors.Refusal.facts() when a limit said no, or made it fall back
    input_tokens = models.PositiveIntegerField(default=0)
    cached_input_tokens = models.PositiveIntegerField(default=0)  # part of the input
    output_tokens = models.PositiveIntegerField(default=0)
    reasoning_tokens = models.PositiveIntegerField(default=0)  # part of the output
    provenance = models.CharField(max_length=10, blank=True)  # of the tokens: reported, estimated or none
    created_at = models.DateTimeField(db_index=True)
    started_at = models.DateTimeField(null=True)
    first_token_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects: ClassVar = RunQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["lease_until"], condition=Q(state="running"), name="run_leases"),
            models.Index(fields=["queue", "in_line_since"], condition=Q(state="queued"), name="run_in_line"),
            models.Index(
                fields=["account", "created_at"], condition=Q(state__in=["queued", "running"]), name="run_unfinished"
            ),
            models.Index(fields=["account", "-created_at"], name="run_of_account"),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.state}"

    @property
    def is_over(self) -> bool:
        return self.state in (self.State.SUCCEEDED, self.State.STOPPED, self.State.FAILED)


class Backend(models.Model):
    """One row is what we know of one server of the catalogue: whether it answers, and whether staff drained it.

    A server rests while `rests_until` lies ahead. After a rest that `failures_in_row` began, one run tries it for all.
    """

    key = models.CharField(primary_key=True, max_length=64)
    is_drained = models.BooleanField(default=False)  # set by staff: no new runs
    last_ok_at = models.DateTimeField(null=True)
    last_failed_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=120, blank=True)
    failures_in_row = models.PositiveIntegerField(default=0)  # calls that failed since one worked
    rests_until = models.DateTimeField(null=True)
    last_probe_at = models.DateTimeField(null=True)  # when it was asked whether it is up
    probe_ms = models.PositiveIntegerField(null=True)  # how long it took to say yes; NULL: it did not

    def __str__(self) -> str:
        return self.key


class BackendTrouble(models.Model):
    """One row is how many calls of one server failed in a minute for one reason, those that another saved included."""

    backend = models.CharField(max_length=64)
    starts_at = models.DateTimeField(db_index=True)
    reason = models.CharField(max_length=16)  # as calls.CallError says it
    calls = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["backend", "starts_at", "reason"], name="trouble_once_a_minute")]

    def __str__(self) -> str:
        return f"{self.backend} {self.reason} {self.starts_at:%Y-%m-%d %H:%M}"


class BackendKey(models.Model):
    """One row is the API key that staff entered for one server; it counts instead of the environment's."""

    backend = models.CharField(primary_key=True, max_length=64)
    sealed = models.TextField()  # encrypted: core.sealing
    ending = models.CharField(max_length=4)  # its last characters, by which people tell keys apart
    entered_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.backend
