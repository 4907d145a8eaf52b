"""Warnings at 80 % and 100 % of a window: raised once each, by the settling that reaches them."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from apps.billing import outbox
from apps.billing.emails import LIMIT_REACHED, SPENDING_ALERT
from apps.billing.meters import Meter
from apps.core import guards
from apps.usage.buckets import Level
from apps.usage.models import UsageAlert

# What a letter is about, where the cap is no key's.
SCOPES: dict[str, str] = {Meter.SPENDING: "account", Meter.USAGE_CHARGES: "charges"}
MARKS = (100, 80)  # percent; who jumps over both is told the higher one


def raise_alerts(levels: Iterable[Level], run_id: UUID, currency: str, *, now: datetime) -> list[UsageAlert]:
    """Write a warning for each bucket that has just reached a mark, and want the letter where money is concerned.

    currency  of money that was spent.
    Effect    a step. The buckets' rows are locked by who booked in them, so a mark is passed once; where a new plan
              moved the mark and it is passed again, the row that is there keeps a second warning out.
    """
    guards.inside_transaction()
    rows = [alert for level in levels if (alert := _alert_of(level, run_id, now=now))]
    if not rows:
        return []
    UsageAlert.objects.bulk_create(rows, ignore_conflicts=True)
    is_new = set(UsageAlert.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True))
    raised = [row for row in rows if row.pk in is_new]
    for alert in raised:
        if alert.bucket.meter in SCOPES:
            _want_letter(alert, currency, now=now)
        elif alert.bucket.meter == Meter.MESSAGES and alert.percent == max(MARKS):
            _want_word_of_end(alert, now=now)
    return raised


def _alert_of(level: Level, run_id: UUID, *, now: datetime) -> UsageAlert | None:
    """The warning of the highest mark between before and now; None for a limit that does not end, or is nothing."""
    if not level.limit or level.held.bucket_id is None:
        return None
    before = level.used - level.added
    passed = [mark for mark in MARKS if before * 100 < mark * level.limit <= level.used * 100]
    if not passed:
        return None
    return UsageAlert(
        account_id=level.held.account_id,
        bucket_id=level.held.bucket_id,
        percent=passed[0],
        run_id=run_id,
        used=level.used,
        limit_value=level.limit,
        raised_at=now,
    )


def _want_word_of_end(alert: UsageAlert, *, now: datetime) -> None:
    """A letter to who wants one, once a day however many windows end."""
    if alert.account.owner.wants_limit_mail:
        resets_at = alert.bucket.window_end.isoformat()
        facts = {"letter": LIMIT_REACHED, "count": str(alert.limit_value), "resets_at": resets_at}
        outbox.add(outbox.MAIL, f"limit-reached:{alert.account_id}:{now:%Y%m%d}", facts, alert.account, now=now)


def _want_letter(alert: UsageAlert, currency: str, *, now: datetime) -> None:
    if not alert.account.owner.wants_spending_mail:
        return
    facts = {
        "letter": SPENDING_ALERT,
        "percent": str(alert.percent),
        "used_micro": str(alert.used),
        "limit_micro": str(alert.limit_value),
        "currency": currency.upper(),
        "until": alert.bucket.window_end.isoformat(),
        "scope": SCOPES[alert.bucket.meter] if ":*:" in alert.bucket.limit_key else "key",
    }
    outbox.add(outbox.MAIL, f"spending-alert:{alert.bucket_id}:{alert.percent}", facts, alert.account, now=now)
