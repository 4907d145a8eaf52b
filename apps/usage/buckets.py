"""How room is taken from a bucket and given back: one conditional UPDATE each, never read, compare, write."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from apps.billing import entitlements
from apps.billing.meters import Meter
from apps.billing.models import BillingAccount
from apps.billing.plans import Limit
from apps.core import guards, ids
from apps.core.errors import Refusal, Refused, Unavailable
from apps.usage import errors, limits, roundtrip
from apps.usage.limits import Cap
from apps.usage.models import UsageBucket
from apps.usage.reservations import Held
from apps.usage.roundtrip import Statement

ATTEMPTS = 8  # each repeat means that another run changed the bucket between two of our statements

TAKE = """
    UPDATE usage_usagebucket SET reserved = reserved + %s, limit_value = %s::bigint
     WHERE account_id = %s AND limit_key = %s AND is_open AND window_end > %s
       AND (%s::bigint IS NULL OR settled + reserved + %s <= %s::bigint)
"""
OPEN = """
    INSERT INTO usage_usagebucket
           (id, account_id, limit_key, meter, window_start, window_end, limit_value, reserved, settled, is_open)
    VALUES (%s, %s, %s, %s, %s, %s, %s::bigint, %s, 0, true)
    ON CONFLICT DO NOTHING
    RETURNING id
"""
OPEN_MISSING = """
    INSERT INTO usage_usagebucket
           (id, account_id, limit_key, meter, window_start, window_end, limit_value, reserved, settled, is_open)
    SELECT %s::uuid, %s::uuid, %s, %s, %s::timestamptz, %s::timestamptz, %s::bigint, 0, 0, true
     WHERE NOT EXISTS (SELECT FROM usage_usagebucket WHERE account_id = %s AND limit_key = %s AND is_open)
    ON CONFLICT DO NOTHING
    RETURNING id
"""
CLOSE_ENDED = """
    UPDATE usage_usagebucket SET is_open = false
     WHERE account_id = %s AND limit_key = ANY(%s) AND is_open AND window_end <= %s
"""
MOVE = """
    UPDATE usage_usagebucket SET reserved = reserved - %s, settled = settled + %s
     WHERE id = %s RETURNING settled, limit_value
