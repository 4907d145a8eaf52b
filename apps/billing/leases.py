"""Whether Stripe should be looked at for an account, and who may do it: one at a time, for a while."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from apps.billing.models import BillingAccount
from apps.core import guards, jobs

LENGTH = timedelta(seconds=60)


class LeaseLost(Exception):
    """Somebody else fetches now; what was fetched here is thrown away."""


@dataclass
class Lease:
    """The right to fetch and apply for one account; the moment it ends is also its name."""

    account_id: UUID
    began: datetime
    until: datetime
    want: int  # what was wanted when it began

    def renew(self, *, now: datetime) -> None:
        """Prolong it.

        Raises  LeaseLost: it ran out, and somebody took it.
        """
        mine = BillingAccount.objects.filter(pk=self.account_id, sync_lease_until=self.until)
        if not mine.update(sync_lease_until=now + LENGTH):
            raise LeaseLost
        self.until = now + LENGTH

    def give_back(self) -> None:
        """Let others in at once, unless they are in already."""
        BillingAccount.objects.filter(pk=self.account_id, sync_lease_until=self.until).update(sync_lease_until=None)


def claim(account_id: UUID, *, now: datetime) -> Lease | None:
    """Take the lease by one conditional UPDATE; None when somebody has it."""
    free = Q(sync_lease_until=None) | Q(sync_lease_until__lt=now)
    until = now + LENGTH
    if not BillingAccount.objects.filter(free, pk=account_id).update(sync_lease_until=until):
        return None
    wanted: int = BillingAccount.objects.values_list("sync_wanted_seq", flat=True).get(pk=account_id)
    return Lease(account_id, now, until, wanted)


def want_sync(account_id: UUID) -> None:
    """Say that something happened at Stripe. The counter is the queue, the job only a nudge. A step."""
    guards.inside_transaction()
    BillingAccount.objects.filter(pk=account_id).want_sync()
    jobs.enqueue("billing.sync_customer", str(account_id))


def is_wanted(account_id: UUID) -> bool:
    """Whether something happened that no finished sync has seen."""
    found: bool = BillingAccount.objects.filter(pk=account_id).in_need_of_sync().exists()
    return found
