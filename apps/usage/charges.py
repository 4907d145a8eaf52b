"""Usage that the month's end charges: who turned that on goes on when credit is spent, up to a cap of their own.

The cap is a limit like others, in a bucket of its own; what is settled there is told to Stripe, once for a ledger row.
"""

from datetime import datetime
from uuid import UUID

from apps.billing import meter_outbox, overage
from apps.billing.models import BillingAccount
from apps.usage import buckets, limits
from apps.usage.models import UsageBucket, UsageLedger
from apps.usage.roundtrip import Statement


def take(account: BillingAccount, amount_micro: int, currency: str, *, now: datetime) -> UUID | None:
    """Set room under the cap aside; the bucket it is in. None: this account is not charged at the month's end.

    Effect  a step, asked only where credit is spent.
    Raises  PaymentNeeded `usage_cap_reached`: the cap has no room for it.
    """
    allowed = overage.find_allowed(account)
    if allowed is None or allowed.currency != currency:
        return None
    return buckets.take(account, "", limits.usage_cap(allowed.cap_micro, currency), amount_micro, now=now)


def reporting(row: UsageLedger) -> list[Statement]:
    """Want a settled ledger row told to Stripe: a statement to ask; none when the month's end charges nothing."""
    if not row.charged_micro:
        return []
    moments = {"used_at": row.occurred_at, "now": row.recorded_at}
    values = meter_outbox.values_of(row.pk, row.account_id, row.charged_micro, **moments)
    return [Statement(meter_outbox.WRITE, values)]


def so_far_micro(account: BillingAccount, *, now: datetime) -> int:
    """What the end of this calendar month (UTC) will charge as things are, with what running answers have set aside."""
    key = limits.usage_cap(0, "").key
    bucket = UsageBucket.objects.of(account).running(at=now).filter(limit_key=key).first()
    return bucket.settled + bucket.reserved if bucket else 0
