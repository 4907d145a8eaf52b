"""What staff did, to whom and why: rows are added, never changed."""

from collections.abc import Mapping
from datetime import datetime

from django.db.models import QuerySet

from apps.accounts.models import AuditEntry, User

LOOK_BEGUN = "customer.look"


def looks_at(person: User) -> QuerySet[AuditEntry]:
    """When staff began to look at a person's pages, and why; the newest first."""
    return AuditEntry.objects.filter(subject=person, action=LOOK_BEGUN).order_by("-happened_at")


def record(
    actor: User | None,
    action: str,
    *,
    subject: User | None = None,
    reason: str = "",
    details: Mapping[str, object] | None = None,
    now: datetime,
) -> AuditEntry:
    """Keep one act of staff, or of the system (`actor` None).

    action   noun.verb: "account.change"
    details  JSON-ready facts; never a secret, never what a person wrote.
    Effect   one row, in the caller's transaction when there is one.
    """
    return AuditEntry.objects.create(
        actor=actor, action=action, subject=subject, reason=reason, details=dict(details or {}), happened_at=now
    )
