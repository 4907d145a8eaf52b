"""What was used and is charged at the month's end is told to Stripe, each ledger row once.

The identifier is the row's own, so that a repeat within 24 hours counts once. Stripe forgets it after that: a row whose
answer never came is then compared with what the meter has counted, and only the difference is sent.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F, Max, Sum
from django.db.models.functions import Coalesce

from apps.billing import developer_shelf, differences, stripe_gateway
from apps.billing.differences import Difference
from apps.billing.errors import MissingAtStripe, PaymentRefused, PaymentsAway
from apps.billing.models import BillingAccount, DriftItem, MeterOutbox, SubscriptionItemMirror
from apps.billing.stripe_gateway import Gateway

log = structlog.get_logger(__name__)
State = MeterOutbox.State
EVENT_NAME = developer_shelf.EVENT_NAME
BATCH = 200
AT_ONCE = 8  # requests under way at a time
REMEMBERED = timedelta(hours=23)  # Stripe knows an identifier for 24 hours
OLDEST = timedelta(days=34)  # Stripe takes what was used up to 35 days ago
DRAFT = timedelta(minutes=55)  # for an hour after its end, a month's invoice still takes usage
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)
MINUTE = timedelta(minutes=1)
TWICE = "already exists with identifier"
TEXT = 300
REFUSED = "meter_refused"

WRITE = """
    INSERT INTO billing_meteroutbox (ledger_id, account_id, event_name, value, ts, state, attempts, next_at, error)
    VALUES (%s, %s, %s, %s, %s, 'pending', 0, %s, '')
"""


def values_of(ledger_id: UUID, account_id: UUID, value: int, *, used_at: datetime, now: datetime) -> tuple[object, ...]:
    """What `WRITE` takes to want one ledger row reported; it is written in the transaction that settles."""
    return ledger_id, account_id, EVENT_NAME, value, used_at, now


def send_due(*, clock: Callable[[], datetime]) -> int:
    """Report everything that is due; the number of rows that Stripe has now.

    Repeat  a row is claimed by moving its next try away; a worker that dies leaves it to that next try.
    """
    total = 0
    while rows := _claim(now=clock()):
        fresh = [row for row in rows if _is_remembered(row, now=clock())]
        total += _report(fresh, now=clock())
        total += _compare([row for row in rows if row not in fresh], now=clock())
        if len(rows) < BATCH:
            break
    return total


def _claim(*, now: datetime) -> list[MeterOutbox]:
    """Take rows that are due, a batch at a time; another worker takes others. An act."""
    with transaction.atomic(durable=True):
        due = MeterOutbox.objects.due(at=now).order_by("next_at").select_for_update(skip_locked=True, no_key=True)
        keys = list(due.values_list("pk", flat=True)[:BATCH])
        rows = MeterOutbox.objects.filter(pk__in=keys)
        for attempts, group in groupby(sorted(rows, key=lambda row: row.attempts), key=lambda row: row.attempts):
            wait = min(FIRST_WAIT * 2 ** min(attempts, 10), LONGEST_WAIT)
            rows.filter(pk__in=[row.pk for row in group]).update(
                attempts=F("attempts") + 1, first_tried_at=Coalesce("first_tried_at", now), next_at=now + wait
            )
        return list(MeterOutbox.objects.filter(pk__in=keys).select_related("account").order_by("account_id", "ts"))


def _is_remembered(row: MeterOutbox, *, now: datetime) -> bool:
    return row.first_tried_at is None or now - row.first_tried_at < REMEMBERED


def _report(rows: Sequence[MeterOutbox], *, now: datetime) -> int:
    if not rows:
        return 0
    starts = _period_starts({row.account_id for row in rows})
    for row in rows:
        if row.reported_ts is None:
            row.reported_ts = moment_for(row.ts, starts.get(row.account_id), now=now)
            MeterOutbox.objects.filter(pk=row.pk).update(reported_ts=row.reported_ts)
    gateway = stripe_gateway.metering()
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        outcomes = list(pool.map(lambda row: _send(row, gateway), rows))  # no database in these threads
    sent = [row.pk for row, outcome in zip(rows, outcomes, strict=True) if outcome is None]
    _note_sent(sent, now=now)
    for row, outcome in zip(rows, outcomes, strict=True):
        if isinstance(outcome, (PaymentRefused, MissingAtStripe)):
            _give_up(row, State.FAILED, f"{outcome.code}: {outcome.sentence}", now=now)
        elif outcome is not None:
            MeterOutbox.objects.filter(pk=row.pk).update(error=type(outcome).__name__)
    return len(sent)


def moment_for(used_at: datetime, period_start: datetime | None, *, now: datetime) -> datetime:
    """The moment to tell: when it was used, if the invoice of that month is open, else the beginning of the next."""
    earliest = now - OLDEST
    if period_start is not None and used_at < period_start and now > period_start + DRAFT:
        earliest = max(earliest, period_start)
    return max(used_at, earliest)


def _period_starts(accounts: Iterable[UUID]) -> dict[UUID, datetime]:
    """The beginning of the month that each account's subscription of usage is in, as last seen."""
    items = SubscriptionItemMirror.objects.filter(
        subscription__account__in=accounts, price__usage_type="metered", period_start__isnull=False
    )
    rows = items.values_list("subscription__account").annotate(start=Max("period_start"))
    return dict(rows)


