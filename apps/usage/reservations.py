"""The rows of what runs have set aside: written, found again, locked and closed, by one statement each."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from apps.billing.models import BillingAccount
from apps.core import ids
from apps.usage import roundtrip
from apps.usage.models import UsageReservation
from apps.usage.roundtrip import Statement

State = UsageReservation.State

COLUMNS = """
    SELECT held.id, held.account_id, held.amount, held.state, held.bucket_id, bucket.limit_key, bucket.meter
      FROM usage_usagereservation AS held LEFT JOIN usage_usagebucket AS bucket ON bucket.id = held.bucket_id
"""
OF_RUN = f"{COLUMNS} WHERE held.run_id = %s ORDER BY held.id FOR NO KEY UPDATE OF held"
DUE = f"""{COLUMNS} WHERE held.state = 'open' AND held.expires_at <= %s
          ORDER BY held.expires_at LIMIT %s FOR NO KEY UPDATE OF held SKIP LOCKED"""
WRITE = """
    INSERT INTO usage_usagereservation (id, account_id, run_id, bucket_id, amount, state, created_at, expires_at)
    SELECT unnest(%s::uuid[]), %s, %s, unnest({buckets}), unnest(%s::bigint[]), 'open', %s, %s {condition}
    ON CONFLICT DO NOTHING RETURNING id
"""
FIND = "SELECT state FROM usage_usagereservation WHERE run_id = %s AND bucket_id IS NOT NULL"
CLOSE = "UPDATE usage_usagereservation SET state = %s WHERE id = ANY(%s)"
FORGET = "DELETE FROM usage_usagereservation WHERE id = ANY(%s)"


class Held(NamedTuple):
    """One locked reservation. Without a bucket it holds credit."""

    id: UUID
    account_id: UUID
    amount: int
    state: str
    bucket_id: UUID | None
    limit_key: str | None
    meter: str | None

    @property
    def open_amount(self) -> int:
        """What is still set aside: what expired or was released was given back before."""
        return self.amount if self.state == State.OPEN else 0


def write(
    account: BillingAccount, run_id: UUID, taken: Sequence[tuple[UUID, int]], *, expires_at: datetime, now: datetime
) -> bool:
    """Write what a run has taken: (bucket, amount) each. False, and nothing is: another worker did. A step."""
    row_ids = [ids.uuid7() for _bucket in taken]
    buckets, amounts = [bucket for bucket, _amount in taken], [amount for _bucket, amount in taken]
    values = (row_ids, account.pk, run_id, buckets, amounts, now, expires_at)
    (written,) = roundtrip.ask([Statement(WRITE.format(buckets="%s::uuid[]", condition=""), values)])
    if len(written) == len(row_ids):
        return True
    forget(row_ids)
    return False


def writing(
    account: BillingAccount, run_id: UUID, amounts: Sequence[int], *, expires_at: datetime, now: datetime
) -> tuple[list[UUID], Statement]:
    """The same in one statement with `buckets.taking`: its rows' ids, and what to do once all have taken.

    Nothing is written where the run holds something already.
    """
    row_ids, last = [ids.uuid7() for _amount in amounts], len(amounts) - 1
    buckets = ", ".join(f"(SELECT id FROM took_{number})" for number in range(len(amounts)))  # noqa: S608 a number
    condition = f"WHERE EXISTS (SELECT FROM took_{last}) AND NOT EXISTS ({FIND})"
    text = WRITE.format(buckets=f"ARRAY[{buckets}]", condition=condition)
    return row_ids, Statement(text, (row_ids, account.pk, run_id, list(amounts), now, expires_at, run_id))


def forget(row_ids: Sequence[UUID]) -> None:
    """Take back what was written in this transaction. A step."""
    roundtrip.ask([Statement(FORGET, (list(row_ids),))])


def closing(held: Iterable[Held], state: str) -> Statement:
    """Leave locked reservations in a state."""
    return Statement(CLOSE, (state, [row.id for row in held]))


def hold_again(run_id: UUID, *, expires_at: datetime) -> bool:
    """Whether the run holds buckets already, settled or expired ones too; their time begins anew. A step.

    What it gave back is forgotten: it must be asked for anew.
    """
    (rows,) = roundtrip.ask([Statement(FIND, (run_id,))])
    states = {state for (state,) in rows}
    if not states:
        return False
    of_run = UsageReservation.objects.of_run(run_id)
    if states == {State.RELEASED}:
        of_run.filter(state=State.RELEASED).delete()
        return False
    of_run.filter(state=State.OPEN).update(expires_at=expires_at)
    return True


def lock(run_id: UUID) -> list[Held]:
    """Lock and read all that a run has set aside, credit too. A step."""
    (rows,) = roundtrip.ask([Statement(OF_RUN, (run_id,))])
    return [Held(*row) for row in rows]


def lock_due(*, at: datetime, most: int) -> list[Held]:
    """Lock and read open reservations whose time is over; those that a worker is settling are left to it. A step."""
    (rows,) = roundtrip.ask([Statement(DUE, (at, most))])
    return [Held(*row) for row in rows]
