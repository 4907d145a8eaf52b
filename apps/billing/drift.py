"""Whether Stripe and we agree, account by account: what differs is kept as an item, and repaired by a sync."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from apps.billing import differences, entitlements, mirror, plans, stripe_gateway, sync
from apps.billing.differences import HIGH, Difference
from apps.billing.entitlements import Subscribed
from apps.billing.models import BillingAccount, DriftItem, SubscriptionMirror
from apps.billing.stripe_facts import Subscription

ENDED = ("canceled", "incomplete_expired")
PERIOD_SLACK = timedelta(hours=1)
KINDS = ("missing_locally", "missing_in_stripe", "status", "price", "period", "entitlement_mismatch")
ORPHAN = "orphan_customer"


@dataclass(frozen=True)
class Report:
    """What one reconciliation found. `open_high` counts the items that a person must look at."""

    accounts: int
    differences: tuple[tuple[str, Difference], ...]  # account, or customer without one
    open_high: int


def reconcile(account_id: UUID | None, *, is_dry: bool, clock: Callable[[], datetime]) -> Report:
    """Compare one account, or all, with Stripe; repair by the same sync that everything else uses.

    is_dry  compare and write nothing.
    Raises  PaymentsAway.
    """
    gateway = stripe_gateway.background()
    accounts = BillingAccount.objects.filter(stripe_customer_id__isnull=False)
    one = accounts.filter(pk=account_id).first() if account_id else None
    by_customer: dict[str, list[Subscription]] = defaultdict(list)
    for subscription in gateway.list_subscriptions(one.stripe_customer_id if one else None):
        by_customer[subscription.customer].append(subscription)
    found: list[tuple[str, Difference]] = []
    checked = list(accounts.filter(pk=account_id) if account_id else accounts)
    for account in checked:
        theirs = by_customer.pop(str(account.stripe_customer_id), [])
        found += [(str(account.pk), one) for one in _check(account, theirs, is_dry=is_dry, clock=clock)]
    if account_id is None:
        found += _orphans(by_customer, is_dry=is_dry, now=clock())
    open_high = sum(1 for _owner, one in found if one.severity == HIGH) if is_dry else _open_high()
    return Report(len(checked), tuple(found), open_high)


def compare(account: BillingAccount, theirs: Sequence[Subscription], *, now: datetime) -> list[Difference]:
    """Everything in which the mirror and the access of an account differ from Stripe. Reads only."""
    ours = {row.pk: row for row in account.subscriptions.filter(gone_at=None).prefetch_related("items")}
    found: list[Difference] = []
    for subscription in theirs:
        row = ours.pop(subscription.id, None)
        if row is None:
            found.append(Difference("missing_locally", subscription.id, stripe=subscription.status))
        else:
            found += _compare_one(row, subscription)
    found += [
        Difference("missing_in_stripe", key, ours=row.status) for key, row in ours.items() if row.status not in ENDED
    ]
    return [*found, *_compare_access(account, theirs, now=now)]


def _check(
    account: BillingAccount, theirs: Sequence[Subscription], *, is_dry: bool, clock: Callable[[], datetime]
) -> list[Difference]:
    found = compare(account, theirs, now=clock())
    if is_dry:
        return found
    if found:
        for difference in found:
            differences.note(difference, account, now=clock())
        sync.sync_customer(account.pk, clock=clock)
        account.refresh_from_db()
    left = {(one.kind, one.subject) for one in compare(account, theirs, now=clock())} if found else set()
    for item in DriftItem.objects.filter(account=account, kind__in=KINDS, fixed_at=None):
        if (item.kind, item.subject) not in left:
            differences.close(item.kind, account, item.subject, now=clock())
    return found


def _compare_one(row: SubscriptionMirror, theirs: Subscription) -> Iterator[Difference]:
    if row.status != theirs.status:
        yield Difference("status", theirs.id, ours=row.status, stripe=theirs.status)
    ours = sorted(f"{item.price_id} × {item.quantity}" for item in row.items.all())
    wanted = sorted(f"{item.price.id} × {item.quantity}" for item in theirs.items)
    if ours != wanted:
        yield Difference("price", theirs.id, ours=", ".join(ours), stripe=", ".join(wanted))
    mine, other = row.current_period_end, theirs.period_end
    if (mine is None) != (other is None) or (mine and other and abs(mine - other) > PERIOD_SLACK):
        yield Difference("period", theirs.id, ours=str(mine), stripe=str(other))


def _compare_access(account: BillingAccount, theirs: Iterable[Subscription], *, now: datetime) -> Iterator[Difference]:
    """Whether the snapshot in force is what Stripe's subscriptions give."""
    subscriptions, grants = filter(None, map(_subscribed, theirs)), entitlements.granted(account)
    rules = entitlements.rules_of(plans.catalogue())
    right = entitlements.decide(subscriptions, grants, entitlements.standing_of(account), rules, now=now)
    has = entitlements.plan_for(account, now=now).key
    if has != right.plan:
        yield Difference("entitlement_mismatch", str(account.pk), ours=has, stripe=right.plan)


def _subscribed(subscription: Subscription) -> Subscribed | None:
    found = [plan for plan in (mirror.find_plan(item.price) for item in subscription.items) if plan is not None]
    if not found:
        return None
    plan = max(found, key=lambda plan: plan.rank)
    return Subscribed(
        plan.key, plan.rank, subscription.status, subscription.period_end, subscription.is_collection_paused
    )


def _orphans(
    by_customer: dict[str, list[Subscription]], *, is_dry: bool, now: datetime
) -> Iterator[tuple[str, Difference]]:
    """Customers who pay for one of our plans and belong to no account."""
    for customer, subscriptions in by_customer.items():
        live = [one.id for one in subscriptions if one.status not in ENDED and _subscribed(one)]
        if live:
            difference = Difference(ORPHAN, customer, stripe=", ".join(live))
            if not is_dry:
                differences.note(difference, None, now=now)
            yield customer, difference


def _open_high() -> int:
    return DriftItem.objects.filter(fixed_at=None, severity=HIGH).count()
