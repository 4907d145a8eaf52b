"""Whether Stripe's meter and our rows of usage agree: what is not told, and what a month that is over adds up to."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Count, Min, Q, QuerySet, Sum

from apps.billing import meter_outbox
from apps.billing.differences import Difference
from apps.billing.errors import MissingAtStripe, PaymentRefused
from apps.billing.models import BillingAccount, DriftItem, MeterOutbox
from apps.billing.stripe_gateway import Gateway

UNSENT, MISMATCH = "unsent_meter_events", "meter_total_mismatch"
PATIENCE = timedelta(hours=1)  # rows are told every minute
CLOSED = timedelta(hours=2)  # after its end a month has its invoice, and takes no more usage
State = MeterOutbox.State


@dataclass(frozen=True)
class CountedMonth:
    """What Stripe has counted for an account in one calendar month (UTC)."""

    start: datetime
    counted_micro: int

    @property
    def end(self) -> datetime:
        """The first instant of the next one."""
        return (self.start + timedelta(days=32)).replace(day=1)


def concerned(*, now: datetime) -> "QuerySet[BillingAccount]":
    """Accounts of which the meter can say something else than we do. Reads our tables only."""
    month = CountedMonth(last_closed(now), 0)
    told = MeterOutbox.objects.filter(reported_ts__gte=month.start, reported_ts__lt=month.end)
    keys = Q(pk__in=told.values("account")) | Q(pk__in=_unsent(now).values("account")) | Q(overage__isnull=False)
    return BillingAccount.objects.filter(keys, stripe_customer_id__isnull=False)


def read(account: BillingAccount, gateway: Gateway, *, now: datetime) -> tuple[CountedMonth, ...]:
    """Ask Stripe what it counted in the last month that is over, and in those that did not agree before.

    An account may have had several customers: each was told what was used in its time. Where one of them is deleted,
    Stripe cannot be asked any more, and nothing is compared.
    Raises  PaymentsAway.
    """
    former = account.former_customers.filter(livemode=account.livemode)
    is_gone = account.customer_gone_at is not None or former.filter(gone_at__isnull=False).exists()
    starts = _open_months(account)
    if concerned(now=now).filter(pk=account.pk).exists():
        starts.add(last_closed(now))
    meter = gateway.find_meter(meter_outbox.EVENT_NAME) if starts and not is_gone else None
    if meter is None:
        return ()
    customers = [key for key in (account.stripe_customer_id, *former.values_list("pk", flat=True)) if key]
    months = [CountedMonth(start, 0) for start in sorted(starts)]
    try:
        sums = [
            sum(gateway.sum_of_meter(meter.id, key, start=month.start, end=month.end) for key in customers)
            for month in months
        ]
    except (MissingAtStripe, PaymentRefused):  # deleted, and no look has seen it yet
        return ()
    return tuple(CountedMonth(month.start, counted) for month, counted in zip(months, sums, strict=True))


def compare(account: BillingAccount, counted: Iterable[CountedMonth], *, now: datetime) -> Iterator[Difference]:
    """What of an account's usage Stripe has not heard, and the months in which it counts something else than we told.

    A month of which a row is still on its way is not compared: nobody knows yet whether that was counted.
    """
    late = _unsent(now).filter(account=account).aggregate(number=Count("pk"), total=Sum("value"), first=Min("ts"))
    if late["number"]:
        said = f"{late['number']} rows, {late['total']} micro-units, since {late['first']:%Y-%m-%d %H:%M}"
        yield Difference(UNSENT, "", ours=said)
    for month in counted:
        rows = account.meter_outbox.filter(reported_ts__gte=month.start, reported_ts__lt=month.end)
        told = rows.filter(state=State.SENT).aggregate(total=Sum("value"))["total"] or 0
        if told != month.counted_micro and not rows.pending().exists():
            yield Difference(MISMATCH, f"{month.start:%Y-%m}", ours=f"{told}", stripe=f"{month.counted_micro}")


def tell_again(account: BillingAccount, *, now: datetime) -> int:
    """Have everything told that Stripe has not heard, at once; the number of rows. A step.

    What it may have heard is compared with the meter first, as always after a day.
    """
    rows = account.meter_outbox.exclude(state=State.SENT)
    return int(rows.update(state=State.PENDING, attempts=0, next_at=now, error=""))


def last_closed(now: datetime) -> datetime:
    """The first instant of the last calendar month (UTC) of which everything is billed."""
    this = (now.astimezone(UTC) - CLOSED).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (this - timedelta(days=1)).replace(day=1)


def _unsent(now: datetime) -> "QuerySet[MeterOutbox]":
    """What waits for too long, and what nobody will tell any more."""
    return MeterOutbox.objects.filter(
        Q(state=State.PENDING, ts__lt=now - PATIENCE) | Q(state__in=(State.FAILED, State.DEAD))
    )


def _open_months(account: BillingAccount) -> set[datetime]:
    subjects = DriftItem.objects.filter(account=account, kind=MISMATCH, fixed_at=None).values_list("subject", flat=True)
    return {datetime.strptime(subject, "%Y-%m").replace(tzinfo=UTC) for subject in subjects}