def _send(row: MeterOutbox, gateway: Gateway) -> Exception | None:
    """None: Stripe has it. Else what came instead."""
    customer = row.account.stripe_customer_id
    assert customer is not None and row.reported_ts is not None  # noqa: S101, PT018 usage is charged to customers only
    try:
        identifier, key = str(row.pk), f"meter:{row.pk}:{row.attempts}"  # a fault of Stripe's own is kept with its key
        gateway.send_meter_event(
            row.event_name, customer, row.value, identifier=identifier, at=row.reported_ts, key=key
        )
    except PaymentRefused as error:
        return None if TWICE in str(error.sentence) else error
    except (MissingAtStripe, PaymentsAway, OSError) as error:
        return error
    return None


def _compare(rows: Sequence[MeterOutbox], *, now: datetime) -> int:
    """Rows of which nobody knows whether Stripe has them, and whose identifiers it has forgotten.

    By account and month, so that what is told late counts in the month in which it would have counted.
    """
    done = 0
    for _account, group in groupby(sorted(rows, key=_place), key=_place):
        try:
            done += _send_difference(list(group), now=now)
        except (PaymentsAway, OSError) as error:
            log.warning("meter.not_compared", error=type(error).__name__)
    return done


def _send_difference(rows: Sequence[MeterOutbox], *, now: datetime) -> int:
    account: BillingAccount = rows[0].account
    gateway, customer = stripe_gateway.metering(), str(account.stripe_customer_id)
    meter = gateway.find_meter(EVENT_NAME)
    moments = [row.reported_ts or row.ts for row in rows]
    start, end = _minute(min(moments)), _minute(max(moments)) + MINUTE
    counted = gateway.sum_of_meter(meter.id, customer, start=start, end=end) if meter else 0
    heard = MeterOutbox.objects.filter(account=account, state=State.SENT, reported_ts__gte=start, reported_ts__lt=end)
    unheard = sum(row.value for row in rows)
    missing = unheard - (counted - (heard.aggregate(total=Sum("value"))["total"] or 0))
    if not 0 <= missing <= unheard:
        for row in rows:
            _give_up(row, State.DEAD, f"the meter says {counted}", now=now)
        return 0
    told = MeterOutbox.objects.filter(pk__in=[row.pk for row in rows])
    if missing:
        at = max(*moments, now - OLDEST)
        rest, key = f"{rows[0].pk}:rest:{missing}", f"meter:{rows[0].pk}:{rows[0].attempts}:rest"
        gateway.send_meter_event(EVENT_NAME, customer, missing, identifier=rest, at=at, key=key)
        if missing == unheard:
            told.update(reported_ts=at)
    _note_sent([row.pk for row in rows], now=now)
    log.info("meter.compared", rows=len(rows), sent_micro=missing)
    return len(rows)


def _place(row: MeterOutbox) -> tuple[UUID, str]:
    return row.account_id, f"{row.reported_ts or row.ts:%Y-%m}"


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def _note_sent(keys: Sequence[UUID], *, now: datetime) -> None:
    """Stripe has these: what was refused before is refused no more. An act."""
    with transaction.atomic(durable=True):
        MeterOutbox.objects.filter(pk__in=keys).update(state=State.SENT, error="")
        refused = DriftItem.objects.filter(kind=REFUSED, subject__in=[str(key) for key in keys], fixed_at=None)
        refused.update(fixed_at=now)


def _give_up(row: MeterOutbox, state: str, reason: str, *, now: datetime) -> None:
    with transaction.atomic(durable=True):
        MeterOutbox.objects.filter(pk=row.pk).update(state=state, error=reason[:TEXT])
        differences.note(Difference(REFUSED, str(row.pk), ours=str(row.value), stripe=reason), row.account, now=now)
    log.error("meter.refused", ledger=str(row.pk), reason=reason)
