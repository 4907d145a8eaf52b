"""Why a subscription changed, and when that became true: the rows that MRR movements follow from."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime

from apps.billing.models import SubscriptionMirror, SubscriptionState
from apps.billing.stripe_facts import Subscription
from apps.core import guards

ENDED = {"canceled": "voluntary", "incomplete_expired": "payment_failed", "unpaid": "payment_failed"}
REASONS = {
    "cancellation_requested": "voluntary",
    "payment_failed": "payment_failed",
    "payment_disputed": "dispute",
    "canceled_by_retention_policy": "staff",
}
NOT_YET_PAID = ("incomplete", "trialing")
GONE = "canceled"  # the status of a subscription that Stripe no longer lists


@dataclass(frozen=True)
class Shape:
    """What of a subscription makes a movement when it changes."""

    status: str
    plan: str | None
    interval: str
    lines: tuple[tuple[str, int | None], ...]  # price and quantity
    mrr_micro: int
    is_paused: bool

    def digest(self) -> str:
        """A name for exactly this shape."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


def shape_of(mirror: SubscriptionMirror) -> Shape:
    """The shape of a mirrored subscription."""
    items = sorted(mirror.items.select_related("price").all(), key=lambda item: item.pk)
    licensed = [item.price for item in items if item.price.usage_type == "licensed"]
    return Shape(
        status=GONE if mirror.gone_at else mirror.status,
        plan=mirror.plan_id,
        interval=licensed[0].interval if licensed else "",
        lines=tuple((item.price_id, item.quantity) for item in items),
        mrr_micro=mirror.mrr_micro,
        is_paused=mirror.is_collection_paused,
    )


def cause_of(before: Shape | None, after: Shape, reason: str) -> str:
    """Name the cause of a change. Pure.

    reason  Stripe's `cancellation_details.reason`, or nothing.
    What had ended for want of a payment and bills again has recovered, whatever else changed with it.
    """
    if after.status in ENDED:
        return REASONS.get(reason, ENDED[after.status])
    if after.status == "past_due":
        return "payment_failed"
    if _is_paused(after):
        return "paused"
    if before is None or before.status in NOT_YET_PAID:
        return "checkout"
    if _is_paused(before):
        return "resumed"
    return "recovered" if before.status in ENDED else _change_of_items(before, after)


def record(mirror: SubscriptionMirror, before: Shape | None, found: Subscription | None, *, now: datetime) -> bool:
    """Append a state where the subscription changed; say whether it did.

    found   None: Stripe no longer lists it.
    Effect  a step; the mirror is written already.
    """
    guards.inside_transaction()
    after = shape_of(mirror)
    latest = mirror.states.order_by("-effective_at", "-observed_at", "-pk").first()
    if latest is not None and latest.digest == after.digest():
        return False
    effective_at = min(_began(before, after, found) or now, now)
    SubscriptionState.objects.create(
        subscription=mirror,
        account_id=mirror.account_id,
        effective_at=max(effective_at, latest.effective_at) if latest else effective_at,
        observed_at=now,
        status=after.status,
        plan_id=after.plan,
        interval=after.interval,
        mrr_micro=after.mrr_micro,
        currency=mirror.currency,
        cause=cause_of(before, after, mirror.cancellation_reason),
        digest=after.digest(),
    )
    return True


def _change_of_items(before: Shape, after: Shape) -> str:
    if (before.plan, before.interval) != (after.plan, after.interval):
        return "upgrade" if after.mrr_micro >= before.mrr_micro else "downgrade"
    if [price for price, _ in before.lines] != [price for price, _ in after.lines]:
        return "price_migration"
    if before.lines != after.lines:
        return "quantity"
    return "coupon" if before.mrr_micro != after.mrr_micro else "recovered"


def _is_paused(shape: Shape) -> bool:
    return shape.is_paused or shape.status == "paused"


def _began(before: Shape | None, after: Shape, found: Subscription | None) -> datetime | None:
    """When the change became true at Stripe, where Stripe says so."""
    if found is None:
        return None
    if after.status in ENDED:
        return found.ended_at
    if before is None:
        return found.trial_end if after.status != "trialing" and found.trial_end else found.started_at
    return found.trial_end if before.status == "trialing" else None
