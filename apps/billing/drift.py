"""Whether Stripe and we agree: all of it read, what differs kept as an item, and repaired by the usual sync.

The lists of everybody only say with whom something is wrong (`walks`); such an account is then looked at alone, exactly
(`inspection`). A run is cut into slices: the next one goes on where the last one stood, also after a crash.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from apps.billing import differences, stripe_gateway
from apps.billing.differences import HIGH, Difference
from apps.billing.errors import ReconciliationBusy
from apps.billing.models import BillingAccount, Reconciliation
from apps.billing.walks import Walker

MONEY_MOVES_FOR = timedelta(days=120)  # after a payment, until then a card's owner may contest it
TURN = timedelta(minutes=10)  # whoever works on a run says so at least that often
Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Report:
    """What one reconciliation found. `open_high` counts the items that a person must look at."""

    accounts: int
    differences: tuple[tuple[str, Difference], ...]  # account, or customer without one
    open_high: int


def reconcile(account_id: UUID | None, *, is_dry: bool, clock: Clock) -> Report:
    """Compare one account, or everything, with Stripe; repair by the same sync that everything else uses.

    is_dry  compare and write nothing.
    Raises  PaymentsAway: what was compared is kept, and the next one goes on there. ReconciliationBusy.
    """
    gateway = stripe_gateway.background()
    run = Reconciliation(started_at=clock())
    walker = Walker(run, gateway, is_dry=is_dry, clock=clock)
    if account_id is not None:
        accounts = list(BillingAccount.objects.filter(pk=account_id, stripe_customer_id__isnull=False))
        for account in accounts:
            walker.inspect(account)
        run.accounts = len(accounts)
    elif is_dry:
        for step in walker.steps().values():
            for _place in step():
                pass
    else:
        walker.run = run = _begin(since=None, now=clock())
        if not _take_turn(run, now=clock()):
            raise ReconciliationBusy
        _walk(walker, until=None)
    found = tuple(walker.found)
    open_high = sum(1 for _owner, one in found if one.severity == HIGH) if is_dry else differences.count_open_high()
    return Report(run.accounts, found, open_high)


def reconcile_for(budget: timedelta, *, clock: Clock) -> bool:
    """Do one slice of the nightly run, or begin it; say whether it is finished.

    Effect  acts of their own. Repeat: a second worker finds the turn taken and leaves it.
    Raises  PaymentsAway: the next slice goes on there.
    """
    now = clock()
    run = _begin(since=now - MONEY_MOVES_FOR, now=now)
    if not _take_turn(run, now=now):
        return True
    return _walk(Walker(run, stripe_gateway.background(), is_dry=False, clock=clock), until=now + budget)


def find_last() -> Reconciliation | None:
    """The last run of everything, finished or not."""
    return Reconciliation.objects.order_by("-started_at").first()


def _begin(*, since: datetime | None, now: datetime) -> Reconciliation:
    """The run that is not finished, or a new one: there is one at a time."""
    open_runs = Reconciliation.objects.filter(finished_at=None)
    run = open_runs.first()
    if run is None:
        wanted = Reconciliation(started_at=now, since=since)
        Reconciliation.objects.bulk_create([wanted], ignore_conflicts=True)
        return open_runs.get()  # ours, or that of a worker who began at the same moment
    if since is None and run.since is not None:  # a person wants all of it, not what is left of the nightly part
        open_runs.update(since=None, walk="", cursor="", started_at=now)
        run.refresh_from_db()
    return run


def _take_turn(run: Reconciliation, *, now: datetime) -> bool:
    is_free = Q(turn_until=None) | Q(turn_until__lt=now)
    return bool(Reconciliation.objects.filter(is_free, pk=run.pk, finished_at=None).update(turn_until=now + TURN))


def _walk(walker: Walker, *, until: datetime | None) -> bool:
    try:
        return _go_on(walker, until=until)
    finally:
        Reconciliation.objects.filter(pk=walker.run.pk).update(turn_until=None)


def _go_on(walker: Walker, *, until: datetime | None) -> bool:
    """Walk on from where the run stands, until the time is over; say whether everything was walked."""
    run, steps = walker.run, walker.steps()
    names = list(steps)
    for name in names[names.index(run.walk) if run.walk else 0 :]:
        run.walk = name
        _save(walker)
        for place in steps[name]():
            run.cursor = place
            _save(walker)
            if until is not None and walker.clock() >= until:
                return False
        run.cursor = ""
    Reconciliation.objects.filter(pk=run.pk).update(
        finished_at=walker.clock(), turn_until=None, walk="", cursor="", accounts=run.accounts,
        differences=run.differences + len(walker.found),
    )  # fmt: skip
    return True


def _save(walker: Walker) -> None:
    run, now = walker.run, walker.clock()
    Reconciliation.objects.filter(pk=run.pk).update(
        walk=run.walk, cursor=run.cursor, accounts=run.accounts, turn_until=now + TURN,
        differences=run.differences + len(walker.found),
    )  # fmt: skip