"""


class Level(NamedTuple):
    """How full a bucket was right after usage was booked in it; `limit` None is no limit."""

    held: Held
    used: int
    added: int  # by this booking
    limit: int | None


def take(account: BillingAccount, model: str, limit: Limit, amount: int, *, now: datetime) -> UUID:
    """Set `amount` aside in the limit's bucket, opening a window at first use; give the bucket's id.

    Effect  a step; the bucket's row stays locked until the caller's transaction ends.
    Raises  PaymentNeeded: no window could ever hold it, or it is the person's own cap that is used up;
            LimitReached: this window, or every slot, is used up.
    """
    guards.inside_transaction()
    if limit.amount is not None and amount > limit.amount:
        raise _too_much(account, model, limit, now=now)
    for _attempt in range(ATTEMPTS):
        ((row,),) = roundtrip.ask([taking(account, [(limit, amount)], now=now)])
        bucket_id: UUID | None = row[0] or _open_window(account, limit, amount, now=now)
        if bucket_id is not None:
            return bucket_id
        _refuse_if_spent(account, model, limit, amount, now=now)
    raise Unavailable


def taking(
    account: BillingAccount, met: Sequence[tuple[Limit, int]], *, then: Statement | None = None, now: datetime
) -> Statement:
    """One conditional UPDATE for each limit, in the order given, as one statement: the row of the buckets' ids.

    Each looks for its row only after the one before it took: where a window is not open or has no room, that id and
    all behind it are NULL, and nothing behind it is locked. `then` may use `took_0`, `took_1`, …; the number of rows
    that it gives stands behind the ids.
    """
    steps, values = [], []
    for number, (limit, amount) in enumerate(met):
        after = f" AND EXISTS (SELECT FROM took_{number - 1})" if number else ""
        steps.append(f"took_{number} AS ({TAKE}{after} RETURNING id)")
        values += [amount, limit.amount, account.pk, limit.key, now, limit.amount, amount, limit.amount]
    answers = [f"(SELECT id FROM took_{number})" for number in range(len(met))]  # noqa: S608 a number
    if then is not None:
        steps.append(f"done AS ({then.text})")
        values += then.values
        answers.append("(SELECT count(*) FROM done)")
    return Statement(f"WITH {', '.join(steps)} SELECT {', '.join(answers)}", tuple(values))


def move(held: Iterable[Held], used_of: Callable[[str], int], *, then: Sequence[Statement] = ()) -> list[Level]:
    """Give back what is set aside and book what was used, in the order in which reserve locks. A step.

    used_of  meter → how much was used of it.
    then     what is done after it, on the same way to Postgres.
    Gives    how full each bucket is in which something was used.
    """
    moved = [
        (row, used)
        for row in sorted(held, key=lambda row: (row.account_id, row.limit_key or ""))
        if row.meter is not None  # without one it holds credit
        for used in [used_of(row.meter)]
        if used or row.open_amount
    ]
    statements = [Statement(MOVE, (row.open_amount, used, row.bucket_id)) for row, used in moved]
    statements += then
    if not statements:
        return []
    full = zip(moved, roundtrip.ask(statements), strict=False)  # `then` answers behind them
    return [Level(row, settled, used, limit) for (row, used), [(settled, limit)] in full if used]


def open_windows(account: BillingAccount, met: Sequence[Limit], *, now: datetime) -> bool:
    """Close the windows of these limits that have ended and open those that are missing, empty, in the order given.

    Effect  a step; one message. A window that is open is not asked for: whoever books in it would be waited for. One
            that another run opens meanwhile is waited for, and is the one.
    Gives   whether any was opened.
    """
    statements = [Statement(CLOSE_ENDED, (account.pk, [limit.key for limit in met], now))]
    for limit in met:
        start, end = limits.window_at(limit, now)
        facts = (ids.uuid7(), account.pk, limit.key, str(limit.meter), start, end, limit.amount)
        statements.append(Statement(OPEN_MISSING, (*facts, account.pk, limit.key)))
    _closed, *opened = roundtrip.ask(statements)
    return any(opened)


def put_back(taken: Iterable[tuple[UUID, int]]) -> None:
    """Undo what `taking` took in this transaction: (bucket, amount) each. A step."""
    statements = [Statement(MOVE, (amount, 0, bucket)) for bucket, amount in taken]
    if statements:
        roundtrip.ask(statements)


def _open_window(account: BillingAccount, limit: Limit, amount: int, *, now: datetime) -> UUID | None:
    """Close the window that has ended and open the next one, unless another run did it first."""
    open_now = UsageBucket.objects.of(account).filter(limit_key=limit.key, is_open=True)
    ended = open_now.filter(window_end__lte=now).update(is_open=False)
    if not ended and open_now.exists():
        return None
    start, end = limits.window_at(limit, now)
    values = (ids.uuid7(), account.pk, limit.key, str(limit.meter), start, end, limit.amount, amount)
    (rows,) = roundtrip.ask([Statement(OPEN, values)])
    return rows[0][0] if rows else None


def _refuse_if_spent(account: BillingAccount, model: str, limit: Limit, amount: int, *, now: datetime) -> None:
    """Read once why there was no room; find none and return when room came back meanwhile."""
    bucket = UsageBucket.objects.of(account).running(at=now).filter(limit_key=limit.key).first()
    if bucket is None or limit.amount is None or bucket.settled + bucket.reserved + amount <= limit.amount:
        return
    used = bucket.settled + bucket.reserved
    if isinstance(limit, Cap):
        raise _cap_reached(limit, used, now=now)
    is_slot = limit.meter == Meter.CONCURRENCY
    code = errors.TOO_MANY_AT_ONCE if is_slot else errors.LIMIT_REACHED
    resets_at = None if is_slot else bucket.window_end
    raise errors.limit_reached(_refusal(code, model, limit, used=used, resets_at=resets_at), limit)


def _too_much(account: BillingAccount, model: str, limit: Limit, *, now: datetime) -> Refused:
    """More than a whole window has: waiting would not help."""
    if isinstance(limit, Cap):
        bucket = UsageBucket.objects.of(account).running(at=now).filter(limit_key=limit.key).first()
        return _cap_reached(limit, bucket.settled + bucket.reserved if bucket else 0, now=now)
    return errors.payment_needed(_refusal(errors.NOT_INCLUDED, model, limit))


def _cap_reached(cap: Cap, used: int, *, now: datetime) -> Refused:
    code = errors.KEY_CAP if cap.key_id else errors.SPENDING_CAP
    code = errors.USAGE_CAP if cap.meter == Meter.USAGE_CHARGES else code
    _start, resets_at = limits.month_of(now)
    refusal = Refusal(code, cap.amount, used, resets_at, errors.OWN_CAP, str(cap.meter), cap.currency)
    return errors.payment_needed(refusal)


def _refusal(
    code: str, model: str, limit: Limit, *, used: int | None = None, resets_at: datetime | None = None
) -> Refusal:
    lifted_by = entitlements.lifting_plan(model, limit.meter, limit.amount, window=limit.window)
    return Refusal(code, limit.amount, used, resets_at, lifted_by, str(limit.meter))
