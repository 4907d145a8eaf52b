"""Facts that do not fit are kept and shown, one open row for each; a row is closed when its difference is gone."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min

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


@dataclass(frozen=True)
class OpenKind:
    """What is open of one kind. `first_seen`: the oldest of them."""

    kind: str
    severity: str
    number: int
    first_seen: datetime


def note(difference: Difference, account: BillingAccount | None, *, now: datetime) -> DriftItem:
    """Keep a difference; one that is open already is not kept twice, and is not touched."""
    item, _is_new = DriftItem.objects.get_or_create(
        kind=difference.kind,
        account=account,
        subject=difference.subject,
        fixed_at=None,
        defaults={
            "severity": difference.severity,
            "ours": difference.ours[:TEXT],
            "stripe": difference.stripe[:TEXT],
            "first_seen": now,
            "last_seen": now,
        },
    )
    return item


def see(difference: Difference, account: BillingAccount | None, *, now: datetime) -> None:
    """Keep a difference, and say that it is still there, as it is today."""
    item = note(difference, account, now=now)
    facts = {"ours": difference.ours[:TEXT], "stripe": difference.stripe[:TEXT], "last_seen": now}
    DriftItem.objects.filter(pk=item.pk).update(**facts)


def close(kind: str, account: BillingAccount | None, subject: str, *, now: datetime) -> None:
    """Say that a difference is gone."""
    DriftItem.objects.filter(kind=kind, account=account, subject=subject, fixed_at=None).update(fixed_at=now)


def close_unseen(kind: str, *, since: datetime, now: datetime) -> None:
    """Say that what a whole comparison, begun at `since`, did not meet is gone."""
    DriftItem.objects.filter(kind=kind, last_seen__lt=since, fixed_at=None).update(fixed_at=now)


def count_open() -> list[OpenKind]:
    """What is open, by kind: the serious first, then what there is most of."""
    rows = DriftItem.objects.filter(fixed_at=None).order_by().values("kind", "severity")
    counted = rows.annotate(number=Count("pk"), first=Min("first_seen"))
    found = [OpenKind(row["kind"], row["severity"], row["number"], row["first"]) for row in counted]
    return sorted(found, key=lambda one: (one.severity != HIGH, -one.number, one.kind))


def count_open_high() -> int:
    """How many items a person must look at."""
    return DriftItem.objects.filter(fixed_at=None, severity=HIGH).count()
