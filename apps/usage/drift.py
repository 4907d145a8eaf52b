"""What of usage does not add up, kept beside the differences between Stripe and us."""

from datetime import datetime, timedelta

from django.db.models import Count, Min

from apps.billing import differences
from apps.billing.differences import Difference
from apps.billing.models import BillingAccount, DriftItem
from apps.usage.models import UsageReservation

STUCK = "stuck_reservations"
PATIENCE = timedelta(minutes=15)  # the sweeper comes every minute


def note(*, now: datetime) -> list[tuple[str, Difference]]:
    """Keep what does not add up, and close what does again; what was found, with its account's id. Acts."""
    found = _stuck(now=now)
    for account, difference in found:
        differences.see(difference, account, now=now)
    still = [account.pk for account, _difference in found]
    DriftItem.objects.filter(kind=STUCK, fixed_at=None).exclude(account__in=still).update(fixed_at=now)
    return [(str(account.pk), difference) for account, difference in found]


def find(*, now: datetime) -> list[tuple[str, Difference]]:
    """The same, written nowhere."""
    return [(str(account.pk), difference) for account, difference in _stuck(now=now)]


def _stuck(*, now: datetime) -> list[tuple[BillingAccount, Difference]]:
    """Accounts for which something is set aside that no worker will settle, and that no sweeper gave back."""
    late = UsageReservation.objects.filter(state=UsageReservation.State.OPEN, expires_at__lt=now - PATIENCE)
    counted = late.order_by().values("account").annotate(number=Count("pk"), first=Min("expires_at"))
    accounts = BillingAccount.objects.in_bulk([row["account"] for row in counted])
    return [
        (accounts[row["account"]], Difference(STUCK, "", ours=f"{row['number']} since {row['first']:%Y-%m-%d %H:%M}"))
        for row in counted
    ]
