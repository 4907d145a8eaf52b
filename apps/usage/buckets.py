"""How room is taken from a bucket and given back: one conditional UPDATE each, never read, compare, write."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import F

from apps.billing import entitlements
from apps.billing.meters import Meter
from apps.billing.models import BillingAccount
from apps.billing.plans import Limit
from apps.core import guards, ids
from apps.core.errors import Refusal, Unavailable
from apps.usage import errors
from apps.usage.models import UsageBucket

NEVER = datetime(9999, 1, 1, tzinfo=UTC)  # the end of a bucket without a window
ATTEMPTS = 8  # each repeat means that another run changed the bucket between two of our statements

TAKE = """
    UPDATE usage_usagebucket SET reserved = reserved + %(amount)s, limit_value = %(limit)s::bigint
     WHERE account_id = %(account)s AND limit_key = %(key)s AND is_open AND window_end > %(now)s
       AND (%(limit)s::bigint IS NULL OR settled + reserved + %(amount)s <= %(limit)s::bigint)
    RETURNING id
"""
OPEN = """
    INSERT INTO usage_usagebucket
           (id, account_id, limit_key, meter, window_start, window_end, limit_value, reserved, settled, is_open)
    VALUES (%(id)s, %(account)s, %(key)s, %(meter)s, %(now)s, %(end)s, %(limit)s::bigint, %(amount)s, 0, true)
    ON CONFLICT DO NOTHING
    RETURNING id
"""

Facts = dict[str, str | int | datetime | None]


class Movement(NamedTuple):
    """What one bucket gets back of what was set aside, and what was used in its place."""

    bucket: UsageBucket
    given_back: int
    used: int


def take(account: BillingAccount, model: str, limit: Limit, amount: int, *, now: datetime) -> UUID:
    """Set `amount` aside in the limit's bucket, opening a window at first use; give the bucket's id.

    Effect  a step; the bucket's row stays locked until the caller's transaction ends.
    Raises  PaymentNeeded: no window could ever hold it;  LimitReached: this window, or every slot, is used up.
    """
    guards.inside_transaction()
    if limit.amount is not None and (limit.amount == 0 or amount > limit.amount):
        raise errors.payment_needed(_refusal(errors.NOT_INCLUDED, model, limit))
    facts: Facts = {
        "account": str(account.pk),
        "key": limit.key,
        "amount": amount,
        "limit": limit.amount,
        "now": now,
    }
    for _attempt in range(ATTEMPTS):
        bucket_id = _returned(TAKE, facts) or _returned_from_new_window(account, limit, facts)
        if bucket_id is not None:
            return bucket_id
        _refuse_if_spent(account, model, limit, amount, now=now)
    raise Unavailable


def move(movements: Iterable[Movement]) -> None:
    """Give back what was set aside and book what was used, in the order in which reserve locks. A step."""
    guards.inside_transaction()
    for bucket, given_back, used in sorted(movements, key=lambda m: (m.bucket.account_id, m.bucket.limit_key)):
        if given_back or used:
            changes = {"reserved": F("reserved") - given_back, "settled": F("settled") + used}
            UsageBucket.objects.filter(pk=bucket.pk).update(**changes)


def _returned(statement: str, facts: Facts) -> UUID | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, facts)
        row = cursor.fetchone()
    return row[0] if row else None


def _returned_from_new_window(account: BillingAccount, limit: Limit, facts: Facts) -> UUID | None:
    """Close the window that has ended and open the next one, unless another run did it first."""
    now = facts["now"]
    assert isinstance(now, datetime)  # noqa: S101 narrows the type, nothing else is ever put there
    open_now = UsageBucket.objects.of(account).filter(limit_key=limit.key, is_open=True)
    ended = open_now.filter(window_end__lte=now).update(is_open=False)
    if not ended and open_now.exists():
        return None
    end = NEVER if limit.window is None else now + limit.window
    return _returned(OPEN, {**facts, "id": str(ids.uuid7()), "meter": str(limit.meter), "end": end})


def _refuse_if_spent(account: BillingAccount, model: str, limit: Limit, amount: int, *, now: datetime) -> None:
    """Read once why there was no room; find none and return when room came back meanwhile."""
    bucket = UsageBucket.objects.of(account).running(at=now).filter(limit_key=limit.key).first()
    if bucket is None or limit.amount is None or bucket.settled + bucket.reserved + amount <= limit.amount:
        return
    is_slot = limit.meter == Meter.CONCURRENCY
    code = errors.TOO_MANY_AT_ONCE if is_slot else errors.LIMIT_REACHED
    resets_at = None if is_slot else bucket.window_end
    refusal = _refusal(code, model, limit, used=bucket.settled + bucket.reserved, resets_at=resets_at)
    raise errors.limit_reached(refusal, limit)


def _refusal(
    code: str, model: str, limit: Limit, *, used: int | None = None, resets_at: datetime | None = None
) -> Refusal:
    lifted_by = entitlements.lifting_plan(model, limit.meter, limit.amount, window=limit.window)
    return Refusal(code, limit.amount, used, resets_at, lifted_by, str(limit.meter))
