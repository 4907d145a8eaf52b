"""Facts that do not fit are kept and shown, one open row for each; a row is closed when its difference is gone."""

from dataclasses import dataclass
from datetime import datetime

from apps.billing.models import BillingAccount, DriftItem

HIGH, LOW = "high", "low"
TEXT = 300


@dataclass(frozen=True)
class Difference:
    """One thing on which Stripe and we do not agree. `subject` is the subscription, price or row it is about."""

    kind: str
    subject: str
    ours: str = ""
    stripe: str = ""
    severity: str = HIGH


def note(difference: Difference, account: BillingAccount | None, *, now: datetime) -> None:
    """Keep a difference; one that is open already is not kept twice."""
    DriftItem.objects.get_or_create(
        kind=difference.kind,
        account=account,
        subject=difference.subject,
        fixed_at=None,
        defaults={
            "severity": difference.severity,
            "ours": difference.ours[:TEXT],
            "stripe": difference.stripe[:TEXT],
            "first_seen": now,
        },
    )


def close(kind: str, account: BillingAccount | None, subject: str, *, now: datetime) -> None:
    """Say that a difference is gone."""
    DriftItem.objects.filter(kind=kind, account=account, subject=subject, fixed_at=None).update(fixed_at=now)
