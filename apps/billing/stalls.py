"""What should have moved on and has not: events that nobody handled, deliveries that come late. Our tables only."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import F, Min

from apps.billing import differences
from apps.billing.differences import LOW, Difference
from apps.billing.models import BillingAccount, DriftItem, StripeEvent, StripeOutbox

PATIENCE = timedelta(hours=1)
LAG = timedelta(minutes=5)
DAY = timedelta(days=1)
PERCENT = 95
FEWEST = 20  # events; of fewer, one late delivery would be the 95th of a hundred
KINDS = ("unprocessed_events", "unsent_outbox", "webhook_lag")


def find(*, now: datetime) -> Iterator[tuple[BillingAccount | None, Difference]]:
    """What stands still, by account where it has one. Reads only."""
    stored = StripeEvent.objects.filter(
        state=StripeEvent.State.STORED, received_at__lt=now - PATIENCE, account__isnull=False
    )
    counted = stored.order_by().values("account").annotate(first=Min("received_at"))
    accounts = BillingAccount.objects.in_bulk([row["account"] for row in counted])
    for row in counted:
        since = f"since {row['first']:%Y-%m-%d %H:%M}"
        yield accounts[row["account"]], Difference("unprocessed_events", "", ours=since)
    late = StripeOutbox.objects.filter(state=StripeOutbox.State.PENDING, first_tried_at__lt=now - PATIENCE)
    for outgoing in late.select_related("account"):
        said = f"{outgoing.attempts} tries, {outgoing.error}"
        yield outgoing.account, Difference("unsent_outbox", str(outgoing.pk), ours=outgoing.kind, stripe=said)
    lag = webhook_lag(now=now)
    if lag is not None and lag > LAG:
        yield None, Difference("webhook_lag", "p95", ours=f"{lag / timedelta(seconds=1):.0f} s", severity=LOW)


def webhook_lag(*, now: datetime) -> timedelta | None:
    """Within what time 95 of 100 events of the last day were handled after they happened; None of too few.

    An event of a test clock may be from the future: it counts as handled at once.
    """
    handled = StripeEvent.objects.filter(handled_at__gt=now - DAY)
    lags = sorted(
        max(lag, timedelta())
        for lag in handled.annotate(lag=F("handled_at") - F("created")).values_list("lag", flat=True)
    )
    return lags[-(-len(lags) * PERCENT // 100) - 1] if len(lags) >= FEWEST else None


def note(*, now: datetime) -> list[tuple[str, Difference]]:
    """Keep what stands still, and close what moved on; what was found, with its account's id."""
    found = list(find(now=now))
    for account, difference in found:
        differences.see(difference, account, now=now)
    still = {(account and account.pk, one.kind, one.subject) for account, one in found}
    for item in DriftItem.objects.filter(kind__in=KINDS, fixed_at=None):
        if (item.account_id, item.kind, item.subject) not in still:
            DriftItem.objects.filter(pk=item.pk).update(fixed_at=now)
    return [(str(account.pk) if account else "", one) for account, one in found]
