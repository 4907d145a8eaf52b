"""How each kind of change is asked of Stripe, and how our mirror shows that it was done."""

from collections.abc import Callable, Mapping

from apps.billing.models import PlanChange, SubscriptionMirror
from apps.billing.stripe_gateway import Gateway

Kind, State = PlanChange.Kind, PlanChange.State
Answer = tuple[PlanChange.State, str, str]  # the state it is in then, the invoice to pay, and why it is not paid
FINISHED: Answer = (State.DONE, "", "")


def _change_now(change: PlanChange, gateway: Gateway) -> Answer:
    subscription, item = change.subscription, _item(change)
    if subscription.has_schedule:  # its last phase runs: nothing more is planned, and it must let go first
        gateway.release_schedule(subscription.stripe_schedule_id, key=f"change:{change.pk}:release")
    is_trial = subscription.status == "trialing"
    found = gateway.change_price(
        subscription.pk,
        {"id": item, "price": change.to_price_id},
        metadata=_metadata(change),
        prorated_at=None if is_trial else change.prorated_at,
        key=f"change:{change.pk}",
    )
    if not found.has_pending_update:
        return FINISHED
    return State.UNPAID, found.latest_invoice, gateway.why_unpaid(found.latest_invoice)


def _change_later(change: PlanChange, gateway: Gateway) -> Answer:
    key = f"change:{change.pk}"
    subscription = change.subscription
    schedule = subscription.stripe_schedule_id or gateway.open_schedule(subscription.pk, key=f"{key}:schedule")
    assert change.to_price is not None  # noqa: S101 a constraint holds it
    gateway.plan_price(
        schedule, {"price": change.to_price.pk, "quantity": 1}, change.to_price.interval, _metadata(change), key=key
    )
    return FINISHED


def _keep(change: PlanChange, gateway: Gateway) -> Answer:
    gateway.release_schedule(change.subscription.stripe_schedule_id, key=f"change:{change.pk}")
    return FINISHED


def _cancel(change: PlanChange, gateway: Gateway) -> Answer:
    subscription = change.subscription
    if subscription.has_schedule:
        gateway.release_schedule(subscription.stripe_schedule_id, key=f"change:{change.pk}:release")
    why = {"feedback": change.feedback, "comment": change.comment}
    params = {"cancel_at_period_end": True, "cancellation_details": why}
    gateway.update_subscription(subscription.pk, params, key=f"change:{change.pk}")
    return FINISHED


def _resume(change: PlanChange, gateway: Gateway) -> Answer:
    subscription = change.subscription
    params: dict[str, object] = (
        {"cancel_at_period_end": False} if subscription.cancel_at_period_end else {"cancel_at": ""}
    )
    gateway.update_subscription(subscription.pk, params, key=f"change:{change.pk}")
    return FINISHED


def _drop(change: PlanChange, gateway: Gateway) -> Answer:
    assert change.to_price_id is not None  # noqa: S101 a constraint holds it
    is_dropped = gateway.drop_pending(change.subscription_id, change.to_price_id, key=f"change:{change.pk}")
    return FINISHED if is_dropped else (State.LAPSED, "", "")


ASK: Mapping[PlanChange.Kind, Callable[[PlanChange, Gateway], Answer]] = {
    Kind.NOW: _change_now,
    Kind.LATER: _change_later,
    Kind.KEEP: _keep,
    Kind.CANCEL: _cancel,
    Kind.RESUME: _resume,
    Kind.DROP: _drop,
}


def _has_price(change: PlanChange, subscription: SubscriptionMirror) -> bool:
    return subscription.items.filter(price=change.to_price_id).exists()


def _is_planned(change: PlanChange, subscription: SubscriptionMirror) -> bool:
    return subscription.planned_price_id == change.to_price_id or _has_price(change, subscription)


def _is_dropped(change: PlanChange, subscription: SubscriptionMirror) -> bool:
    return subscription.pending_price_id != change.to_price_id and not _has_price(change, subscription)


def _is_ending(_change: PlanChange, subscription: SubscriptionMirror) -> bool:
    ends = subscription.cancel_at_period_end or subscription.cancel_at or subscription.ended_at
    return bool(ends)


SEEN: Mapping[PlanChange.Kind, Callable[[PlanChange, SubscriptionMirror], bool]] = {
    Kind.NOW: _has_price,
    Kind.LATER: _is_planned,
    Kind.KEEP: lambda _change, subscription: not subscription.has_schedule,
    Kind.CANCEL: _is_ending,
    Kind.RESUME: lambda change, subscription: not _is_ending(change, subscription),
    Kind.DROP: _is_dropped,
}


def _item(change: PlanChange) -> str:
    items = change.subscription.items.filter(price__plan__isnull=False)
    return str(items.order_by("-price__plan__rank").values_list("pk", flat=True)[0])


def _metadata(change: PlanChange) -> Mapping[str, str]:
    assert change.to_price is not None  # noqa: S101 a constraint holds it
    return {"account_id": str(change.account_id), "plan_key": str(change.to_price.plan_id)}
