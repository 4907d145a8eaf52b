"""Keys of the OpenAI-compatible API."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from apps.billing.models import BillingAccount
from apps.core import ids


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    """Keys, as sentences."""

    def live(self, *, at: datetime) -> Self:
        return self.filter(revoked_at=None).filter(Q(expires_at=None) | Q(expires_at__gt=at))


class ApiKey(models.Model):
    """One row is one key; only its SHA-256 is kept, so it is shown once and cannot be read back."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey(BillingAccount, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80)
    hint = models.CharField(max_length=24)  # its beginning and last four characters, to tell keys apart
    secret_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)  # at most one write a minute
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects: ClassVar = ApiKeyQuerySet.as_manager()

    def __str__(self) -> str:
        return self.hint
